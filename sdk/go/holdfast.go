// Package holdfast is for plugins of Holdfast: connections and topics by name from
// any handler, keys and values, settings, and the log.
//
// Handlers are in packages of their own, [websocket] and [web], of which a plugin
// imports those it has. A plugin is a main package that registers handlers in init
// functions; its main function is never called:
//
//	type echo struct{ websocket.Defaults }
//
//	func (echo) Receive(c *websocket.Connection, m holdfast.Message) error {
//		_, err := c.Send(m)
//		return err
//	}
//
//	func init() { websocket.Handle(echo{}) }
//	func main() {}
//
// # State
//
// The host runs as many instances of a plugin as it needs, ends them when it likes,
// and replaces the code under open connections. Nothing in a package's variable is
// there at the next event: state is in attachments, topics and stores.
//
// # Waiting
//
// An instance handles one event at a time, and goroutines run only while it does.
// A handler that waits holds up its instance alone; the host has others.
//
// # Errors
//
// The host logs the error which a handler returns, and answers 500, or treats the
// WebSocket as the plugin's on_error says. A panic is logged with its stack and
// does the same: the instance goes on.
//
// [websocket]: https://pkg.go.dev/github.com/holdfast-host/holdfast/sdk/go/websocket
// [web]: https://pkg.go.dev/github.com/holdfast-host/holdfast/sdk/go/web
package holdfast

import (
	"errors"
	"fmt"

	"github.com/holdfast-host/holdfast/sdk/go/internal/host"
)

// Message is one complete WebSocket message. A text is valid UTF-8.
type Message struct {
	Binary bool
	Data   []byte
}

// Text makes a text message.
func Text(text string) Message {
	return Message{Data: []byte(text)}
}

// Binary makes a binary message.
func Binary(data []byte) Message {
	return Message{Binary: true, Data: data}
}

// String is the payload as a string.
func (m Message) String() string {
	return string(m.Data)
}

// What a call to the host can come to.
var (
	// ErrGone says that there is no such connection, or that it is closing.
	ErrGone = errors.New("the connection is gone")
	// ErrInvalidCode says that an endpoint may not send this close code (RFC
	// 6455, section 7.4).
	ErrInvalidCode = errors.New("an endpoint may not send this close code")
	// ErrReasonTooLong says that the reason for closing is over 123 bytes.
	ErrReasonTooLong = errors.New("the reason for closing is over 123 bytes")
	// ErrNoSuchStore says that there is no store of this name.
	ErrNoSuchStore = errors.New("there is no such key-value store")
	// ErrDenied says that the operator has not granted it.
	ErrDenied = errors.New("it is not granted")
	// ErrContended says that an update was overtaken again and again.
	ErrContended = errors.New("overtaken by other changes")
)

// FullError says that the queue of a connection is full, with so many bytes.
type FullError struct{ Bytes uint64 }

func (e *FullError) Error() string {
	return fmt.Sprintf("its queue is full, with %d bytes", e.Bytes)
}

// TooLargeError says that something has more bytes than the limit.
type TooLargeError struct{ Limit uint64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it is over %d bytes", e.Limit)
}

// ConflictError says that an attachment has changed, to this version.
type ConflictError struct{ Version uint64 }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the attachment has changed, to version %d", e.Version)
}

// TooManyTopicsError says that a connection has reached this number of topics.
type TooManyTopicsError struct{ Limit uint32 }

func (e *TooManyTopicsError) Error() string {
	return fmt.Sprintf("it has %d topics already", e.Limit)
}

// InvalidTopicError says that a topic's name is empty or over this many bytes.
type InvalidTopicError struct{ Limit uint32 }

func (e *InvalidTopicError) Error() string {
	return fmt.Sprintf("a topic's name has 1 to %d bytes", e.Limit)
}

func failure(code host.Code, number uint64) error {
	switch code {
	case host.OK:
		return nil
	case host.Full:
		return &FullError{number}
	case host.TooLarge:
		return &TooLargeError{number}
	case host.InvalidCode:
		return ErrInvalidCode
	case host.ReasonTooLong:
		return ErrReasonTooLong
	case host.Conflict:
		return &ConflictError{number}
	case host.TooMany:
		return &TooManyTopicsError{uint32(number)}
	case host.InvalidName:
		return &InvalidTopicError{uint32(number)}
	default:
		return ErrGone
	}
}

// Send queues a message for a connection, by id, and returns the number of bytes
// now waiting for its client. Delivery is at most once. Errors are ErrGone,
// *FullError and *TooLargeError.
func Send(connection string, message Message) (uint64, error) {
	number, code := host.Send(connection, message.Binary, message.Data)
	if code != host.OK {
		return 0, failure(code, number)
	}
	return number, nil
}

// Close closes a connection after what is queued for it has been sent. The code is
// 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999; the reason has at most 123
// bytes. Errors are ErrGone, ErrInvalidCode and ErrReasonTooLong.
func Close(connection string, code uint16, reason string) error {
	return failure(host.Close(connection, code, reason), 0)
}

// State is what the host knows of a connection.
type State struct {
	Attachment []byte
	// Version counts the changes of the attachment, from 0.
	Version uint64
	// BufferedBytes are queued and not yet written to the socket.
	BufferedBytes uint64
}

// Get reads the state of a connection, and says whether there is one.
func Get(connection string) (State, bool) {
	state, found := host.Get(connection)
	return State(state), found
}

// SetAttachment replaces the attachment of a connection and returns its new
// version. Errors are ErrGone and *TooLargeError.
func SetAttachment(connection string, attachment []byte) (uint64, error) {
	return setAttachment(connection, attachment, nil)
}

// SetAttachmentIf does so only if the attachment is still at a version
// (compare-and-set): *ConflictError says at which it is.
func SetAttachmentIf(connection string, attachment []byte, expected uint64) (uint64, error) {
	return setAttachment(connection, attachment, &expected)
}

func setAttachment(connection string, attachment []byte, expected *uint64) (uint64, error) {
	number, code := host.SetAttachment(connection, attachment, expected)
	if code != host.OK {
		return 0, failure(code, number)
	}
	return number, nil
}
