//go:build !wasip1

package host

import (
	"fmt"
	"slices"
	"strconv"
)

// A host in memory, for tests on a developer's machine: see package holdfasttest.

// Limits of this host, which are the defaults of a real one.
const (
	messageBytesMax    = 1 << 20
	attachmentBytesMax = 4 << 10
	topicBytesMax      = 256
	topicsMax          = 100
	reasonBytesMax     = 123
)

// Fake is what this host keeps.
type Fake struct {
	Connections map[string]*FakeConnection
	Values      map[string][]byte
	Settings    map[string]string
	Logged      []string
	swaps       []string
}

// FakeConnection is a connection of a host in memory.
type FakeConnection struct {
	State
	IsOpen   bool
	Topics   []string
	Messages []FakeMessage
	// How the plugin closed it: "4000 reason".
	Closed string
}

// FakeMessage is a message that was sent to a connection.
type FakeMessage struct {
	Binary bool
	Data   []byte
}

// Memory is the one host in memory.
var Memory = NewFake()

// NewFake makes an empty host.
func NewFake() *Fake {
	return &Fake{map[string]*FakeConnection{}, map[string][]byte{}, map[string]string{}, nil, nil}
}

func find(id string) *FakeConnection {
	if found := Memory.Connections[id]; found != nil && found.IsOpen {
		return found
	}
	return nil
}

// Send is as in a component.
func Send(id string, binary bool, data []byte) (uint64, Code) {
	to := find(id)
	switch {
	case to == nil:
		return 0, Gone
	case len(data) > messageBytesMax:
		return messageBytesMax, TooLarge
	}
	to.Messages = append(to.Messages, FakeMessage{binary, slices.Clone(data)})
	return uint64(len(data)), OK
}

// Close is as in a component.
func Close(id string, code uint16, reason string) Code {
	isAllowed := code == 1000 || code == 1001 || code == 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
	to := find(id)
	switch {
	case to == nil:
		return Gone
	case !isAllowed:
		return InvalidCode
	case len(reason) > reasonBytesMax:
		return ReasonTooLong
	}
	to.IsOpen = false
	to.Closed = fmt.Sprintf("%d %s", code, reason)
	return OK
}

// Get is as in a component.
func Get(id string) (State, bool) {
	if of := find(id); of != nil {
		return of.State, true
	}
	return State{}, false
}

// SetAttachment is as in a component.
func SetAttachment(id string, data []byte, expected *uint64) (uint64, Code) {
	of := find(id)
	switch {
	case of == nil:
		return 0, Gone
	case expected != nil && *expected != of.Version:
		return of.Version, Conflict
	case len(data) > attachmentBytesMax:
		return attachmentBytesMax, TooLarge
	}
	of.Attachment = slices.Clone(data)
	of.Version++
	return of.Version, OK
}

// Subscribe is as in a component.
func Subscribe(id, topic string) (uint32, Code) {
	of := find(id)
	switch {
	case of == nil:
		return 0, Gone
	case topic == "" || len(topic) > topicBytesMax:
		return topicBytesMax, InvalidName
	case slices.Contains(of.Topics, topic):
		return 0, OK
	case len(of.Topics) == topicsMax:
		return topicsMax, TooMany
	}
	of.Topics = append(of.Topics, topic)
	return 0, OK
}

// Unsubscribe is as in a component.
func Unsubscribe(id, topic string) {
	if of := find(id); of != nil {
		of.Topics = slices.DeleteFunc(of.Topics, func(name string) bool { return name == topic })
	}
}

// Publish is as in a component.
func Publish(topic string, binary bool, data []byte, except *string) (queued, full uint32, limit uint64) {
	if len(data) > messageBytesMax {
		return 0, 0, messageBytesMax
	}
	for _, subscriber := range Subscribers(topic, 1000) {
		if except == nil || *except != subscriber.Connection {
			Send(subscriber.Connection, binary, data)
			queued++
		}
	}
	return queued, 0, 0
}

// Count is as in a component.
func Count(topic string) uint32 {
	return uint32(len(Subscribers(topic, 1000)))
}

// Subscribers is as in a component.
func Subscribers(topic string, limit uint32) []Subscriber {
	var found []Subscriber
	for id, connection := range Memory.Connections {
		if connection.IsOpen && slices.Contains(connection.Topics, topic) && len(found) < int(limit) {
			found = append(found, Subscriber{id, connection.Attachment})
		}
	}
	return found
}

// Config is as in a component.
func Config(key string) (string, bool) {
	value, found := Memory.Settings[key]
	return value, found
}

// Log is as in a component.
func Log(_ uint8, _, message string) {
	Memory.Logged = append(Memory.Logged, message)
}

// OpenStore is as in a component.
func OpenStore(name string) (uint32, *StoreError) {
	if name != "default" {
		return 0, &StoreError{Code: NoSuchStore}
	}
	return 1, nil
}

// DropStore is as in a component.
func DropStore(uint32) {}

// GetValue is as in a component.
func GetValue(_ uint32, key string) ([]byte, bool, *StoreError) {
	value, found := Memory.Values[key]
	return slices.Clone(value), found, nil
}

// SetValue is as in a component.
func SetValue(_ uint32, key string, value []byte) *StoreError {
	Memory.Values[key] = slices.Clone(value)
	return nil
}

// DeleteValue is as in a component.
func DeleteValue(_ uint32, key string) *StoreError {
	delete(Memory.Values, key)
	return nil
}

// HasValue is as in a component.
func HasValue(_ uint32, key string) (bool, *StoreError) {
	_, found := Memory.Values[key]
	return found, nil
}

// ListKeys is as in a component, with one key a page.
func ListKeys(_ uint32, cursor *string) ([]string, *string, *StoreError) {
	var keys []string
	for key := range Memory.Values {
		if cursor == nil || key > *cursor {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) < 2 {
		return keys, nil, nil
	}
	return keys[:1], &keys[0], nil
}

// Increment is as in a component.
func Increment(_ uint32, key string, delta int64) (int64, *StoreError) {
	number, err := strconv.ParseInt(string(Memory.Values[key]), 10, 64)
	if err != nil && Memory.Values[key] != nil {
		return 0, &StoreError{Code: Failed, Text: "the value is no number"}
	}
	Memory.Values[key] = strconv.AppendInt(nil, number+delta, 10)
	return number + delta, nil
}

// NewSwap is as in a component.
func NewSwap(_ uint32, key string) (uint32, *StoreError) {
	Memory.swaps = append(Memory.swaps, key)
	return uint32(2 * len(Memory.swaps)), nil
}

// CurrentValue is as in a component.
func CurrentValue(swap uint32) ([]byte, bool, *StoreError) {
	return GetValue(1, Memory.swaps[swap/2-1])
}

// DropSwap is as in a component.
func DropSwap(uint32) {}

// Swap is as in a component. The first attempt of every update is overtaken, so that
// whoever updates has to try again.
func Swap(swap uint32, value []byte) (uint32, *StoreError) {
	if swap%2 == 0 {
		return swap + 1, nil
	}
	return 0, SetValue(1, Memory.swaps[swap/2-1], value)
}
