// HTTP requests. Open the URL that `holdfast dev` prints, change a text below,
// and save.

#include <holdfast.h>

// The longest name, in bytes.
#define NAME_BYTES_MAX 100

// A text as HTML shows it: what others send is never markup.
static holdfast_bytes escaped(holdfast_bytes text) {
    holdfast_buffer html = {0};
    for (size_t index = 0; index < text.len; index++) {
        switch (text.data[index]) {
        case '&':
            holdfast_append_text(&html, "&amp;");
            break;
        case '<':
            holdfast_append_text(&html, "&lt;");
            break;
        default:
            holdfast_append(&html, holdfast_slice(&text.data[index], 1));
        }
    }
    return holdfast_buffer_bytes(&html);
}

static holdfast_error page(holdfast_response *response, holdfast_bytes name) {
    holdfast_bytes html = holdfast_format("<!doctype html>\n<meta charset=\"utf-8\">\n"
                                          "<title>{{name}}</title>\n<h1>Hello, %.*s!</h1>\n",
                                          HOLDFAST_ARG(escaped(name)));
    return holdfast_respond(response, 200, "text/html; charset=utf-8", html);
}

static holdfast_error refuse(holdfast_response *response, uint16_t status, const char *text) {
    return holdfast_respond(response, status, "text/plain; charset=utf-8", holdfast_text(text));
}

static holdfast_error handle(const holdfast_request *request, holdfast_response *response) {
    if (!holdfast_is(holdfast_path(request->path_with_query), "/")) {
        return refuse(response, 404, "There is nothing here.\n");
    }
    if (holdfast_is(request->method, "GET") || holdfast_is(request->method, "HEAD")) {
        return page(response, holdfast_text("world"));
    }
    if (holdfast_is(request->method, "POST")) {
        holdfast_bytes name;
        holdfast_result result = holdfast_read_all(request->body, NAME_BYTES_MAX, &name);
        return result.status == HOLDFAST_OK ? page(response, name) : holdfast_check(result);
    }
    return refuse(response, 405, "GET it, or POST a name\n");
}

HOLDFAST_HTTP(handle);
