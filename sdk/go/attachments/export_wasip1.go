package attachments

import "github.com/holdfast-host/holdfast/sdk/go/internal/host"

//go:wasmexport holdfast:websocket/attachments@0.1.0#format
func exportFormat() uint32 {
	host.Begin()
	return host.LowerString(format)
}

//go:wasmexport holdfast:websocket/attachments@0.1.0#migrate
func exportMigrate(from, fromLen, attachment, attachmentLen uint32) uint32 {
	name, bytes := host.LiftString(from, fromLen), host.LiftBytes(attachment, attachmentLen)
	host.Begin()
	return host.LowerMigrated(migrated(name, bytes))
}
