// What a text message asks: the first word says what, the rest are arguments,
// each separated by one space. The answer goes to the same connection.

#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static holdfast_bytes word(holdfast_bytes *rest) {
    return holdfast_split(rest, ' ');
}

static holdfast_bytes or_none(bool found, holdfast_bytes value) {
    return found ? value : holdfast_text("none");
}

static holdfast_bytes joined(holdfast_list list) {
    holdfast_buffer buffer = {0};
    holdfast_sort(list);
    for (size_t index = 0; index < list.len; index++) {
        holdfast_append_text(&buffer, index == 0 ? "" : " ");
        holdfast_append(&buffer, list.items[index]);
    }
    return holdfast_buffer_bytes(&buffer);
}

static holdfast_bytes version(const char *name, holdfast_result result) {
    unsigned long long number = result.number;
    switch (result.status) {
    case HOLDFAST_OK:
        return holdfast_format("%s %llu", name, number);
    case HOLDFAST_CONFLICT:
        return holdfast_format("conflict %llu", number);
    case HOLDFAST_TOO_LARGE:
        return holdfast_format("too-large %llu", number);
    default:
        return holdfast_text("gone");
    }
}

// Commands for attachments and connections.
static bool connection_command(const holdfast_connection *own, holdfast_bytes name,
                               holdfast_bytes rest, holdfast_bytes *answer) {
    holdfast_state state;
    if (holdfast_is(name, "echo")) {
        *answer = rest;
    } else if (holdfast_is(name, "id")) {
        *answer = own->id;
    } else if (holdfast_is(name, "attachment")) {
        *answer = holdfast_format("%" PRIu64 " %.*s", own->attachment_version,
                                  HOLDFAST_ARG(own->attachment));
    } else if (holdfast_is(name, "remember")) {
        *answer = version("remembered", holdfast_attach_if(own->id, rest, own->attachment_version));
    } else if (holdfast_is(name, "stale")) {
        *answer = version("remembered", holdfast_attach_if(own->id, rest, 999));
    } else if (holdfast_is(name, "peer")) {
        bool found = holdfast_get_state(rest, &state);
        *answer = or_none(found, state.attachment);
    } else if (holdfast_is(name, "send")) {
        holdfast_bytes id = word(&rest);
        *answer = send_to(id, rest);
    } else if (holdfast_is(name, "large") || holdfast_is(name, "too-large")) {
        int64_t count = 0;
        if (!holdfast_number(rest, &count) || count < 0) {
            return false;
        }
        holdfast_result result =
            holdfast_send(own->id, holdfast_text_message(large(count)));
        if (result.status == HOLDFAST_TOO_LARGE) {
            *answer = version("", result);
        } else {
            *answer = holdfast_text(NULL);
        }
    } else {
        return false;
    }
    return true;
}

static holdfast_bytes close_self(const holdfast_connection *own, holdfast_bytes rest) {
    int64_t code = 0;
    holdfast_number(word(&rest), &code);
    switch (holdfast_close(own->id, (uint16_t)code, rest).status) {
    case HOLDFAST_OK:
        return holdfast_text(NULL);
    case HOLDFAST_INVALID_CODE:
        return holdfast_text("invalid-code");
    case HOLDFAST_REASON_TOO_LONG:
        return holdfast_text("reason-too-long");
    default:
        return holdfast_text("gone");
    }
}

static holdfast_bytes subscribe(const holdfast_connection *own, holdfast_bytes topic) {
    holdfast_result result = holdfast_subscribe(own->id, topic);
    unsigned long long number = result.number;
    switch (result.status) {
    case HOLDFAST_OK:
        return holdfast_text("subscribed");
    case HOLDFAST_TOO_MANY:
        return holdfast_format("too-many %llu", number);
    case HOLDFAST_INVALID_NAME:
        return holdfast_format("invalid-name %llu", number);
    default:
        return holdfast_text("gone");
    }
}

static holdfast_bytes subscribers(holdfast_bytes topic) {
    holdfast_subscriber_list list = holdfast_subscribers(topic, HOLDFAST_SUBSCRIBERS_MAX);
    holdfast_list ids = {holdfast_alloc(list.len * sizeof(holdfast_bytes)), list.len};
    for (size_t index = 0; index < list.len; index++) {
        ids.items[index] = list.items[index].connection;
    }
    return joined(ids);
}

static bool topic_command(const holdfast_connection *own, holdfast_bytes name, holdfast_bytes rest,
                          holdfast_bytes *answer) {
    if (holdfast_is(name, "subscribe")) {
        *answer = subscribe(own, rest);
    } else if (holdfast_is(name, "unsubscribe")) {
        holdfast_unsubscribe(own->id, rest);
        *answer = holdfast_text("unsubscribed");
    } else if (holdfast_is(name, "publish")) {
        holdfast_bytes topic = word(&rest);
        *answer = publish(topic, rest, NULL);
    } else if (holdfast_is(name, "others")) {
        holdfast_bytes topic = word(&rest);
        *answer = publish(topic, rest, &own->id);
    } else if (holdfast_is(name, "count")) {
        *answer = holdfast_format("%" PRIu32, holdfast_count(rest));
    } else if (holdfast_is(name, "subscribers")) {
        *answer = subscribers(rest);
    } else {
        return false;
    }
    return true;
}

