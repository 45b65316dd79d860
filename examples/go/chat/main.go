// Chat rooms by path: WebSockets, an HTTP API, topics for rooms, attachments for who
// you are, the key-value store for what was said. The protocol is that of
// plugins/chat, whose page is served as files.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/web"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

type chat struct{ websocket.Defaults }

// roomIn finds the room in /rooms/ROOM, and in /rooms/ROOM/messages and
// /rooms/ROOM/members, of which inside is the last word. Whatever stands before is
// ignored.
func roomIn(path string) (name, inside string, found bool) {
	parts := strings.Split("//"+path, "/")
	last, second, third := parts[len(parts)-1], parts[len(parts)-2], parts[len(parts)-3]
	if (last == "messages" || last == "members") && third == "rooms" {
		return second, last, true
	}
	return last, "", second == "rooms"
}

func (chat) Accept(handshake *websocket.Handshake) (*websocket.Acceptance, error) {
	name, inside, found := roomIn(handshake.Path())
	switch {
	case !found || inside != "":
		return nil, websocket.Reject(404, "rooms are at /rooms/{room}")
	case !isRoom(name):
		return nil, websocket.Reject(404, roomRule)
	}
	return &websocket.Acceptance{Attachment: visitor{room: name}.attachment()}, nil
}

func (chat) Receive(connection *websocket.Connection, received holdfast.Message) error {
	err := react(connection, visitorOf(connection.Attachment), received)
	var wrong *problem
	if errors.As(err, &wrong) {
		return tell(connection, failureOf(wrong))
	}
	return err
}

func react(connection *websocket.Connection, who visitor, received holdfast.Message) error {
	var said clientMessage
	if received.Binary || json.Unmarshal(received.Data, &said) != nil || said.Type == nil {
		return notJSON
	}
	switch {
	case *said.Type == "join" && who.hasJoined:
		return alreadyJoined
	case *said.Type == "join":
		return room(who.room).join(connection, said.Nick, said.Key)
	case *said.Type == "say" && !who.hasJoined:
		return notJoined
	case *said.Type == "say":
		_, err := room(who.room).say(who.nick, said.Text)
		return err
	}
	return unknownType
}

func (chat) Close(connection *websocket.Connection, _ websocket.Closure) error {
	if who := visitorOf(connection.Attachment); who.hasJoined {
		return room(who.room).leave(who.nick)
	}
	return nil
}

func answer(response http.ResponseWriter, status int, value any) {
	response.Header().Set("content-type", "application/json")
	response.Header().Set("cache-control", "no-store")
	response.WriteHeader(status)
	fmt.Fprintln(response, toJSON(value))
}

// post says something without a connection, by somebody who must not take the name
// of a member.
func post(in room, request *http.Request) (said, error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, request.Body, bodyBytesMax))
	if err != nil || !utf8.Valid(data) {
		return said{}, badBody
	}
	nick, text := "curl", string(data)
	if kind, _, _ := mime.ParseMediaType(request.Header.Get("content-type")); kind == "application/json" {
		var body struct {
			Nick *string `json:"nick"`
			Text *string `json:"text"`
		}
		if json.Unmarshal(data, &body) != nil || body.Text == nil {
			return said{}, badBody
		}
		text = *body.Text
		if body.Nick != nil {
			nick = *body.Nick
		}
	}
	nick, err = checkNick(nick)
	if err != nil {
		return said{}, err
	}
	for _, member := range in.members() {
		if strings.EqualFold(member, nick) {
			return said{}, nickTaken
		}
	}
	return in.say(nick, text)
}

func handle(response http.ResponseWriter, request *http.Request) {
	name, inside, found := roomIn(request.URL.Path)
	isGet := request.Method == http.MethodGet || request.Method == http.MethodHead
	switch {
	case !found || inside == "":
		http.Error(response, "there is nothing here", http.StatusNotFound)
	case !isRoom(name):
		http.Error(response, roomRule, http.StatusNotFound)
	case isGet && inside == "members":
		answer(response, http.StatusOK, map[string]any{"members": room(name).members()})
	case isGet:
		messages, err := room(name).history()
		respond(response, http.StatusOK, map[string]any{"messages": messages}, err)
	case request.Method == http.MethodPost && inside == "messages":
		message, err := post(room(name), request)
		respond(response, http.StatusCreated, message, err)
	default:
		allowed := map[string]string{"messages": "GET, HEAD, POST", "members": "GET, HEAD"}
		response.Header().Set("allow", allowed[inside])
		http.Error(response, "not this method", http.StatusMethodNotAllowed)
	}
}

// respond answers, or says what the client did wrong; any other error is the host's
// to report.
func respond(response http.ResponseWriter, status int, value any, err error) {
	var wrong *problem
	switch {
	case errors.As(err, &wrong):
		answer(response, wrong.status, failureOf(wrong))
	case err != nil:
		panic(err)
	default:
		answer(response, status, value)
	}
}

func init() {
	websocket.Handle(chat{})
	web.HandleFunc(handle)
}

func main() {}
