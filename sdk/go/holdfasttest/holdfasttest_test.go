//go:build !wasip1

package holdfasttest_test

import (
	"errors"
	"slices"
	"testing"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/holdfasttest"
	"github.com/holdfast-host/holdfast/sdk/go/websocket"
)

// plugin does what messages ask for.
type plugin struct{ websocket.Defaults }

func (plugin) Accept(handshake *websocket.Handshake) (*websocket.Acceptance, error) {
	switch handshake.Path() {
	case "/refuse":
		return nil, websocket.Reject(403, "no")
	case "/fail":
		return nil, errors.New("told to fail")
	case "/panic":
		panic("told to")
	}
	return &websocket.Acceptance{Attachment: []byte(handshake.PathWithQuery), Topics: []string{"all"}}, nil
}

func (plugin) Receive(connection *websocket.Connection, message holdfast.Message) error {
	switch message.String() {
	case "panic":
		panic("told to")
	case "fail":
		return errors.New("told to fail")
	case "stale":
		_, err := holdfast.SetAttachmentIf(connection.ID, nil, 999)
		return err
	case "close":
		return connection.Close(4000, "done")
	case "update":
		store, err := holdfast.OpenStore("default")
		if err != nil {
			return err
		}
		defer store.Close()
		return store.Update("key", func(old []byte, _ bool) []byte { return append(old, 'x') })
	case "others":
		_, err := holdfast.PublishExcept("all", holdfast.Text("hi"), connection.ID)
		return err
	}
	holdfast.Log.Info("said", "text", message.String())
	_, err := connection.Send(message)
	return err
}

func (plugin) Close(connection *websocket.Connection, closure websocket.Closure) error {
	_, err := holdfast.Publish("all", holdfast.Text(closure.Cause.String()+" "+closure.Reason))
	return err
}

func connect(t *testing.T, host *holdfasttest.Host, path string) *holdfasttest.Client {
	t.Helper()
	client, err := host.Connect(path)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func expect[T comparable](t *testing.T, found, expected T) {
	t.Helper()
	if found != expected {
		t.Errorf("found %v, expected %v", found, expected)
	}
}

func TestEventsReachTheHandlers(t *testing.T) {
	websocket.Handle(plugin{})
	host := holdfasttest.New(t, nil)
	for path, refusal := range map[string]string{"/refuse": "403 no", "/fail": "500 ", "/panic": "500 "} {
		_, err := host.Connect(path)
		expect(t, err.Error(), refusal)
	}
	ada, bea := connect(t, host, "/ada?x=1"), connect(t, host, "/bea")
	expect(t, string(ada.Attachment()), "/ada?x=1")
	expect(t, ada.Say("hello"), nil)
	expect(t, ada.Next().String(), "hello")
	expect(t, slices.Equal(host.Logged(), []string{"said text=hello"}), true)
	expect(t, ada.Say("others"), nil)
	expect(t, bea.Next().String(), "hi")
	expect(t, ada.HasNext(), false)
	expect(t, ada.Disconnect(1000, "bye"), nil)
	expect(t, bea.Next().String(), "client bye")
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	websocket.Handle(plugin{})
	ada := connect(t, holdfasttest.New(t, nil), "/")
	for text, failure := range map[string]string{
		"fail":  "told to fail",
		"panic": "panic: told to",
		"stale": "the attachment has changed, to version 0",
	} {
		expect(t, ada.Say(text).Error(), failure)
	}
	expect(t, ada.Say("close"), nil)
	expect(t, ada.Closed(), "4000 done")
	expect(t, ada.Say("hello").Error(), "the connection is gone")
}

func TestValuesAreUpdatedThoughOthersAreQuicker(t *testing.T) {
	websocket.Handle(plugin{})
	host := holdfasttest.New(t, nil)
	ada := connect(t, host, "/")
	expect(t, ada.Say("update"), nil)
	expect(t, ada.Say("update"), nil)
	value, _ := host.Value("key")
	expect(t, value, "xx")
}

func TestStoresListAllPages(t *testing.T) {
	holdfasttest.New(t, nil)
	store, err := holdfast.OpenStore("default")
	expect(t, err, nil)
	for _, key := range []string{"b", "a", "c"} {
		expect(t, store.Set(key, []byte("1")), nil)
	}
	keys, err := store.Keys()
	expect(t, err, nil)
	expect(t, slices.Equal(keys, []string{"a", "b", "c"}), true)
	sum, err := store.Increment("a", -3)
	expect(t, err, nil)
	expect(t, sum, -2)
	_, err = holdfast.OpenStore("other")
	expect(t, err, holdfast.ErrNoSuchStore)
}
