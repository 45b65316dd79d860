package host

import "unsafe"

// Arguments and results of what the host calls.

// The result of an export, which stays until the next event.
var answer [8]uint64

// LiftString takes a string which the host has written.
func LiftString(address, length uint32) string {
	return stringOf(address, length)
}

// LiftBytes takes bytes which the host has written.
func LiftBytes(address, length uint32) []byte {
	return bytesOf(address, length)
}

// LiftConnection takes a connection, the last of an event's arguments.
func LiftConnection(id, idLen, attachment, attachmentLen uint32, version, buffered int64) Connection {
	connection := Connection{
		ID:            stringOf(id, idLen),
		Attachment:    bytesOf(attachment, attachmentLen),
		Version:       uint64(version),
		BufferedBytes: uint64(buffered),
	}
	Begin()
	return connection
}

// Begin begins an event: its arguments have been taken.
func Begin() {
	release()
	clear(kept)
	kept = kept[:0]
}

// LiftHandshake takes the arguments of accept.
func LiftHandshake(id, idLen, scheme, schemeLen, authority, authorityLen, path, pathLen, fields, fieldsLen, subprotocols, subprotocolsLen, remote, remoteLen uint32) Handshake {
	handshake := Handshake{
		ID:            stringOf(id, idLen),
		Scheme:        stringOf(scheme, schemeLen),
		Authority:     stringOf(authority, authorityLen),
		PathWithQuery: stringOf(path, pathLen),
		Fields:        liftFields(fields, fieldsLen),
		RemoteAddress: stringOf(remote, remoteLen),
	}
	for index := range subprotocolsLen {
		handshake.Subprotocols = append(handshake.Subprotocols, stringAt(at(subprotocols+index*8), 0))
	}
	Begin()
	return handshake
}

func liftFields(address, count uint32) []Field {
	fields := make([]Field, count)
	for index := range fields {
		item := at(address + uint32(index)*16)
		fields[index] = Field{stringAt(item, 0), bytesAt(item, 8)}
	}
	return fields
}

// LowerError writes a handler's error, or that there is none.
func LowerError(text string) uint32 {
	base := unsafe.Pointer(&answer[0])
	*(*uint64)(base) = 0
	if text != "" {
		*(*uint8)(base) = 1
		*(*uint32)(unsafe.Add(base, 4)) = 0
		putString(base, 8, text)
	}
	return uint32(uintptr(base))
}

// LowerAcceptance writes the answer to a handshake.
func LowerAcceptance(acceptance Acceptance) uint32 {
	clear(answer[:])
	base := unsafe.Pointer(&answer[0])
	if acceptance.Status != 0 {
		*(*uint8)(base) = 1
		*(*uint16)(unsafe.Add(base, 4)) = acceptance.Status
		putFields(base, 8, acceptance.Fields)
		putBytes(base, 16, acceptance.Body)
		return uint32(uintptr(base))
	}
	if acceptance.HasSubprotocol {
		*(*uint8)(unsafe.Add(base, 4)) = 1
		putString(base, 8, acceptance.Subprotocol)
	}
	putFields(base, 16, acceptance.Fields)
	putBytes(base, 24, acceptance.Attachment)
	topics := make([]uint32, 2*len(acceptance.Topics)+1)
	for index, topic := range acceptance.Topics {
		putString(unsafe.Pointer(&topics[2*index]), 0, topic)
	}
	putWords(base, 32, topics, len(acceptance.Topics))
	return uint32(uintptr(base))
}

// putString writes where a string is, and keeps it.
func putString(base unsafe.Pointer, offset uintptr, s string) {
	data, length := text(s)
	kept = append(kept, s)
	*(*uint32)(unsafe.Add(base, offset)) = uint32(uintptr(data))
	*(*uint32)(unsafe.Add(base, offset+4)) = length
}

func putBytes(base unsafe.Pointer, offset uintptr, b []byte) {
	data, length := list(b)
	kept = append(kept, b)
	*(*uint32)(unsafe.Add(base, offset)) = uint32(uintptr(data))
	*(*uint32)(unsafe.Add(base, offset+4)) = length
}

func putWords(base unsafe.Pointer, offset uintptr, words []uint32, count int) {
	kept = append(kept, words)
	*(*uint32)(unsafe.Add(base, offset)) = uint32(uintptr(unsafe.Pointer(&words[0])))
	*(*uint32)(unsafe.Add(base, offset+4)) = uint32(count)
}

func putFields(base unsafe.Pointer, offset uintptr, fields []Field) {
	words := make([]uint32, 4*len(fields)+1)
	for index, field := range fields {
		item := unsafe.Pointer(&words[4*index])
		putString(item, 0, field.Name)
		putBytes(item, 8, field.Value)
	}
	putWords(base, offset, words, len(fields))
}

// LowerString writes a text.
func LowerString(text string) uint32 {
	base := unsafe.Pointer(&answer[0])
	putString(base, 0, text)
	return uint32(uintptr(base))
}

// LowerMigrated writes an attachment, or, if there is one, an error.
func LowerMigrated(attachment []byte, failure string) uint32 {
	base := unsafe.Pointer(&answer[0])
	*(*uint32)(base) = 0
	if failure != "" {
		*(*uint8)(base) = 1
		putString(base, 4, failure)
	} else {
		putBytes(base, 4, attachment)
	}
	return uint32(uintptr(base))
}
