// WebSocket events, and a page to try them. Open the URL that `holdfast dev` prints,
// say something, change answer below, and save: the socket stays open, and the next
// message is answered by the new code.
package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"strconv"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

//go:embed page.html
var pageHTML []byte

type socket struct{ websocket.Defaults }

func (socket) Open(connection *websocket.Connection) error {
	_, err := connection.Send(holdfast.Text("Hello! Say something."))
	return err
}

func (socket) Receive(connection *websocket.Connection, message holdfast.Message) error {
	// Whatever is to be there at the next message is in the attachment, which the
	// host keeps: this code may be another by then.
	count, _ := strconv.Atoi(string(connection.Attachment))
	count++
	if _, err := connection.SetAttachment([]byte(strconv.Itoa(count))); err != nil {
		return err
	}
	if !message.Binary {
		message = holdfast.Text(answer(count, message.String()))
	}
	_, err := connection.Send(message)
	return err
}

func answer(count int, text string) string {
	return fmt.Sprintf("%d: you said %s", count, text)
}

func page(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("content-type", "text/html; charset=utf-8")
	response.Write(pageHTML)
}

func init() {
	websocket.Handle(socket{})
	web.HandleFunc(page)
}

func main() {}
