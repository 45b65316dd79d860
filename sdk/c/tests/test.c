// The tests of the SDK: `make -C sdk/c test`.

#include <holdfast_fake.h>
#include <stdlib.h>
#include <string.h>

#include "../generated/attachments.h"

static bool say(const char *connection, const char *text) {
    return fake_receive(connection, holdfast_say(text));
}

static void texts(void) {
    int64_t number = 0;
    holdfast_bytes rest = holdfast_text("one two  three");
    CHECK(holdfast_is(holdfast_split(&rest, ' '), "one"));
    CHECK(holdfast_is(rest, "two  three"));
    CHECK(holdfast_is(holdfast_trim(holdfast_text(" \t a b\r\n")), "a b"));
    CHECK(holdfast_trim(holdfast_text("  ")).len == 0);
    CHECK(holdfast_number(holdfast_text("-9223372036854775808"), &number) && number == INT64_MIN);
    CHECK(holdfast_number(holdfast_text("9223372036854775807"), &number) && number == INT64_MAX);
    for (const char *const *bad = (const char *const[]){"", "-", "1x", "9223372036854775808", NULL};
         *bad != NULL; bad++) {
        CHECK(!holdfast_number(holdfast_text(*bad), &number));
    }
    size_t characters = 0;
    CHECK(holdfast_utf8(holdfast_text("aä€😀"), &characters) && characters == 4);
    for (const char *const *bad =
             (const char *const[]){"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", NULL};
         *bad != NULL; bad++) {
        CHECK(!holdfast_utf8(holdfast_text(*bad), NULL));
    }
    rest = holdfast_text("😀");
    CHECK(holdfast_character(&rest) == 0x1F600 && rest.len == 0);
    CHECK(holdfast_is(holdfast_percent_decode(holdfast_text("a%20b%zz%4")), "a b%zz%4"));
}

static void json(void) {
    const holdfast_json *value = holdfast_json_read(
        holdfast_text(" {\"a\":[1,-2.5e1,true,null],\"b\":\"\\u00e4\\ud83d\\ude00\\n\",\"b2\":{}} "));
    holdfast_bytes string;
    CHECK(value != NULL);
    CHECK(holdfast_json_string(value, "b", &string) && holdfast_is(string, "ä😀\n"));
    CHECK(holdfast_json_member(value, "a")->first->next->number == -25);
    CHECK(!holdfast_json_string(value, "a", &string));
    for (const char *const *bad = (const char *const[]){
             "", "{", "[1,]", "{\"a\"}", "01", "1.", "\"\\x\"", "\"\n\"", "\"\\ud800\"", "tru", "1 2", NULL};
         *bad != NULL; bad++) {
        CHECK_TEXT(holdfast_json_read(holdfast_text(*bad)) == NULL ? "" : *bad, "");
    }
    holdfast_buffer deep = {0};
    for (int depth = 0; depth < 100; depth++) {
        holdfast_append_text(&deep, "[");
    }
    CHECK(holdfast_json_read(holdfast_buffer_bytes(&deep)) == NULL);
    holdfast_buffer buffer = {0};
    holdfast_writer writer = {.buffer = &buffer};
    holdfast_json_begin_object(&writer, NULL);
    holdfast_json_write_string(&writer, "a", holdfast_text("\"\\\n\x01ä"));
    holdfast_json_begin_array(&writer, "b");
    holdfast_json_write_number(&writer, NULL, -1);
    holdfast_json_write_bool(&writer, NULL, true);
    holdfast_json_write_null(&writer, NULL);
    holdfast_json_end_array(&writer);
    holdfast_json_end_object(&writer);
    CHECK_TEXT(holdfast_string(holdfast_buffer_bytes(&buffer)),
               "{\"a\":\"\\\"\\\\\\n\\u0001ä\",\"b\":[-1,true,null]}");
}

