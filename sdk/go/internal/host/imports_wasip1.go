package host

import "unsafe"

// What the host offers, as the canonical ABI of the component model has it: a
// string or list is an address and a length, an option or variant begins with a
// number, and a result of several parts is written to a place.

//go:wasmimport holdfast:websocket/connections@0.1.0 send
func connectionsSend(id unsafe.Pointer, idLen uint32, kind uint32, data unsafe.Pointer, dataLen uint32, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/connections@0.1.0 close
func connectionsClose(id unsafe.Pointer, idLen uint32, code uint32, reason unsafe.Pointer, reasonLen uint32, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/connections@0.1.0 get
func connectionsGet(id unsafe.Pointer, idLen uint32, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/connections@0.1.0 set-attachment
func connectionsSetAttachment(id unsafe.Pointer, idLen uint32, data unsafe.Pointer, dataLen uint32, isSome uint32, expected uint64, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/topics@0.1.0 subscribe
func topicsSubscribe(id unsafe.Pointer, idLen uint32, topic unsafe.Pointer, topicLen uint32, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/topics@0.1.0 unsubscribe
func topicsUnsubscribe(id unsafe.Pointer, idLen uint32, topic unsafe.Pointer, topicLen uint32)

//go:wasmimport holdfast:websocket/topics@0.1.0 publish
func topicsPublish(topic unsafe.Pointer, topicLen uint32, kind uint32, data unsafe.Pointer, dataLen uint32, isSome uint32, except unsafe.Pointer, exceptLen uint32, result unsafe.Pointer)

//go:wasmimport holdfast:websocket/topics@0.1.0 count
func topicsCount(topic unsafe.Pointer, topicLen uint32) uint32

//go:wasmimport holdfast:websocket/topics@0.1.0 subscribers
func topicsSubscribers(topic unsafe.Pointer, topicLen uint32, limit uint32, result unsafe.Pointer)

//go:wasmimport wasi:config/store@0.2.0-rc.1 get
func configGet(key unsafe.Pointer, keyLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:logging/logging@0.1.0-draft log
func loggingLog(level uint32, context unsafe.Pointer, contextLen uint32, message unsafe.Pointer, messageLen uint32)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 open
func storeOpen(name unsafe.Pointer, nameLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [resource-drop]bucket
func bucketDrop(bucket uint32)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [method]bucket.get
func bucketGet(bucket uint32, key unsafe.Pointer, keyLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [method]bucket.set
func bucketSet(bucket uint32, key unsafe.Pointer, keyLen uint32, value unsafe.Pointer, valueLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [method]bucket.delete
func bucketDelete(bucket uint32, key unsafe.Pointer, keyLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [method]bucket.exists
func bucketExists(bucket uint32, key unsafe.Pointer, keyLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/store@0.2.0-draft2 [method]bucket.list-keys
func bucketListKeys(bucket uint32, isSome uint32, cursor unsafe.Pointer, cursorLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/atomics@0.2.0-draft2 increment
func atomicsIncrement(bucket uint32, key unsafe.Pointer, keyLen uint32, delta int64, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/atomics@0.2.0-draft2 [static]cas.new
func casNew(bucket uint32, key unsafe.Pointer, keyLen uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/atomics@0.2.0-draft2 [method]cas.current
func casCurrent(cas uint32, result unsafe.Pointer)

//go:wasmimport wasi:keyvalue/atomics@0.2.0-draft2 [resource-drop]cas
func casDrop(cas uint32)

//go:wasmimport wasi:keyvalue/atomics@0.2.0-draft2 swap
func atomicsSwap(cas uint32, value unsafe.Pointer, valueLen uint32, result unsafe.Pointer)
