# Builds a plugin. A project's Makefile says where this file is, and no more:
#
#     include holdfast-sdk/holdfast.mk
#
# `make` compiles *.c to plugin.wasm. `make test` compiles *.c and tests/*.c for
# this machine, with the host's functions replaced by those in memory, and runs
# that. It needs two tools, which can be others than these:
#
#   zig       the C compiler and its library: `pip install ziglang`, or a package
#             of the system
#   holdfast  makes a component of what the compiler has written

HOLDFAST_SDK := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
HOLDFAST ?= holdfast
ZIG ?= $(or $(shell command -v zig 2>/dev/null),python3 -m ziglang)
WASM_CC ?= $(ZIG) cc -target wasm32-wasi
WASM_AR ?= $(ZIG) ar
CFLAGS ?= -O2 -Wall -Wextra
TEST_CFLAGS ?= -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover

SOURCES ?= $(wildcard *.c)
TESTS ?= $(wildcard tests/*.c)
OUTPUT ?= plugin.wasm
BUILD ?= build

hf_sources := $(wildcard $(HOLDFAST_SDK)/src/*.c)
hf_generated := $(wildcard $(HOLDFAST_SDK)/generated/*.c)
hf_types := $(wildcard $(HOLDFAST_SDK)/generated/*.o)
hf_headers := $(wildcard $(HOLDFAST_SDK)/include/*.h $(HOLDFAST_SDK)/include/holdfast/*.h) \
	$(wildcard $(HOLDFAST_SDK)/src/*.h $(HOLDFAST_SDK)/generated/*.h)
hf_objects := $(patsubst $(HOLDFAST_SDK)/%.c,$(BUILD)/sdk/%.o,$(hf_sources) $(hf_generated))
hf_own := $(patsubst %.c,$(BUILD)/%.o,$(SOURCES))

hf_compile = @mkdir -p $(dir $@) && $(WASM_CC) -std=gnu17 -ffunction-sections -I$(HOLDFAST_SDK)/include

$(OUTPUT): $(BUILD)/module.wasm
	@$(HOLDFAST) component $< --output $@
	@echo "$@ ($$(wc -c < $@) bytes)"

$(BUILD)/module.wasm: $(hf_own) $(BUILD)/libholdfast.a
	@$(WASM_CC) $(CFLAGS) -mexec-model=reactor -Wl,--strip-debug $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Of a library the linker takes what a plugin uses, and a component imports no
# more than that.
$(BUILD)/libholdfast.a: $(hf_objects) $(hf_types)
	@rm -f $@
	@$(WASM_AR) rcs $@ $^

$(BUILD)/sdk/generated/%.o: $(HOLDFAST_SDK)/generated/%.c $(hf_headers)
	$(hf_compile) -O2 -w -c -o $@ $<

$(BUILD)/sdk/src/%.o: $(HOLDFAST_SDK)/src/%.c $(hf_headers)
	$(hf_compile) -O2 -Wall -Wextra -c -o $@ $<

$(BUILD)/%.o: %.c $(hf_headers) $(wildcard *.h)
	$(hf_compile) $(CFLAGS) -c -o $@ $<

$(BUILD)/test: $(SOURCES) $(TESTS) $(hf_sources) $(hf_headers) $(wildcard $(HOLDFAST_SDK)/fake/* *.h tests/*.h)
	@mkdir -p $(BUILD)
	@$(CC) -std=gnu17 $(TEST_CFLAGS) -I$(HOLDFAST_SDK)/include -I$(HOLDFAST_SDK)/fake -I. \
		-o $@ $(SOURCES) $(TESTS) $(hf_sources) $(HOLDFAST_SDK)/fake/*.c -lm

.PHONY: test clean
test: $(BUILD)/test
	@./$(BUILD)/test

clean:
	rm -rf $(BUILD) $(OUTPUT)
