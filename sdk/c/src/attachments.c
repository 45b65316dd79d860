// The exports of `holdfast:websocket/attachments`.

#include "../generated/attachments.h"
#include "internal.h"

void exports_holdfast_websocket_attachments_format(attachments_string_t *ret) {
    holdfast_enter();
    holdfast_bytes name = holdfast_text(holdfast_attachments_handlers.format);
    *ret = (attachments_string_t){holdfast_keep(name.data, name.len), name.len};
    holdfast_leave();
}

bool exports_holdfast_websocket_attachments_migrate(attachments_string_t *from_format,
                                                    attachments_list_u8_t *attachment,
                                                    attachments_list_u8_t *ret,
                                                    attachments_string_t *err) {
    holdfast_enter();
    holdfast_bytes migrated = {0};
    holdfast_error error = holdfast_attachments_handlers.migrate(
        holdfast_slice(from_format->ptr, from_format->len),
        holdfast_slice(attachment->ptr, attachment->len), &migrated);
    if (error == NULL) {
        *ret = (attachments_list_u8_t){holdfast_keep(migrated.data, migrated.len), migrated.len};
    } else {
        holdfast_bytes text = holdfast_text(error);
        *err = (attachments_string_t){holdfast_keep(text.data, text.len), text.len};
    }
    holdfast_leave();
    return error == NULL;
}

// What HOLDFAST_ATTACHMENTS refers to, so that the exports are linked.
void holdfast_link_attachments(void) {
#ifdef __wasm__
    extern void __component_type_object_force_link_attachments_public_use_in_this_compilation_unit(void);
    __component_type_object_force_link_attachments_public_use_in_this_compilation_unit();
#endif
}
