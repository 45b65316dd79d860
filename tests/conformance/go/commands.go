package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

// A command has the words after its name, of which the last is the rest of the text.
// An answer is sent to the same connection, unless it is silent.
type call struct {
	connection *websocket.Connection
	rest       string
}

const silent = "\x00"

// word takes the next argument.
func (c *call) word() string {
	word, rest, _ := strings.Cut(c.rest, " ")
	c.rest = rest
	return word
}

func (c *call) number() int64 {
	number, _ := strconv.ParseInt(c.word(), 10, 64)
	return number
}

var commands = map[string]func(c *call) (string, error){
	"echo":       func(c *call) (string, error) { return c.rest, nil },
	"id":         func(c *call) (string, error) { return c.connection.ID, nil },
	"attachment": attachment,
	"remember":   func(c *call) (string, error) { return remember(c, c.connection.Version) },
	"stale":      func(c *call) (string, error) { return remember(c, 999) },
	"peer":       peer,
	"send":       func(c *call) (string, error) { return sendTo(c.word(), c.rest) },
	"close":      closeSelf,
	"subscribe":  subscribe,
	"unsubscribe": func(c *call) (string, error) {
		c.connection.Unsubscribe(c.rest)
		return "unsubscribed", nil
	},
	"publish": func(c *call) (string, error) {
		return delivered(holdfast.Publish(c.word(), holdfast.Text(c.rest)))
	},
	"others": func(c *call) (string, error) {
		return delivered(holdfast.PublishExcept(c.word(), holdfast.Text(c.rest), c.connection.ID))
	},
	"count":       func(c *call) (string, error) { return fmt.Sprint(holdfast.Count(c.rest)), nil },
	"subscribers": subscribers,
	"config":      func(c *call) (string, error) { return config(c.rest), nil },
	"set":         inStore(func(c *call, s *holdfast.Store) (string, error) { return "done", s.Set(c.word(), []byte(c.rest)) }),
	"get":         inStore(get),
	"delete":      inStore(func(c *call, s *holdfast.Store) (string, error) { return "done", s.Delete(c.rest) }),
	"exists":      inStore(exists),
	"increment":   inStore(increment),
	"keys":        inStore(keys),
	"log":         logLine,
	"print": func(c *call) (string, error) {
		fmt.Println(c.rest)
		return "printed", nil
	},
	"large":     func(c *call) (string, error) { return large(c) },
	"too-large": func(c *call) (string, error) { return large(c) },
	"time":      func(c *call) (string, error) { return fmt.Sprint(time.Now().UnixMilli()), nil },
	"random":    random,
	"sleep": func(c *call) (string, error) {
		time.Sleep(time.Duration(c.number()) * time.Millisecond)
		return "slept", nil
	},
	"fail": func(c *call) (string, error) { return "", errors.New(c.rest) },
	"trap": func(c *call) (string, error) {
		trap()
		return "", nil
	},
	"fetch": func(c *call) (string, error) { return fetch(c.rest), nil },
}

func command(connection *websocket.Connection, text string) error {
	name, rest, _ := strings.Cut(text, " ")
	act, found := commands[name]
	if !found {
		return fmt.Errorf("no such command: %s", name)
	}
	answer, err := act(&call{connection, rest})
	if err != nil || answer == silent {
		return err
	}
	_, err = connection.Send(holdfast.Text(answer))
	return err
}

func attachment(c *call) (string, error) {
	return fmt.Sprintf("%d %s", c.connection.Version, c.connection.Attachment), nil
}

func remember(c *call, expected uint64) (string, error) {
	version, err := holdfast.SetAttachmentIf(c.connection.ID, []byte(c.rest), expected)
	var conflict *holdfast.ConflictError
	if errors.As(err, &conflict) {
		return fmt.Sprintf("conflict %d", conflict.Version), nil
	}
	return fmt.Sprintf("remembered %d", version), err
}

func peer(c *call) (string, error) {
	state, found := holdfast.Get(c.rest)
	if !found {
		return "none", nil
	}
	return string(state.Attachment), nil
}

func sendTo(connection, text string) (string, error) {
	_, err := holdfast.Send(connection, holdfast.Text(text))
	if errors.Is(err, holdfast.ErrGone) {
		return "gone", nil
	}
	return "queued", err
}

func closeSelf(c *call) (string, error) {
	switch err := c.connection.Close(uint16(c.number()), c.rest); err {
	case nil:
		return silent, nil
	case holdfast.ErrInvalidCode:
		return "invalid-code", nil
	case holdfast.ErrReasonTooLong:
		return "reason-too-long", nil
	default:
		return "gone", nil
	}
}

func subscribe(c *call) (string, error) {
	err := c.connection.Subscribe(c.rest)
	var tooMany *holdfast.TooManyTopicsError
	var invalid *holdfast.InvalidTopicError
	switch {
	case errors.As(err, &tooMany):
		return fmt.Sprintf("too-many %d", tooMany.Limit), nil
	case errors.As(err, &invalid):
		return fmt.Sprintf("invalid-name %d", invalid.Limit), nil
	}
	return "subscribed", err
}

func delivered(delivery holdfast.Delivery, err error) (string, error) {
	return fmt.Sprintf("queued %d full %d", delivery.Queued, delivery.Full), err
}

func subscribers(c *call) (string, error) {
	var ids []string
	for _, subscriber := range holdfast.Subscribers(c.rest, holdfast.SubscribersMax) {
		ids = append(ids, subscriber.Connection)
	}
	slices.Sort(ids)
	return strings.Join(ids, " "), nil
}

func config(key string) string {
	if value, found := holdfast.Config(key); found {
		return value
	}
	return "none"
}

func inStore(act func(c *call, store *holdfast.Store) (string, error)) func(c *call) (string, error) {
	return func(c *call) (string, error) {
		store, err := holdfast.OpenStore("default")
		if err != nil {
			return "", err
		}
		defer store.Close()
		return act(c, store)
	}
}

func get(c *call, store *holdfast.Store) (string, error) {
	value, found, err := store.Get(c.rest)
	if !found {
		return "none", err
	}
	return string(value), nil
}

func exists(c *call, store *holdfast.Store) (string, error) {
	found, err := store.Exists(c.rest)
	return fmt.Sprint(found), err
}

func increment(c *call, store *holdfast.Store) (string, error) {
	key := c.word()
	sum, err := store.Increment(key, c.number())
	return fmt.Sprint(sum), err
}

func keys(_ *call, store *holdfast.Store) (string, error) {
	keys, err := store.Keys()
	slices.Sort(keys)
	return strings.Join(keys, " "), err
}

var levels = map[string]slog.Level{
	"trace":    holdfast.LevelTrace,
	"debug":    slog.LevelDebug,
	"info":     slog.LevelInfo,
	"warn":     slog.LevelWarn,
	"error":    slog.LevelError,
	"critical": holdfast.LevelCritical,
}

func logLine(c *call) (string, error) {
	level, found := levels[c.word()]
	if !found {
		return "no such level", nil
	}
	holdfast.Log.Log(context.Background(), level, c.rest)
	return "logged", nil
}

func large(c *call) (string, error) {
	_, err := c.connection.Send(holdfast.Text(strings.Repeat("x", int(c.number()))))
	var tooLarge *holdfast.TooLargeError
	if errors.As(err, &tooLarge) {
		return fmt.Sprintf("too-large %d", tooLarge.Limit), nil
	}
	return silent, err
}

func random(*call) (string, error) {
	bytes := make([]byte, 16)
	_, err := rand.Read(bytes)
	return fmt.Sprintf("%x", bytes), err
}
