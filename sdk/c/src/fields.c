// Header fields, and what is in a path.

#include "wire.h"

holdfast_headers holdfast_from_fields(wasi_http_types_own_fields_t fields) {
    wasi_http_types_list_tuple2_field_key_field_value_t entries;
    HOST(wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(fields), &entries));
    wasi_http_types_fields_drop_own(fields);
    holdfast_header *items = holdfast_alloc(entries.len * sizeof *items);
    for (size_t index = 0; index < entries.len; index++) {
        items[index] = (holdfast_header){
            .name = from_string(entries.ptr[index].f0),
            .value = holdfast_slice(entries.ptr[index].f1.ptr, entries.ptr[index].f1.len),
        };
    }
    return (holdfast_headers){items, entries.len};
}

wasi_http_types_own_fields_t holdfast_to_fields(holdfast_headers headers, bool *valid) {
    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    *valid = true;
    for (size_t index = 0; index < headers.len; index++) {
        capabilities_string_t name = wire_string(headers.items[index].name);
        holdfast_bytes bytes = headers.items[index].value;
        wasi_http_types_field_value_t value = {(uint8_t *)bytes.data, bytes.len};
        wasi_http_types_header_error_t error;
        bool ok;
        HOST(ok = wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &name,
                                                       &value, &error));
        *valid = *valid && ok;
    }
    return fields;
}

bool holdfast_find_header(holdfast_headers headers, const char *name, holdfast_bytes *value) {
    for (size_t index = 0; index < headers.len; index++) {
        if (holdfast_is(headers.items[index].name, name)) {
            *value = headers.items[index].value;
            return true;
        }
    }
    return false;
}

holdfast_bytes holdfast_path(holdfast_bytes path_with_query) {
    return holdfast_split(&path_with_query, '?');
}

holdfast_bytes holdfast_query(holdfast_bytes path_with_query) {
    holdfast_split(&path_with_query, '?');
    return path_with_query;
}

static int hex(char character) {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// In a form `+` is a space.
static holdfast_bytes decode(holdfast_bytes bytes, bool form) {
    char *decoded = holdfast_alloc(bytes.len);
    size_t len = 0;
    for (size_t index = 0; index < bytes.len; index++) {
        char character = bytes.data[index];
        if (character == '%' && bytes.len - index > 2 && hex(bytes.data[index + 1]) >= 0 &&
            hex(bytes.data[index + 2]) >= 0) {
            character = (char)(hex(bytes.data[index + 1]) << 4 | hex(bytes.data[index + 2]));
            index += 2;
        } else if (form && character == '+') {
            character = ' ';
        }
        decoded[len++] = character;
    }
    return holdfast_slice(decoded, len);
}

holdfast_bytes holdfast_percent_decode(holdfast_bytes bytes) {
    return decode(bytes, false);
}

bool holdfast_query_value(holdfast_bytes path_with_query, const char *key, holdfast_bytes *value) {
    holdfast_bytes query = holdfast_query(path_with_query);
    while (query.len > 0) {
        holdfast_bytes pair = holdfast_split(&query, '&');
        if (holdfast_is(decode(holdfast_split(&pair, '='), true), key)) {
            *value = decode(pair, true);
            return true;
        }
    }
    return false;
}
