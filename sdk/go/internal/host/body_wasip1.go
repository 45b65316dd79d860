package host

import (
	"errors"
	"io"
)

// At most this is read at once.
const readBytes = 64 << 10

// ErrBroken says that a body did not come or go to its end.
var ErrBroken = errors.New("the body was broken off")

// Body is a body that comes in.
type Body struct {
	body, stream uint32
	isOpen       bool
	end          error
}

func newBody(handle uint32) *Body {
	body := &Body{body: handle, isOpen: true}
	incomingBodyStream(handle, result())
	if isError() {
		body.end = io.EOF
		body.isOpen = false
		return body
	}
	body.stream = u32At(result(), 4)
	return body
}

// Read waits for at least one byte.
func (b *Body) Read(into []byte) (int, error) {
	for b.end == nil && len(into) > 0 {
		inputStreamRead(b.stream, uint64(min(len(into), readBytes)), result())
		if isError() {
			b.end = streamEnd(4)
			break
		}
		count := copy(into, bytesAt(result(), 4))
		release()
		if count > 0 {
			return count, nil
		}
	}
	return 0, b.end
}

// streamEnd reads a stream's error: closed is an ordinary end.
func streamEnd(offset uintptr) error {
	if byteAt(result(), offset) == 1 {
		return io.EOF
	}
	ioErrorDrop(u32At(result(), offset+4))
	return ErrBroken
}

// Close gives the body back. Doing so twice is no error.
func (b *Body) Close() error {
	if b.isOpen {
		inputStreamDrop(b.stream)
	}
	if b.body != 0 {
		incomingBodyDrop(b.body)
	}
	b.body, b.isOpen = 0, false
	if b.end == nil {
		b.end = errors.New("the body is closed")
	}
	return nil
}

// Outgoing is a body that goes out.
type Outgoing struct{ body, stream uint32 }

func newOutgoing(body uint32) *Outgoing {
	outgoingBodyWrite(body, result())
	return &Outgoing{body, u32At(result(), 4)}
}

// Write waits until the peer has taken enough.
func (o *Outgoing) Write(bytes []byte) (int, error) {
	written := 0
	for written < len(bytes) {
		outputStreamCheck(o.stream, result())
		if isError() {
			return written, o.broken(8)
		}
		room := u64At(result(), 8)
		if room == 0 {
			pollable := outputStreamSubscribe(o.stream)
			pollableBlock(pollable)
			pollableDrop(pollable)
			continue
		}
		part := bytes[written:][:min(room, uint64(len(bytes)-written))]
		data, length := list(part)
		outputStreamWrite(o.stream, data, length, result())
		if isError() {
			return written, o.broken(4)
		}
		written += len(part)
	}
	return written, nil
}

// Flush sends what was written.
func (o *Outgoing) Flush() error {
	outputStreamFlush(o.stream, result())
	if isError() {
		return o.broken(4)
	}
	return nil
}

func (o *Outgoing) broken(offset uintptr) error {
	_ = streamEnd(offset)
	return ErrBroken
}

// Finish ends the body.
func (o *Outgoing) Finish() error {
	outputStreamDrop(o.stream)
	outgoingBodyFinish(o.body, 0, 0, result())
	if isError() {
		release()
		return ErrBroken
	}
	return nil
}

// Abandon ends it before its time: the peer sees that it was broken off.
func (o *Outgoing) Abandon() {
	outputStreamDrop(o.stream)
	outgoingBodyDrop(o.body)
}
