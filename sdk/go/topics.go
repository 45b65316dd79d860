package holdfast

import "github.com/holdfast-host/holdfast/sdk/go/internal/host"

// SubscribersMax is the most that Subscribers returns.
const SubscribersMax = 1000

// Delivery says what became of a published message.
type Delivery struct {
	// Queued is the number of connections in whose queue it is now.
	Queued uint32
	// Full is that of connections whose queue was full, under the policy to wait.
	Full uint32
}

// Publish queues a message for every subscriber of a topic. The error is
// *TooLargeError. Messages published by one handler arrive in order.
func Publish(topic string, message Message) (Delivery, error) {
	return publish(topic, message, nil)
}

// PublishExcept does so for every subscriber but one connection.
func PublishExcept(topic string, message Message, except string) (Delivery, error) {
	return publish(topic, message, &except)
}

func publish(topic string, message Message, except *string) (Delivery, error) {
	queued, full, limit := host.Publish(topic, message.Binary, message.Data, except)
	if limit != 0 {
		return Delivery{}, &TooLargeError{limit}
	}
	return Delivery{queued, full}, nil
}

// Subscribe subscribes a connection. Doing so twice is no error. Errors are
// ErrGone, *TooManyTopicsError and *InvalidTopicError.
func Subscribe(connection, topic string) error {
	number, code := host.Subscribe(connection, topic)
	return failure(code, uint64(number))
}

// Unsubscribe ends a subscription. Ending one that is not there is no error.
func Unsubscribe(connection, topic string) {
	host.Unsubscribe(connection, topic)
}

// Count says how many connections are subscribed.
func Count(topic string) uint32 {
	return host.Count(topic)
}

// Subscriber is a connection that is subscribed to a topic.
type Subscriber struct {
	Connection string
	Attachment []byte
}

// Subscribers lists the subscribers and their attachments, at most limit of them
// and at most SubscribersMax, in no particular order.
func Subscribers(topic string, limit uint32) []Subscriber {
	found := host.Subscribers(topic, limit)
	subscribers := make([]Subscriber, len(found))
	for index, subscriber := range found {
		subscribers[index] = Subscriber(subscriber)
	}
	return subscribers
}
