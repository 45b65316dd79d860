package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestANameIsNoMarkup(t *testing.T) {
	for name, greeting := range map[string]string{"Ada": "Hello, Ada!", "<b>": "Hello, &lt;b&gt;!"} {
		response := httptest.NewRecorder()
		routes().ServeHTTP(response, httptest.NewRequest("POST", "/", strings.NewReader(name)))
		if !strings.Contains(response.Body.String(), greeting) {
			t.Errorf("%s is not in %s", greeting, response.Body)
		}
	}
}
