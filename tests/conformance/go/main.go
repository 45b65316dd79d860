// The conformance program in Go: its WebSocket events. What is asked of it comes in
// paths and in messages.
package main

import (
	"fmt"
	"strings"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

type conformance struct{}

func (conformance) Accept(handshake *websocket.Handshake) (*websocket.Acceptance, error) {
	acceptance := &websocket.Acceptance{
		Header:     websocket.Header{},
		Attachment: []byte(handshake.PathWithQuery),
	}
	path := handshake.Path()
	topic, isTopic := strings.CutPrefix(path, "/topic/")
	switch {
	case path == "/refuse":
		rejection := &websocket.Rejection{Status: 403, Header: websocket.Header{}, Body: []byte("refused")}
		rejection.Header.Add("x-why", "refused")
		return nil, rejection
	case path == "/protocol" && len(handshake.Subprotocols) > 0:
		acceptance.Subprotocol = handshake.Subprotocols[len(handshake.Subprotocols)-1]
	case path == "/headers":
		acceptance.Header.Add("x-conformance", "yes")
	case isTopic:
		acceptance.Topics = []string{topic}
	case path == "/trap":
		panic("told to trap in accept")
	}
	return acceptance, nil
}

func (conformance) Open(connection *websocket.Connection) error {
	path, _, _ := strings.Cut(string(connection.Attachment), "?")
	switch path {
	case "/greet":
		_, err := connection.Send(holdfast.Text("open"))
		return err
	case "/trap-open":
		trap()
	}
	return nil
}

func (conformance) Receive(connection *websocket.Connection, message holdfast.Message) error {
	if message.Binary {
		_, err := connection.Send(message)
		return err
	}
	return command(connection, message.String())
}

func (conformance) Close(connection *websocket.Connection, closure websocket.Closure) error {
	path := websocket.Handshake{PathWithQuery: string(connection.Attachment)}
	topic := path.Query().Get("observer")
	if topic == "" {
		return nil
	}
	text := fmt.Sprintf("closed %s %d %s", closure.Cause, closure.Code, closure.Reason)
	_, err := holdfast.Publish(topic, holdfast.Text(text))
	return err
}

func trap() {
	panic("told to trap")
}

func init() {
	websocket.Handle(conformance{})
	web.HandleFunc(handle)
}

func main() {}
