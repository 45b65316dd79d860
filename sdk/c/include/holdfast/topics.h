// Topics: named groups of connections within the tenant. The host does the
// fan-out without waking a guest. A topic exists while it has a subscriber.

#ifndef HOLDFAST_TOPICS_H
#define HOLDFAST_TOPICS_H

#include "websocket.h"

#ifdef __cplusplus
extern "C" {
#endif

// The most subscribers that holdfast_subscribers returns.
#define HOLDFAST_SUBSCRIBERS_MAX 1000

// Subscribes a connection. Doing so twice is no error. GONE, TOO_MANY,
// INVALID_NAME.
holdfast_result holdfast_subscribe(holdfast_bytes connection, holdfast_bytes topic);

// Ends a subscription. Ending one that is not there is no error.
void holdfast_unsubscribe(holdfast_bytes connection, holdfast_bytes topic);

// What became of a published message: connections in whose queue it is now, and
// connections whose queue was full, under the policy to wait.
typedef struct holdfast_delivery {
    uint32_t queued;
    uint32_t full;
} holdfast_delivery;

// Queues a message for every subscriber. `delivery` may be NULL. Messages
// published by one handler arrive in order. TOO_LARGE.
holdfast_result holdfast_publish(holdfast_bytes topic, holdfast_message message,
                                 holdfast_delivery *delivery);

// The same for every subscriber but one connection.
holdfast_result holdfast_publish_except(holdfast_bytes topic, holdfast_message message,
                                        holdfast_bytes except, holdfast_delivery *delivery);

// How many connections are subscribed.
uint32_t holdfast_count(holdfast_bytes topic);

typedef struct holdfast_subscriber {
    holdfast_bytes connection;
    holdfast_bytes attachment;
} holdfast_subscriber;

typedef struct holdfast_subscriber_list {
    const holdfast_subscriber *items;
    size_t len;
} holdfast_subscriber_list;

// The subscribers and their attachments, at most `limit` of them and at most
// HOLDFAST_SUBSCRIBERS_MAX, in no particular order.
holdfast_subscriber_list holdfast_subscribers(holdfast_bytes topic, uint32_t limit);

#ifdef __cplusplus
}
#endif

#endif
