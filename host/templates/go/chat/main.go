// A chat. /rooms/NAME is a room: its page, and the WebSocket of that page. A text
// posted to it appears on every page.
//
// All state is in the host: the attachment says who a connection is, a topic says who
// is in a room, the key-value store has the last messages. So new code can take over
// at any moment, under open sockets.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

// A posted text, in bytes.
const postBytesMax = 4000

//go:embed page.html
var pageHTML []byte

var roomPath = regexp.MustCompile(`^/rooms/([A-Za-z0-9_-]{1,64})$`)

// roomOf is the room in /rooms/NAME.
func roomOf(path string) (room, bool) {
	found := roomPath.FindStringSubmatch(path)
	if found == nil {
		return "", false
	}
	return room(found[1]), true
}

type chat struct{ websocket.Defaults }

func (chat) Accept(handshake *websocket.Handshake) (*websocket.Acceptance, error) {
	room, found := roomOf(handshake.Path())
	if !found {
		return nil, websocket.Reject(404, "rooms are at /rooms/NAME")
	}
	return &websocket.Acceptance{Attachment: attachmentOf(room, "")}, nil
}

func (chat) Receive(connection *websocket.Connection, message holdfast.Message) error {
	room, nick := readAttachment(connection.Attachment)
	var said struct{ Type, Nick, Text string }
	var why string
	var err error
	switch {
	case message.Binary || json.Unmarshal(message.Data, &said) != nil:
		why = "a message is JSON: a `join` or a `say`"
	case said.Type == "join" && nick == "":
		why, err = room.join(connection, strings.TrimSpace(said.Nick))
	case said.Type == "say" && nick != "":
		why, err = room.say(nick, strings.TrimSpace(said.Text))
	default:
		why = "join once, then say something"
	}
	if why != "" {
		_, err = connection.Send(typed("error", map[string]any{"text": why}))
	}
	return err
}

func (chat) Close(connection *websocket.Connection, _ websocket.Closure) error {
	room, nick := readAttachment(connection.Attachment)
	if nick == "" {
		return nil
	}
	return room.leave(nick)
}

func front(response http.ResponseWriter, request *http.Request) {
	http.Redirect(response, request, "/rooms/lobby", http.StatusSeeOther)
}

func page(response http.ResponseWriter, request *http.Request) {
	if _, found := roomOf(request.URL.Path); !found {
		http.Error(response, "Rooms are at /rooms/NAME.", http.StatusNotFound)
		return
	}
	response.Header().Set("content-type", "text/html; charset=utf-8")
	response.Write(pageHTML)
}

func post(response http.ResponseWriter, request *http.Request) {
	room, found := roomOf(request.URL.Path)
	if !found {
		http.Error(response, "Rooms are at /rooms/NAME.", http.StatusNotFound)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(response, request.Body, postBytesMax))
	why := "a text has at most 4000 bytes"
	if err == nil {
		why, err = room.say("guest", strings.TrimSpace(string(text)))
		if err != nil {
			panic(err)
		}
	}
	if why != "" {
		http.Error(response, why, http.StatusBadRequest)
		return
	}
	response.WriteHeader(http.StatusCreated)
	fmt.Fprintln(response, "It was said.")
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", front)
	mux.HandleFunc("GET /rooms/", page)
	mux.HandleFunc("POST /rooms/", post)
	return mux
}

func init() {
	websocket.Handle(chat{})
	web.Handle(routes())
}

func main() {}
