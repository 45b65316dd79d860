// What is asked for in both ways.

#include "commands.h"

#include <string.h>

// The most that is read of another server's answer.
#define ANSWER_BYTES_MAX (1 << 20)

holdfast_bytes large(int64_t count) {
    char *data = holdfast_alloc((size_t)count);
    memset(data, 'x', (size_t)count);
    return holdfast_slice(data, (size_t)count);
}

holdfast_bytes fetch(holdfast_bytes url) {
    holdfast_fetched response;
    holdfast_error error =
        holdfast_check(holdfast_fetch(&(holdfast_outgoing){.url = url}, &response));
    holdfast_bytes body = {0};
    if (error == NULL) {
        error = holdfast_check(holdfast_read_all(response.body, ANSWER_BYTES_MAX, &body));
    }
    if (error != NULL) {
        return holdfast_format("error: %s", error);
    }
    return holdfast_format("%u %.*s", response.status, HOLDFAST_ARG(body));
}

holdfast_bytes publish(holdfast_bytes topic, holdfast_bytes text, const holdfast_bytes *except) {
    holdfast_message message = holdfast_text_message(text);
    holdfast_delivery delivery = {0};
    holdfast_result result = except == NULL
                                 ? holdfast_publish(topic, message, &delivery)
                                 : holdfast_publish_except(topic, message, *except, &delivery);
    if (result.status == HOLDFAST_TOO_LARGE) {
        return holdfast_format("too-large %llu", (unsigned long long)result.number);
    }
    return holdfast_format("queued %u full %u", delivery.queued, delivery.full);
}

holdfast_bytes send_to(holdfast_bytes connection, holdfast_bytes text) {
    holdfast_result result = holdfast_send(connection, holdfast_text_message(text));
    switch (result.status) {
    case HOLDFAST_OK:
        return holdfast_text("queued");
    case HOLDFAST_GONE:
        return holdfast_text("gone");
    default:
        return holdfast_text(holdfast_check(result));
    }
}

void trap(void) {
    holdfast_panic("told to trap");
}
