// Results of calls to the host, and errors of handlers.

#include "internal.h"

holdfast_result holdfast_ok(uint64_t number) {
    return (holdfast_result){.status = HOLDFAST_OK, .number = number};
}

holdfast_result holdfast_problem(holdfast_status status, uint64_t number) {
    return (holdfast_result){.status = status, .number = number};
}

holdfast_result holdfast_failed(holdfast_bytes text) {
    return (holdfast_result){.status = HOLDFAST_FAILED, .text = text};
}

holdfast_error holdfast_check(holdfast_result result) {
    unsigned long long number = result.number;
    switch (result.status) {
    case HOLDFAST_OK:
        return NULL;
    case HOLDFAST_GONE:
        return "the connection is gone";
    case HOLDFAST_FULL:
        return holdfast_fail("its queue is full, with %llu bytes", number);
    case HOLDFAST_TOO_LARGE:
        return holdfast_fail("it is over %llu bytes", number);
    case HOLDFAST_INVALID_CODE:
        return "an endpoint may not send this close code";
    case HOLDFAST_REASON_TOO_LONG:
        return "the reason for closing is over 123 bytes";
    case HOLDFAST_CONFLICT:
        return holdfast_fail("the attachment has changed, to version %llu", number);
    case HOLDFAST_TOO_MANY:
        return holdfast_fail("it has %llu topics already", number);
    case HOLDFAST_INVALID_NAME:
        return holdfast_fail("a topic's name has 1 to %llu bytes", number);
    case HOLDFAST_NO_SUCH_STORE:
        return "there is no such key-value store";
    case HOLDFAST_DENIED:
        return result.text.len == 0 ? "it is not granted"
                                    : holdfast_fail("it is not allowed: %.*s", HOLDFAST_ARG(result.text));
    case HOLDFAST_CONTENDED:
        return "overtaken by other changes";
    case HOLDFAST_FAILED:
        break;
    }
    return holdfast_fail("it failed: %.*s", HOLDFAST_ARG(result.text));
}