// Commands for the store. An error is the handler's.
static bool store_command(holdfast_bytes name, holdfast_bytes rest, holdfast_bytes *answer,
                          holdfast_error *error) {
    static const char *const names[] = {"set", "get", "delete", "exists", "increment", "keys"};
    size_t which = 0;
    while (which < 6 && !holdfast_is(name, names[which])) {
        which++;
    }
    if (which == 6) {
        return false;
    }
    holdfast_store *store;
    holdfast_result result = holdfast_store_open("default", &store);
    bool found = false;
    int64_t number = 0;
    holdfast_bytes key = which == 5 ? rest : word(&rest);
    holdfast_bytes value = {0};
    holdfast_list keys = {0};
    if (result.status != HOLDFAST_OK) {
        *error = holdfast_check(result);
        return true;
    }
    switch (which) {
    case 0:
        result = holdfast_store_set(store, key, rest);
        *answer = holdfast_text("done");
        break;
    case 1:
        result = holdfast_store_get(store, key, &found, &value);
        *answer = or_none(found, value);
        break;
    case 2:
        result = holdfast_store_delete(store, key);
        *answer = holdfast_text("done");
        break;
    case 3:
        result = holdfast_store_exists(store, key, &found);
        *answer = holdfast_text(found ? "true" : "false");
        break;
    case 4:
        holdfast_number(rest, &number);
        result = holdfast_store_increment(store, key, number, &number);
        *answer = holdfast_format("%" PRId64, number);
        break;
    default:
        result = holdfast_store_keys(store, &keys);
        *answer = joined(keys);
    }
    *error = holdfast_check(result);
    return true;
}

static holdfast_bytes log_line(holdfast_bytes rest) {
    static const char *const names[] = {"trace", "debug", "info", "warn", "error", "critical"};
    holdfast_bytes name = word(&rest);
    for (int level = 0; level < 6; level++) {
        if (holdfast_is(name, names[level])) {
            holdfast_log((holdfast_level)level, "%.*s", HOLDFAST_ARG(rest));
            return holdfast_text("logged");
        }
    }
    return holdfast_text("no such level");
}

static holdfast_bytes random_hex(void) {
    unsigned char bytes[16];
    holdfast_buffer hex = {0};
    if (getentropy(bytes, sizeof bytes) != 0) {
        holdfast_panic("no random bytes");
    }
    for (size_t index = 0; index < sizeof bytes; index++) {
        holdfast_append_format(&hex, "%02x", bytes[index]);
    }
    return holdfast_buffer_bytes(&hex);
}

static bool other_command(holdfast_bytes name, holdfast_bytes rest, holdfast_bytes *answer,
                          holdfast_error *error) {
    holdfast_bytes value;
    int64_t ms = 0;
    if (holdfast_is(name, "config")) {
        bool found = holdfast_config(holdfast_string(rest), &value);
        *answer = or_none(found, value);
    } else if (holdfast_is(name, "log")) {
        *answer = log_line(rest);
    } else if (holdfast_is(name, "print")) {
        printf("%.*s\n", HOLDFAST_ARG(rest));
        fflush(stdout);
        *answer = holdfast_text("printed");
    } else if (holdfast_is(name, "time")) {
        *answer = holdfast_format("%" PRIu64, holdfast_now_ms());
    } else if (holdfast_is(name, "random")) {
        *answer = random_hex();
    } else if (holdfast_is(name, "sleep") && holdfast_number(rest, &ms)) {
        holdfast_sleep_ms((uint64_t)ms);
        *answer = holdfast_text("slept");
    } else if (holdfast_is(name, "fail")) {
        *error = holdfast_string(rest);
    } else if (holdfast_is(name, "trap")) {
        trap();
    } else if (holdfast_is(name, "fetch")) {
        *answer = fetch(rest);
    } else {
        return false;
    }
    return true;
}

holdfast_error command(const holdfast_connection *own, holdfast_bytes text) {
    holdfast_bytes rest = text;
    holdfast_bytes name = word(&rest);
    holdfast_bytes answer = {0};
    holdfast_error error = NULL;
    bool silent = holdfast_is(name, "large") || holdfast_is(name, "too-large");
    if (holdfast_is(name, "close")) {
        silent = true;
        answer = close_self(own, rest);
    } else if (!connection_command(own, name, rest, &answer) &&
               !topic_command(own, name, rest, &answer) &&
               !store_command(name, rest, &answer, &error) &&
               !other_command(name, rest, &answer, &error)) {
        return holdfast_fail("no such command: %.*s", HOLDFAST_ARG(name));
    }
    if (error != NULL || (silent && answer.len == 0)) {
        return error;
    }
    return holdfast_check(holdfast_send(own->id, holdfast_text_message(answer)));
}
