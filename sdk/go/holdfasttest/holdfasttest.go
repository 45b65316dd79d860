//go:build !wasip1

// Package holdfasttest is a host in memory, for tests of plugins that run on a
// developer's machine by `go test`. It delivers WebSocket events to the handlers
// given to websocket.Handle, one after the other, and keeps what they do. HTTP
// handlers need no more than net/http/httptest.
package holdfasttest

import (
	"errors"
	"fmt"
	"testing"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// Host is the host of one test. There is one at a time.
type Host struct {
	t     *testing.T
	count int
}

// New makes an empty host, with settings if there are any.
func New(t *testing.T, settings map[string]string) *Host {
	host.Memory = host.NewFake()
	for key, value := range settings {
		host.Memory.Settings[key] = value
	}
	return &Host{t: t}
}

// Client is a WebSocket's other end.
type Client struct {
	// ID is that of the connection.
	ID   string
	host *Host
	read int
}

// Refusal is how a handshake was refused.
type Refusal struct {
	Status uint16
	Body   string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s", r.Status, r.Body)
}

// Connect opens a WebSocket: Accept, then Open. The error is a *Refusal, or that of
// Open.
func (h *Host) Connect(path string, subprotocols ...string) (*Client, error) {
	h.t.Helper()
	h.count++
	id := fmt.Sprintf("c%d", h.count)
	answer := host.WebSocket.Accept(host.Handshake{
		ID: id, Scheme: "http", Authority: "localhost", PathWithQuery: path,
		Subprotocols: subprotocols, RemoteAddress: "127.0.0.1:1",
	})
	if answer.Status != 0 {
		return nil, &Refusal{answer.Status, string(answer.Body)}
	}
	host.Memory.Connections[id] = &host.FakeConnection{
		State: host.State{Attachment: answer.Attachment}, IsOpen: true, Topics: answer.Topics,
	}
	client := &Client{ID: id, host: h}
	return client, failed(host.WebSocket.Open(client.connection()))
}

func (c *Client) state() *host.FakeConnection {
	return host.Memory.Connections[c.ID]
}

func (c *Client) connection() host.Connection {
	state := c.state().State
	return host.Connection{ID: c.ID, Attachment: state.Attachment, Version: state.Version}
}

// Say sends a text message to the plugin. The error is that of the handler.
func (c *Client) Say(text string) error {
	return c.Send(holdfast.Text(text))
}

// Send sends a message to the plugin. The error is that of the handler.
func (c *Client) Send(message holdfast.Message) error {
	return failed(host.WebSocket.Receive(c.connection(), message.Binary, message.Data))
}

// Disconnect ends the connection from the client's side.
func (c *Client) Disconnect(code uint16, reason string) error {
	c.state().IsOpen = false
	return failed(host.WebSocket.Close(c.connection(), 0, code, reason))
}

// Next is the oldest message that was sent to the client and not looked at yet. The
// test fails if there is none.
func (c *Client) Next() holdfast.Message {
	c.host.t.Helper()
	if !c.HasNext() {
		c.host.t.Fatalf("nothing was sent to %s", c.ID)
	}
	message := c.state().Messages[c.read]
	c.read++
	return holdfast.Message(message)
}

// HasNext says whether there is such a message.
func (c *Client) HasNext() bool {
	return c.read < len(c.state().Messages)
}

// Closed is how the plugin closed the connection, "4000 reason", or "".
func (c *Client) Closed() string {
	return c.state().Closed
}

// Attachment is what the host keeps for the connection.
func (c *Client) Attachment() []byte {
	return c.state().Attachment
}

// Value reads a value of the store "default".
func (h *Host) Value(key string) (string, bool) {
	value, found := host.Memory.Values[key]
	return string(value), found
}

// Logged is what was written to the log.
func (h *Host) Logged() []string {
	return host.Memory.Logged
}

func failed(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}
