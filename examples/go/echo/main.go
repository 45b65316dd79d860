// A WebSocket that sends everything back, text and binary, and a page that says
// hello: one component with both kinds of handlers.
package main

import (
	"fmt"
	"net/http"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

type echo struct{ websocket.Defaults }

func (echo) Receive(connection *websocket.Connection, message holdfast.Message) error {
	_, err := connection.Send(message)
	return err
}

func hello(response http.ResponseWriter, request *http.Request) {
	if request.URL.Path != "/" {
		http.NotFound(response, request)
		return
	}
	fmt.Fprint(response, "hello")
}

func init() {
	websocket.Handle(echo{})
	web.HandleFunc(hello)
}

func main() {}
