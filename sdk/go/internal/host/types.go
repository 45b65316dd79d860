// Package host is what the SDK knows of the host: in a component the host itself,
// on a developer's machine one in memory.
package host

// Code says what became of a call.
type Code uint8

// The codes, for all calls together.
const (
	OK Code = iota
	Gone
	Full
	TooLarge
	InvalidCode
	ReasonTooLong
	Conflict
	TooMany
	InvalidName
	NoSuchStore
	Denied
	Failed
)

// State is what the host knows of a connection.
type State struct {
	Attachment    []byte
	Version       uint64
	BufferedBytes uint64
}

// Subscriber is a connection that is subscribed to a topic.
type Subscriber struct {
	Connection string
	Attachment []byte
}

// StoreError says why a store did not do what was asked.
type StoreError struct {
	Code Code
	Text string
}

// Field is a header field.
type Field struct {
	Name  string
	Value []byte
}

// Handshake is an opening handshake.
type Handshake struct {
	ID, Scheme, Authority, PathWithQuery string
	Fields                               []Field
	Subprotocols                         []string
	RemoteAddress                        string
}

// Acceptance is the answer to a handshake, unless Status is not 0.
type Acceptance struct {
	HasSubprotocol bool
	Subprotocol    string
	Fields         []Field
	Attachment     []byte
	Topics         []string
	// A refusal.
	Status uint16
	Body   []byte
}

// Connection is the connection an event belongs to.
type Connection struct {
	ID            string
	Attachment    []byte
	Version       uint64
	BufferedBytes uint64
}

// Events are the handlers of WebSocket events. A text that is not empty is an
// error.
type Events struct {
	Accept  func(Handshake) Acceptance
	Open    func(Connection) string
	Receive func(c Connection, binary bool, data []byte) string
	Close   func(c Connection, cause uint8, code uint16, reason string) string
}

// WebSocket is set by the package websocket.
var WebSocket Events
