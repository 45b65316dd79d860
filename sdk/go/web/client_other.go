//go:build !wasip1

package web

import "net/http"

// On a developer's machine, in tests, requests go where they say.
var transport = http.DefaultTransport
