// Package websocket has the WebSocket events of a plugin. A component that imports
// it has WebSocket handlers: those given to [Handle].
//
// For one connection the host calls Accept once, then Open once, then Receive for
// each message in order, one at a time, then Close exactly once, whatever happened.
// Different connections run concurrently, in several instances.
package websocket

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strings"

	holdfast "github.com/holdfast-host/holdfast/sdk/go"
	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// Handler has the events. Embed [Defaults], and write those that matter.
type Handler interface {
	// Accept decides about an opening handshake. The error is a *Rejection, or
	// another one, which is logged and answered with 500.
	Accept(handshake *Handshake) (*Acceptance, error)
	// Open says that the client has been sent its 101.
	Open(connection *Connection) error
	// Receive handles a message.
	Receive(connection *Connection, message holdfast.Message) error
	// Close says that the connection has ended. Nothing can be sent to it any
	// more. Its attachment is given a last time.
	Close(connection *Connection, closure Closure) error
}

// Defaults accepts every handshake, and does nothing else.
type Defaults struct{}

// Accept accepts.
func (Defaults) Accept(*Handshake) (*Acceptance, error) { return &Acceptance{}, nil }

// Open does nothing.
func (Defaults) Open(*Connection) error { return nil }

// Receive does nothing.
func (Defaults) Receive(*Connection, holdfast.Message) error { return nil }

// Close does nothing.
func (Defaults) Close(*Connection, Closure) error { return nil }

var handler Handler = Defaults{}

// Handle registers the plugin's handlers; to be called once, in an init function.
func Handle(h Handler) {
	handler = h
}

// Header has header fields, with names in lower case.
type Header map[string][]string

