package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

const (
	// A nickname and a text, in characters.
	nickLenMax = 24
	textLenMax = 1000
	// Messages which are kept for those who come later.
	historyLenMax = 50
)

// room is a room by its name: who is in it and what was said, all of it kept by the
// host.
type room string

// said is what somebody said. Ids count the messages of the room, from 1.
type said struct {
	ID   uint64 `json:"id"`
	Nick string `json:"nick"`
	Text string `json:"text"`
}

// typed is a message: a JSON object with a type.
func typed(kind string, members map[string]any) holdfast.Message {
	object := map[string]any{"type": kind}
	maps.Copy(object, members)
	// Numbers and strings are always JSON.
	text, _ := json.Marshal(object)
	return holdfast.Text(string(text))
}

// Who a connection is: the room and the nickname, on a line each; only the room
// before it has joined.
func attachmentOf(room room, nick string) []byte {
	return []byte(strings.TrimSuffix(string(room)+"\n"+nick, "\n"))
}

func readAttachment(attachment []byte) (room, string) {
	name, nick, _ := strings.Cut(string(attachment), "\n")
	return room(name), nick
}

func (r room) topic() string { return "rooms/" + string(r) }

func (r room) members() []string {
	nicks := []string{}
	for _, subscriber := range holdfast.Subscribers(r.topic(), holdfast.SubscribersMax) {
		_, nick := readAttachment(subscriber.Attachment)
		nicks = append(nicks, nick)
	}
	slices.Sort(nicks)
	return nicks
}

// join lets somebody in, or says why not.
func (r room) join(connection *websocket.Connection, nick string) (why string, err error) {
	if nick == "" || utf8.RuneCountInString(nick) > nickLenMax || strings.Contains(nick, "\n") {
		return "a nickname has 1 to 24 characters", nil
	}
	if slices.Contains(r.members(), nick) {
		return "somebody here has this nickname", nil
	}
	if _, err = connection.SetAttachment(attachmentOf(r, nick)); err != nil {
		return "", err
	}
	if err = connection.Subscribe(r.topic()); err != nil {
		return "", err
	}
	messages, err := r.history()
	if err != nil {
		return "", err
	}
	welcome := map[string]any{"nick": nick, "members": r.members(), "messages": messages}
	if _, err = connection.Send(typed("welcome", welcome)); err != nil {
		return "", err
	}
	_, err = holdfast.PublishExcept(r.topic(), typed("joined", map[string]any{"nick": nick}), connection.ID)
	return "", err
}

// say says something to everybody here and keeps it, or says why not.
func (r room) say(nick, text string) (why string, err error) {
	if text == "" || utf8.RuneCountInString(text) > textLenMax {
		return "a text has 1 to 1000 characters", nil
	}
	store, err := holdfast.OpenStore("default")
	if err != nil {
		return "", err
	}
	defer store.Close()
	var fresh said
	err = store.Update(r.topic(), func(old []byte, _ bool) []byte {
		var changed []byte
		changed, fresh = added(old, nick, text)
		return changed
	})
	if err != nil {
		return "", err
	}
	_, err = holdfast.Publish(r.topic(), typed("message", map[string]any{"id": fresh.ID, "nick": nick, "text": text}))
	return "", err
}

func (r room) leave(nick string) error {
	_, err := holdfast.Publish(r.topic(), typed("left", map[string]any{"nick": nick}))
	return err
}

func (r room) history() ([]said, error) {
	store, err := holdfast.OpenStore("default")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	value, _, err := store.Get(r.topic())
	return parsed(value), err
}

// parsed reads a history. What can't be read was written by other code, and is given
// up.
func parsed(history []byte) []said {
	messages := []said{}
	if json.Unmarshal(history, &messages) != nil {
		return []said{}
	}
	return messages
}

// added is a history with one message more, and without the oldest if there are too
// many.
func added(history []byte, nick, text string) ([]byte, said) {
	messages := parsed(history)
	fresh := said{1, nick, text}
	if len(messages) > 0 {
		fresh.ID = messages[len(messages)-1].ID + 1
	}
	messages = append(messages, fresh)
	messages = messages[max(0, len(messages)-historyLenMax):]
	changed, _ := json.Marshal(messages)
	return changed, fresh
}
