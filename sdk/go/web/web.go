// Package web has the HTTP handler of a plugin, with the types of net/http. A
// component that imports it has an HTTP handler: the one given to [Handle].
//
// Bodies stream both ways: nothing is read from the client before the handler asks
// for it, and a handler that writes goes no faster than the client reads.
// http.Flusher sends what was written so far. The context of a request ends with
// its handler.
package web

import "net/http"

var handler http.Handler = http.NotFoundHandler()

// Handle registers the plugin's handler; to be called once, in an init function.
func Handle(h http.Handler) {
	handler = h
}

// HandleFunc registers a function.
func HandleFunc(f func(http.ResponseWriter, *http.Request)) {
	Handle(http.HandlerFunc(f))
}

// Client sends requests to other servers. The host asks nobody but those whom the
// operator has allowed (allow_http, none by default). While it waits, the instance
// takes no other event; the host has others.
var Client = &http.Client{Transport: transport}