// Get is the first field of a name, or "".
func (h Header) Get(name string) string {
	values := h[strings.ToLower(name)]
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// Add adds a field.
func (h Header) Add(name, value string) {
	name = strings.ToLower(name)
	h[name] = append(h[name], value)
}

// Handshake is an opening handshake for which the plugin has to decide.
type Handshake struct {
	// ID is that which the connection will have. Messages sent to it from now on
	// are written after the handshake.
	ID string
	// Scheme is "http" or "https".
	Scheme string
	// Authority is the Host field or the :authority pseudo-header field.
	Authority string
	// PathWithQuery is as the client sent it, for example "/rooms/a?x=1".
	PathWithQuery string
	Header        Header
	// Subprotocols which the client offers, best first.
	Subprotocols []string
	// RemoteAddress is "ADDRESS:PORT" of the client.
	RemoteAddress string
}

// Path is the path without the query.
func (h *Handshake) Path() string {
	path, _, _ := strings.Cut(h.PathWithQuery, "?")
	return path
}

// Query is the query, decoded.
func (h *Handshake) Query() url.Values {
	_, query, _ := strings.Cut(h.PathWithQuery, "?")
	values, _ := url.ParseQuery(query)
	return values
}

// Acceptance accepts a handshake. All of it is optional.
type Acceptance struct {
	// Subprotocol is one of those offered. Any other makes the host answer 500.
	Subprotocol string
	// Header has more fields for the 101.
	Header Header
	// Attachment is what the host keeps for the connection. Limit: 4 KiB unless
	// configured otherwise (attachment_bytes_max).
	Attachment []byte
	// Topics to which the connection is subscribed before its first event.
	Topics []string
}

// Rejection refuses a handshake, with a status from 300 to 599.
type Rejection struct {
	Status uint16
	Header Header
	Body   []byte
}

func (r *Rejection) Error() string {
	return fmt.Sprintf("refused with %d", r.Status)
}

// Reject refuses with a status and a text.
func Reject(status uint16, text string) *Rejection {
	header := Header{}
	header.Add("content-type", "text/plain; charset=utf-8")
	return &Rejection{Status: status, Header: header, Body: []byte(text)}
}

// Connection is the connection an event belongs to.
type Connection struct {
	// ID is opaque, unguessable, and meaningful only inside the tenant.
	ID string
	// Attachment has the bytes last set for it.
	Attachment []byte
	// Version counts the changes of the attachment, from 0 at Accept.
	Version uint64
	// BufferedBytes are queued for this client and not yet written to its socket.
	BufferedBytes uint64
}

// Send is [holdfast.Send] to this connection.
func (c *Connection) Send(message holdfast.Message) (uint64, error) {
	return holdfast.Send(c.ID, message)
}

// Close is [holdfast.Close] of this connection.
func (c *Connection) Close(code uint16, reason string) error {
	return holdfast.Close(c.ID, code, reason)
}

// SetAttachment is [holdfast.SetAttachment] of this connection.
func (c *Connection) SetAttachment(attachment []byte) (uint64, error) {
	return holdfast.SetAttachment(c.ID, attachment)
}

// SetAttachmentIf is [holdfast.SetAttachmentIf], at the version which this event
// has seen.
func (c *Connection) SetAttachmentIf(attachment []byte) (uint64, error) {
	return holdfast.SetAttachmentIf(c.ID, attachment, c.Version)
}

// Subscribe is [holdfast.Subscribe] of this connection.
func (c *Connection) Subscribe(topic string) error {
	return holdfast.Subscribe(c.ID, topic)
}

// Unsubscribe is [holdfast.Unsubscribe] of this connection.
func (c *Connection) Unsubscribe(topic string) {
	holdfast.Unsubscribe(c.ID, topic)
}

// Cause says why a connection ended.
type Cause uint8

// The causes.
const (
	Client Cause = iota
	Server
	Idle
	SlowConsumer
	Limit
	Error
	Deploy
	Drain
	ConnectionLost
)

var causes = []string{"client", "server", "idle", "slow-consumer", "limit", "error", "deploy", "drain", "connection-lost"}

// String is the name as in the WIT, for example "connection-lost".
func (c Cause) String() string {
	if int(c) >= len(causes) {
		return "unknown"
	}
	return causes[c]
}

// Closure says how a connection ended.
type Closure struct {
	Cause Cause
	// Code is the status code (RFC 6455, section 7.4); 1005 if the client gave
	// none, 1006 without a close frame.
	Code   uint16
	Reason string
}

func accept(wire host.Handshake) (answer host.Acceptance) {
	handshake := &Handshake{
		ID:            wire.ID,
		Scheme:        wire.Scheme,
		Authority:     wire.Authority,
		PathWithQuery: wire.PathWithQuery,
		Header:        Header{},
		Subprotocols:  wire.Subprotocols,
		RemoteAddress: wire.RemoteAddress,
	}
	for _, field := range wire.Fields {
		handshake.Header.Add(field.Name, string(field.Value))
	}
	var acceptance *Acceptance
	err := guarded(func() (err error) {
		acceptance, err = handler.Accept(handshake)
		return err
	})
	var rejection *Rejection
	switch {
	case errors.As(err, &rejection):
		return host.Acceptance{Status: rejection.Status, Fields: fields(rejection.Header), Body: rejection.Body}
	case err != nil:
		fmt.Fprintln(os.Stderr, "accept failed:", err)
		return host.Acceptance{Status: 500}
	case acceptance == nil:
		return host.Acceptance{}
	}
	return host.Acceptance{
		HasSubprotocol: acceptance.Subprotocol != "",
		Subprotocol:    acceptance.Subprotocol,
		Fields:         fields(acceptance.Header),
		Attachment:     acceptance.Attachment,
		Topics:         acceptance.Topics,
	}
}

func fields(header Header) []host.Field {
	var fields []host.Field
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, host.Field{Name: name, Value: []byte(value)})
		}
	}
	return fields
}

func open(wire host.Connection) string {
	return said(guarded(func() error { return handler.Open(connection(wire)) }))
}

func receive(wire host.Connection, binary bool, data []byte) string {
	message := holdfast.Message{Binary: binary, Data: data}
	return said(guarded(func() error { return handler.Receive(connection(wire), message) }))
}

func closed(wire host.Connection, cause uint8, code uint16, reason string) string {
	closure := Closure{Cause: Cause(cause), Code: code, Reason: reason}
	return said(guarded(func() error { return handler.Close(connection(wire), closure) }))
}

func connection(wire host.Connection) *Connection {
	return (*Connection)(&wire)
}

// guarded calls a handler; a panic is logged with its stack, and an error.
func guarded(call func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return call()
}

func said(err error) string {
	switch {
	case err == nil:
		return ""
	case err.Error() == "":
		return "an error without a text"
	default:
		return err.Error()
	}
}

func init() {
	host.WebSocket = host.Events{Accept: accept, Open: open, Receive: receive, Close: closed}
}
