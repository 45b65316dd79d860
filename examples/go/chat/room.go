package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

// The close code of a connection whose place its own client has taken again.
const replaced = 4000

// visitor is who a connection is: what its attachment says. Before it has joined
// there is only the room.
type visitor struct {
	room, nick, key string
	hasJoined       bool
}

// The room, the nickname and the key, on a line each. None has a line break.
func (v visitor) attachment() []byte {
	if !v.hasJoined {
		return []byte(v.room)
	}
	return []byte(v.room + "\n" + v.nick + "\n" + v.key)
}

func visitorOf(attachment []byte) visitor {
	lines := strings.Split(string(attachment)+"\n\n", "\n")
	return visitor{lines[0], lines[1], lines[2], strings.Contains(string(attachment), "\n")}
}

// room is a room by its name: who is in it and what was said, all of it kept by the
// host.
type room string

func (r room) topic() string { return "rooms/" + string(r) }

func now() int64 { return time.Now().UnixMilli() }

// tell sends to one client. One that is gone needs nothing.
func tell(connection *websocket.Connection, value any) error {
	_, err := connection.Send(message(value))
	if errors.Is(err, holdfast.ErrGone) {
		return nil
	}
	return err
}

func (r room) members() []string {
	nicks := []string{}
	for _, subscriber := range holdfast.Subscribers(r.topic(), holdfast.SubscribersMax) {
		if member := visitorOf(subscriber.Attachment); member.hasJoined {
			nicks = append(nicks, member.nick)
		}
	}
	slices.SortFunc(nicks, func(one, other string) int {
		return strings.Compare(strings.ToLower(one), strings.ToLower(other))
	})
	return nicks
}

// join lets somebody in. Of two who come with one nickname at the same moment, both
// may be refused, but never are both let in: each first takes its place and then
// looks who else is there.
func (r room) join(connection *websocket.Connection, nick, key string) error {
	nick, err := checkNick(nick)
	if err == nil {
		err = checkKey(key)
	}
	if err != nil {
		return err
	}
	member := visitor{string(r), nick, key, true}
	if _, err = connection.SetAttachment(member.attachment()); err != nil {
		return err
	}
	if err = connection.Subscribe(r.topic()); err == nil {
		err = r.settle(connection, member)
	}
	if err != nil {
		r.forget(connection.ID)
	}
	return err
}

func (r room) settle(connection *websocket.Connection, member visitor) error {
	holder, err := r.checkPlace(connection.ID, member)
	if err != nil {
		return err
	}
	if holder != "" {
		r.forget(holder)
		// It may be gone by now, which is as good.
		_ = holdfast.Close(holder, replaced, "replaced by a newer connection")
	}
	messages, err := r.history()
	if err != nil {
		return err
	}
	if err = tell(connection, welcome{"welcome", string(r), member.nick, r.members(), messages}); err != nil || holder != "" {
		return err
	}
	_, err = holdfast.PublishExcept(r.topic(), message(notice{"joined", member.nick, now()}), connection.ID)
	return err
}

// checkPlace says whether there is a place, and whose connection has it, if its own
// client takes it again.
func (r room) checkPlace(id string, member visitor) (string, error) {
	for _, subscriber := range holdfast.Subscribers(r.topic(), holdfast.SubscribersMax) {
		other := visitorOf(subscriber.Attachment)
		if subscriber.Connection == id || !other.hasJoined || !strings.EqualFold(other.nick, member.nick) {
			continue
		}
		if other.key == "" || other.key != member.key {
			return "", nickTaken
		}
		return subscriber.Connection, nil
	}
	if holdfast.Count(r.topic()) > membersMax {
		return "", roomFull
	}
	return "", nil
}

// forget makes a connection that of somebody who has not joined. Errors mean that
// it is gone, which is as good.
func (r room) forget(id string) {
	holdfast.Unsubscribe(id, r.topic())
	_, _ = holdfast.SetAttachment(id, visitor{room: string(r)}.attachment())
}

func (r room) leave(nick string) error {
	_, err := holdfast.Publish(r.topic(), message(notice{"left", nick, now()}))
	return err
}

// history is the last messages, oldest first, and the count of all.
type history struct {
	Count    uint64 `json:"count"`
	Messages []said `json:"messages"`
}

// historyOf reads a value of the store. One that can't be read counts as empty.
func historyOf(value []byte) history {
	var read history
	if json.Unmarshal(value, &read) != nil || read.Messages == nil {
		return history{read.Count, []said{}}
	}
	return read
}

func (r room) history() ([]said, error) {
	store, err := holdfast.OpenStore("default")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	value, _, err := store.Get(r.topic())
	return historyOf(value).Messages, err
}

// say says something to everybody in the room, and keeps it: before it is published,
// so that nobody who comes in between misses it.
func (r room) say(nick, text string) (said, error) {
	text, err := checkText(text)
	if err != nil {
		return said{}, err
	}
	store, err := holdfast.OpenStore("default")
	if err != nil {
		return said{}, err
	}
	defer store.Close()
	fresh := said{Nick: nick, Text: text, Time: now()}
	err = store.Update(r.topic(), func(old []byte, _ bool) []byte {
		kept := historyOf(old)
		kept.Count++
		fresh.ID = kept.Count
		kept.Messages = append(kept.Messages, fresh)
		kept.Messages = kept.Messages[max(0, len(kept.Messages)-historyLenMax):]
		return []byte(toJSON(kept))
	})
	if err != nil {
		return said{}, err
	}
	fresh.Type = "message"
	_, err = holdfast.Publish(r.topic(), message(fresh))
	return fresh, err
}
