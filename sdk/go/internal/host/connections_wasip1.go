package host

import "unsafe"

func kind(binary bool) uint32 {
	if binary {
		return 1
	}
	return 0
}

// codes are those of a variant, in its order.
func coded(codes []Code, tag uint8) Code {
	return codes[tag]
}

var (
	sendCodes       = []Code{Gone, Full, TooLarge}
	closeCodes      = []Code{Gone, InvalidCode, ReasonTooLong}
	attachmentCodes = []Code{Gone, Conflict, TooLarge}
	subscribeCodes  = []Code{Gone, TooMany, InvalidName}
)

// Send queues a message; the number is that of bytes now waiting, or a limit.
func Send(id string, binary bool, data []byte) (uint64, Code) {
	idData, idLen := text(id)
	payload, payloadLen := list(data)
	connectionsSend(idData, idLen, kind(binary), payload, payloadLen, result())
	if byteAt(result(), 0) == 0 {
		return u64At(result(), 8), OK
	}
	return u64At(result(), 16), coded(sendCodes, byteAt(result(), 8))
}

// Close closes a connection.
func Close(id string, code uint16, reason string) Code {
	idData, idLen := text(id)
	reasonData, reasonLen := text(reason)
	connectionsClose(idData, idLen, uint32(code), reasonData, reasonLen, result())
	if byteAt(result(), 0) == 0 {
		return OK
	}
	return coded(closeCodes, byteAt(result(), 1))
}

// Get reads the state of a connection.
func Get(id string) (State, bool) {
	idData, idLen := text(id)
	connectionsGet(idData, idLen, result())
	if byteAt(result(), 0) == 0 {
		return State{}, false
	}
	state := State{
		Attachment:    bytesAt(result(), 8),
		Version:       u64At(result(), 16),
		BufferedBytes: u64At(result(), 24),
	}
	release()
	return state, true
}

// SetAttachment replaces an attachment; the number is the new version, the one it
// is at, or a limit.
func SetAttachment(id string, data []byte, expected *uint64) (uint64, Code) {
	idData, idLen := text(id)
	payload, payloadLen := list(data)
	var isSome uint32
	var version uint64
	if expected != nil {
		isSome, version = 1, *expected
	}
	connectionsSetAttachment(idData, idLen, payload, payloadLen, isSome, version, result())
	if byteAt(result(), 0) == 0 {
		return u64At(result(), 8), OK
	}
	return u64At(result(), 16), coded(attachmentCodes, byteAt(result(), 8))
}

// Subscribe subscribes a connection; the number is a limit.
func Subscribe(id, topic string) (uint32, Code) {
	idData, idLen := text(id)
	topicData, topicLen := text(topic)
	topicsSubscribe(idData, idLen, topicData, topicLen, result())
	if byteAt(result(), 0) == 0 {
		return 0, OK
	}
	return u32At(result(), 8), coded(subscribeCodes, byteAt(result(), 4))
}

// Unsubscribe ends a subscription.
func Unsubscribe(id, topic string) {
	idData, idLen := text(id)
	topicData, topicLen := text(topic)
	topicsUnsubscribe(idData, idLen, topicData, topicLen)
}

// Publish queues a message for every subscriber but one, if except is not nil. If
// limit is not 0, the message was larger.
func Publish(topic string, binary bool, data []byte, except *string) (queued, full uint32, limit uint64) {
	topicData, topicLen := text(topic)
	payload, payloadLen := list(data)
	var isSome, exceptLen uint32
	var exceptData unsafe.Pointer
	if except != nil {
		isSome = 1
		exceptData, exceptLen = text(*except)
	}
	topicsPublish(topicData, topicLen, kind(binary), payload, payloadLen, isSome, exceptData, exceptLen, result())
	if byteAt(result(), 0) == 0 {
		return u32At(result(), 8), u32At(result(), 12), 0
	}
	return 0, 0, u64At(result(), 16)
}

// Count says how many connections are subscribed.
func Count(topic string) uint32 {
	return topicsCount(text(topic))
}

// Subscribers lists subscribers.
func Subscribers(topic string, limit uint32) []Subscriber {
	topicData, topicLen := text(topic)
	topicsSubscribers(topicData, topicLen, limit, result())
	count := u32At(result(), 4)
	base := at(u32At(result(), 0))
	subscribers := make([]Subscriber, count)
	for index := range subscribers {
		item := unsafe.Add(base, index*16)
		subscribers[index] = Subscriber{stringAt(item, 0), bytesAt(item, 8)}
	}
	release()
	return subscribers
}

// Config reads a setting.
func Config(key string) (string, bool) {
	keyData, keyLen := text(key)
	configGet(keyData, keyLen, result())
	if byteAt(result(), 0) != 0 || byteAt(result(), 4) == 0 {
		release()
		return "", false
	}
	value := stringAt(result(), 8)
	release()
	return value, true
}

// Log writes a line; the levels are those of wasi:logging.
func Log(level uint8, context, message string) {
	contextData, contextLen := text(context)
	messageData, messageLen := text(message)
	loggingLog(uint32(level), contextData, contextLen, messageData, messageLen)
}
