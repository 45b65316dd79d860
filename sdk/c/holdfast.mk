# Builds a plugin. A project's Makefile says where this file is, and no more:
#
#     include holdfast-sdk/holdfast.mk
#
# `make` compiles *.c to plugin.wasm. `make test` compiles *.c and tests/*.c for
# this machine, with the host's functions replaced by those in memory, and runs
# that. It needs two tools:
#
#   zig       the C compiler and its library: `pip install ziglang`, or a package
#             of the system
#   holdfast  makes a component of what the compiler has written
#
# Whatever is set here can be set before the include, or in the environment.

HOLDFAST_SDK := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
HOLDFAST ?= holdfast
ZIG ?= $(or $(shell command -v zig 2>/dev/null),python3 -m ziglang)
WASM_CC ?= $(ZIG) cc -target wasm32-wasi
WASM_AR ?= $(ZIG) ar
CFLAGS ?= -O2 -Wall -Wextra -Wno-c23-extensions
TEST_CC ?= $(ZIG) cc
TEST_CFLAGS ?= -g -Wall -Wextra -Wno-c23-extensions -fsanitize=undefined

SOURCES ?= $(wildcard *.c)
TESTS ?= $(wildcard tests/*.c)
OUTPUT ?= plugin.wasm
BUILD ?= target

hf_sources := $(wildcard $(HOLDFAST_SDK)/src/*.c)
hf_generated := $(wildcard $(HOLDFAST_SDK)/generated/*.c)
hf_fake := $(wildcard $(HOLDFAST_SDK)/fake/*.c)
hf_objects := $(patsubst $(HOLDFAST_SDK)/%.c,$(BUILD)/sdk/%.o,$(hf_sources) $(hf_generated))
hf_own := $(patsubst %.c,$(BUILD)/own/%.o,$(SOURCES))

# Compilers note in a .d file what a source includes and embeds.
hf_options := -std=gnu17 -I$(HOLDFAST_SDK)/include
hf_compile = @mkdir -p $(dir $@) && $(WASM_CC) $(hf_options) -ffunction-sections -MMD -MP

$(OUTPUT): $(BUILD)/module.wasm
	@$(HOLDFAST) component $< --output $@
	@echo "$@ ($$(wc -c < $@) bytes)"

$(BUILD)/module.wasm: $(hf_own) $(BUILD)/libholdfast.a
	@$(WASM_CC) $(CFLAGS) -mexec-model=reactor $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Of a library the linker takes what a plugin uses, and a component imports no
# more than that.
$(BUILD)/libholdfast.a: $(hf_objects)
	@rm -f $@
	@$(WASM_AR) rcs $@ $^

$(BUILD)/sdk/generated/%.o: $(HOLDFAST_SDK)/generated/%.c
	$(hf_compile) -O2 -w -c -o $@ $<

$(BUILD)/sdk/src/%.o: $(HOLDFAST_SDK)/src/%.c
	$(hf_compile) -O2 -Wall -Wextra -c -o $@ $<

$(BUILD)/own/%.o: %.c
	$(hf_compile) $(CFLAGS) -c -o $@ $<

$(BUILD)/test: $(SOURCES) $(TESTS) $(hf_sources) $(hf_fake) $(wildcard *.h *.html tests/*.h)
	@mkdir -p $(BUILD)
	@$(TEST_CC) $(hf_options) -I$(HOLDFAST_SDK)/fake -I. $(TEST_CFLAGS) \
		-o $@ $(SOURCES) $(TESTS) $(hf_sources) $(hf_fake) -lm

.PHONY: test clean
test: $(BUILD)/test
	@$(abspath $(BUILD)/test) && echo "all tests have passed"

clean:
	rm -rf $(BUILD) $(OUTPUT)

-include $(wildcard $(BUILD)/own/*.d $(BUILD)/sdk/src/*.d $(BUILD)/sdk/generated/*.d)
