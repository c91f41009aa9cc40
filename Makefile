# SPDX-License-Identifier: MIT
# pollscope: `make` builds, `make check` tests, `make demo` shows. `make help` lists the rest.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config
SAN ?=

# Quiet by default; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-8s %s\n' $(1) $(2:$(CURDIR)/%=%))

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fno-omit-frame-pointer \
	$(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
DEPFLAGS = -MMD -MP

# ---- the reference runtime -----------------------------------------------------------------------
RUNTIME_SRC := $(wildcard runtime/*.c)
RUNTIME_LIB := $(BUILD)/libpollrt.a
EXAMPLES := $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(wildcard runtime/examples/*.c))

# ---- the tracer ----------------------------------------------------------------------------------
BPF_SRC := $(wildcard bpf/*.bpf.c)
SKELETON := $(if $(BPF_SRC),$(BUILD)/gen/pollscope.skel.h)
GENERATED := $(SKELETON) $(BUILD)/gen/syscall_names.inc

# Each folder under userspace/ is a library; a library may use those to its right.
USER_DIRS := cli attach events emit symbolize core util
USER_LIBS := $(foreach d,$(USER_DIRS),$(if $(wildcard userspace/$d/*.c),$(BUILD)/lib/lib$d.a))
USER_CFLAGS := -Iuserspace -I. -I$(BUILD)/gen -DPOLLSCOPE_VERSION='"$(VERSION)"'
USER_LDLIBS := -lbpf -ldw -lelf -lzstd -ljansson -liberty -lm
POLLSCOPE := $(if $(wildcard userspace/main.c),$(BUILD)/pollscope)

.PHONY: all
all: $(RUNTIME_LIB) $(EXAMPLES) $(POLLSCOPE)

# One rule compiles everything; what differs between folders is a target's own FLAGS.
$(BUILD)/obj/userspace/%.o: FLAGS = $(USER_CFLAGS)
$(BUILD)/obj/runtime/%.o: FLAGS = -Iruntime
$(BUILD)/obj/tests/%.o: FLAGS = $(USER_CFLAGS) -Iruntime -I.
$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(FLAGS) $(DEPFLAGS) -c $< -o $@

$(RUNTIME_LIB): $(RUNTIME_SRC:%.c=$(BUILD)/obj/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && mkdir -p $(@D) && ar rcs $@ $^

$(BUILD)/examples/%: $(BUILD)/obj/runtime/examples/%.o $(RUNTIME_LIB)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -pthread -lm -o $@

define user_library
$(BUILD)/lib/lib$(1).a: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/$(1)/*.c))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && mkdir -p $$(@D) && ar rcs $$@ $$^
endef
$(foreach d,$(USER_DIRS),$(eval $(call user_library,$d)))

$(BUILD)/pollscope: $(BUILD)/obj/userspace/main.o $(USER_LIBS)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(USER_LDLIBS) -pthread -o $@

# Generated headers come before the sources that may include them.
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/attach/*.c userspace/cli/*.c)): | $(SKELETON)
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/*/*.c)): | $(BUILD)/gen/syscall_names.inc

$(BUILD)/gen/syscall_names.inc:
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9][0-9]*\)$$/[\2] = "\1",/p' | sort >$@

# ---- BPF -----------------------------------------------------------------------------------------
BPF_CFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -D__TARGET_ARCH_$(ARCH) -Ivmlinux -Ibpf

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(BUILD)/bpf/pollscope.o: $(BPF_SRC:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/gen/pollscope.skel.h: $(BUILD)/bpf/pollscope.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name pollscope_bpf >$@.tmp && mv $@.tmp $@

# ---- tests ---------------------------------------------------------------------------------------
# A unit test names the libraries that it links in a line `// links: core util`.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
RUNTIME_TESTS := $(patsubst tests/runtime/%.c,$(BUILD)/tests/runtime/%,$(wildcard tests/runtime/*.c))
links = $(shell sed -n 's,^// links: ,,p' tests/unit/$*.c)

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(USER_LIBS)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(foreach l,$(links),$(if $(filter -l%,$l),$l,$(BUILD)/lib/lib$l.a)) \
		-lcmocka -lm -o $@

$(BUILD)/tests/runtime/%: $(BUILD)/obj/tests/runtime/%.o $(RUNTIME_LIB)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -lcmocka -pthread -lm -o $@

.PHONY: unit-tests runtime-tests
unit-tests: $(UNIT_TESTS)
runtime-tests: $(RUNTIME_TESTS)

.PHONY: clean
clean:
	$(Q)rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
