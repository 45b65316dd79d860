// The memory of an event: chunks that are filled from below, and freed together.

#include "internal.h"

#include <stdio.h>

// Alignment of all that is allocated, and bytes of an ordinary chunk.
#define ALIGNMENT 16
#define CHUNK_BYTES (16 << 10)

typedef struct chunk {
    struct chunk *below;
    size_t capacity;
    size_t used;
    // Keeps what follows aligned.
    _Alignas(ALIGNMENT) char bytes[];
} chunk;

typedef struct deferred {
    void (*function)(void *);
    void *argument;
    struct deferred *earlier;
} deferred;

static chunk *top;
static deferred *last;

bool holdfast_lowering;

// After all other constructors: what they allocate is for ever.
__attribute__((constructor(65535))) static void begin(void) {
    holdfast_lowering = true;
}

static void *or_panic(void *memory) {
    if (memory == NULL) {
        holdfast_panic("out of memory");
    }
    return memory;
}

static void *allocate(size_t size) {
    if (size > SIZE_MAX - sizeof(chunk) - ALIGNMENT) {
        or_panic(NULL);
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (top == NULL || top->capacity - top->used < size) {
        size_t capacity = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        chunk *fresh = or_panic(malloc(sizeof(chunk) + capacity));
        *fresh = (chunk){.below = top, .capacity = capacity};
        top = fresh;
    }
    void *memory = top->bytes + top->used;
    top->used += size;
    return memory;
}

void *holdfast_alloc(size_t size) {
    return memset(allocate(size), 0, size);
}

holdfast_mark holdfast_memory_mark(void) {
    return (holdfast_mark){top, top == NULL ? 0 : top->used};
}

void holdfast_memory_release(holdfast_mark mark) {
    // One ordinary chunk is kept: most events need no more.
    while (top != mark.chunk && (top->below != NULL || top->capacity > CHUNK_BYTES)) {
        chunk *below = top->below;
        free(top);
        top = below;
    }
    if (top != NULL) {
        top->used = top == mark.chunk ? mark.used : 0;
    }
}

// The host's way to memory in this instance.
#ifdef __wasm__
__attribute__((export_name("cabi_realloc")))
#endif
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
    if (size == 0) {
        return (void *)alignment;
    }
    if (!holdfast_lowering) {
        return or_panic(realloc(old, size));
    }
    void *memory = allocate(size);
    return old_size == 0 ? memory : memcpy(memory, old, old_size < size ? old_size : size);
}

void holdfast_enter(void) {
    holdfast_lowering = false;
}

void holdfast_leave(void) {
    while (last != NULL) {
        deferred *current = last;
        last = current->earlier;
        current->function(current->argument);
        free(current);
    }
    holdfast_memory_release((holdfast_mark){NULL, 0});
    holdfast_lowering = true;
}

void holdfast_defer(void (*function)(void *), void *argument) {
    // Not of the event's memory, of which a handler may give back a part.
    deferred *current = or_panic(malloc(sizeof *current));
    *current = (deferred){function, argument, last};
    last = current;
}

void *holdfast_keep(const void *data, size_t size) {
    return size == 0 ? NULL : memcpy(or_panic(malloc(size)), data, size);
}

void *holdfast_grow(void **items, size_t *len, size_t size) {
    // Room doubles at each power of two.
    if ((*len & (*len - 1)) == 0) {
        size_t room = *len == 0 ? 1 : *len * 2;
        void *fresh = holdfast_alloc(room * size);
        if (*len > 0) {
            memcpy(fresh, *items, *len * size);
        }
        *items = fresh;
    }
    return (char *)*items + (*len)++ * size;
}