static void websockets(void) {
    CHECK(fake_connect("/refuse", NULL) == NULL);
    CHECK_TEXT(fake_refusal(), "403 no");
    CHECK(fake_connect("/fail", NULL) == NULL);
    CHECK_TEXT(fake_refusal(), "500 ");
    const char *ada = fake_connect("/ada", "v1,v2");
    const char *bea = fake_connect("/bea", NULL);
    CHECK_TEXT(fake_next(ada), "open");
    CHECK_TEXT(fake_next(bea), "open");
    CHECK_TEXT(fake_attachment(ada), "/ada");
    CHECK(say(ada, "hello"));
    CHECK_TEXT(fake_next(ada), "hello");
    CHECK_TEXT(fake_logged(), "hello");
    CHECK(fake_receive(ada, holdfast_binary_message(holdfast_slice("\0\1", 2))));
    CHECK(memcmp(fake_next(ada), "\0\1", 2) == 0);
    CHECK(say(ada, "others hi"));
    CHECK_TEXT(fake_next(bea), "hi");
    CHECK(fake_next(ada) == NULL);
    CHECK(!say(ada, "fail so"));
    CHECK_TEXT(fake_error(), "so");
    CHECK(!say(ada, "stale x"));
    CHECK_TEXT(fake_error(), "the attachment has changed, to version 0");
    CHECK(fake_disconnect(ada, 1000, "bye"));
    CHECK_TEXT(fake_next(bea), "/ada client 1000 bye");
    CHECK(say(bea, "close done"));
    CHECK_TEXT(fake_closed(bea), "4000 done");
    CHECK(!say(bea, "hello"));
    CHECK_TEXT(fake_error(), "the connection is gone");
}

static void stores(void) {
    const char *ada = fake_connect("/ada", NULL);
    fake_next(ada);
    CHECK(say(ada, "append a") && say(ada, "append b"));
    CHECK_TEXT(fake_value("key"), "ab");
    fake_set_value("other", "x");
    CHECK(say(ada, "keys"));
    CHECK_TEXT(fake_next(ada), "key");
    CHECK_TEXT(fake_next(ada), "other");
}

static void http(void) {
    fake_response response = fake_request("POST", "/?a=1&name=Ada+L.", "a long body");
    CHECK(response.status == 200);
    CHECK_TEXT(response.body, "POST Ada L. a long body");
    CHECK_TEXT(response.headers, "content-type: text/plain\ncontent-length: 23\n");
    response = fake_request("BREW", "/", "");
    CHECK_TEXT(response.body, "BREW nobody ");
    CHECK(fake_request("POST", "/", "more than twenty bytes").status == 413);
    CHECK(fake_request("GET", "/fail", NULL).status == 500);
    CHECK_TEXT(fake_error(), "told to fail");
    CHECK(fake_request("GET", "/bad-header", NULL).status == 500);
    response = fake_request("GET", "/long", NULL);
    CHECK(response.body_len == 50000);
    CHECK(strcmp(response.body + 49990, "000004999\n") == 0);
    CHECK(fake_request("GET", "/fetch", NULL).status == 500);
    CHECK(strstr(fake_error(), "example.org") != NULL);
    fake_answer(202, "from elsewhere");
    response = fake_request("GET", "/fetch", NULL);
    CHECK(response.status == 202);
    CHECK_TEXT(response.body, "from elsewhere");
}

static void attachments(void) {
    attachments_string_t from = {(uint8_t *)"", 0};
    attachments_list_u8_t attachment = {(uint8_t *)"ab", 2};
    attachments_list_u8_t migrated;
    attachments_string_t err;
    CHECK(exports_holdfast_websocket_attachments_migrate(&from, &attachment, &migrated, &err));
    CHECK(migrated.len == 4 && memcmp(migrated.ptr, "abab", 4) == 0);
    free(migrated.ptr);
    from = (attachments_string_t){(uint8_t *)"v2", 2};
    CHECK(!exports_holdfast_websocket_attachments_migrate(&from, &attachment, &migrated, &err));
    free(err.ptr);
}

int main(void) {
    void (*const tests[])(void) = {texts, json, websockets, stores, http, attachments};
    for (size_t index = 0; index < sizeof tests / sizeof *tests; index++) {
        fake_reset();
        tests[index]();
    }
    fake_reset();
}
