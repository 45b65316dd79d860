// HTTP requests. Open the URL that `holdfast dev` prints, change a text below, and
// save.
package main

import (
	"fmt"
	"html"
	"io"
	"net/http"

	"github.com/holdfast-host/holdfast/sdk/go/web"
)

// The longest name, in bytes.
const nameBytesMax = 100

func page(response http.ResponseWriter, name string) {
	response.Header().Set("content-type", "text/html; charset=utf-8")
	fmt.Fprintf(response, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{{name}}</title>\n<h1>Hello, %s!</h1>\n", html.EscapeString(name))
}

func get(response http.ResponseWriter, _ *http.Request) {
	page(response, "world")
}

func post(response http.ResponseWriter, request *http.Request) {
	name, err := io.ReadAll(http.MaxBytesReader(response, request.Body, nameBytesMax))
	if err != nil {
		http.Error(response, "a name has at most 100 bytes", http.StatusRequestEntityTooLarge)
		return
	}
	page(response, string(name))
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", get)
	mux.HandleFunc("POST /{$}", post)
	return mux
}

func init() { web.Handle(routes()) }

func main() {}
