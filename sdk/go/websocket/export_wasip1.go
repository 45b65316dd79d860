package websocket

import "github.com/holdfast-host/holdfast/sdk/go/internal/host"

// What the host calls. The functions are here, and not where the rest is, so that
// a component has these exports only if it imports this package.

//go:wasmexport holdfast:websocket/websocket-handler-sync@0.1.0#accept
func exportAccept(id, idLen, scheme, schemeLen, authority, authorityLen, path, pathLen, fields, fieldsLen, subprotocols, subprotocolsLen, remote, remoteLen uint32) uint32 {
	handshake := host.LiftHandshake(id, idLen, scheme, schemeLen, authority, authorityLen, path, pathLen, fields, fieldsLen, subprotocols, subprotocolsLen, remote, remoteLen)
	return host.LowerAcceptance(accept(handshake))
}

//go:wasmexport holdfast:websocket/websocket-handler-sync@0.1.0#open
func exportOpen(id, idLen, attachment, attachmentLen uint32, version, buffered int64) uint32 {
	return host.LowerError(open(host.LiftConnection(id, idLen, attachment, attachmentLen, version, buffered)))
}

//go:wasmexport holdfast:websocket/websocket-handler-sync@0.1.0#receive
func exportReceive(id, idLen, attachment, attachmentLen uint32, version, buffered int64, kind, data, dataLen uint32) uint32 {
	payload := host.LiftBytes(data, dataLen)
	connection := host.LiftConnection(id, idLen, attachment, attachmentLen, version, buffered)
	return host.LowerError(receive(connection, kind == 1, payload))
}

//go:wasmexport holdfast:websocket/websocket-handler-sync@0.1.0#close
func exportClose(id, idLen, attachment, attachmentLen uint32, version, buffered int64, cause, code, reason, reasonLen uint32) uint32 {
	text := host.LiftString(reason, reasonLen)
	connection := host.LiftConnection(id, idLen, attachment, attachmentLen, version, buffered)
	return host.LowerError(closed(connection, uint8(cause), uint16(code), text))
}
