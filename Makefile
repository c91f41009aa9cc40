# SPDX-License-Identifier: MIT
# pollscope: `make` builds, `make check` tests, `make demo` shows. `make help` lists the rest.
MAKEFLAGS += --no-builtin-rules --no-print-directory
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
# What no sanitizer changes is built once, for the variants under BUILD too: BPF and generated
# headers.
SHARED ?= $(BUILD)
# Where Debian keeps bpftool, which is in no user's PATH.
export PATH := $(PATH):/usr/sbin:/sbin

# Quiet by default; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-8s %s\n' $(1) $(2:$(CURDIR)/%=%))

# Under sudo, what is built belongs in the end to the user who asked for it, also when something
# fails.
ifneq ($(and $(filter-out 0,$(SUDO_UID)),$(if $(FOR_SUDO_USER),,yes)),)
GOALS := $(or $(MAKECMDGOALS),all)
.PHONY: $(GOALS)
$(firstword $(GOALS)):
	+@trap : INT TERM; $(MAKE) FOR_SUDO_USER=1 $(GOALS); status=$$?; \
	for f in $(BUILD) pollscope.data; do \
		[ ! -e $$f ] || chown -hR $(SUDO_UID):$(SUDO_GID) $$f; \
	done; exit $$status
$(wordlist 2,$(words $(GOALS)),$(GOALS)): $(firstword $(GOALS))
	@:
else

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fno-omit-frame-pointer \
	$(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
ALL_LDFLAGS := $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
DEPFLAGS = -MMD -MP

# ---- the reference runtime -----------------------------------------------------------------------
RUNTIME_SRC := $(foreach d,sched sync io,$(wildcard runtime/$d/*.c))
RUNTIME_LIB := $(BUILD)/libpollrt.a
EXAMPLE_COMMON := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard runtime/examples/common/*.c))
EXAMPLES := $(patsubst runtime/examples/%.c,$(BUILD)/examples/%,$(wildcard runtime/examples/*.c))

# ---- the tracer ----------------------------------------------------------------------------------
# state.bpf.c first: libbpf's linker misplaces maps that are declared before they are defined.
BPF_SRC := $(if $(wildcard bpf/state.bpf.c),bpf/state.bpf.c \
	$(filter-out bpf/state.bpf.c,$(wildcard bpf/*.bpf.c)))
SKELETON := $(if $(BPF_SRC),$(SHARED)/gen/pollscope.skel.h)

# Each folder under userspace/ is a library; a library may use those to its right.
USER_DIRS := cli attach tokio events emit unwind symbolize core util
USER_LIBS := $(foreach d,$(USER_DIRS),$(if $(wildcard userspace/$d/*.c),$(BUILD)/lib/lib$d.a))
USER_CFLAGS := -Iuserspace -I. -I$(SHARED)/gen -DPOLLSCOPE_VERSION='"$(VERSION)"'
USER_LDLIBS := -lbpf -lZydis -ldw -lelf -lzstd -ljansson -lprotobuf-c -lz -liberty -lm
POLLSCOPE := $(if $(wildcard userspace/main.c),$(BUILD)/pollscope)

.PHONY: all
all: $(RUNTIME_LIB) $(EXAMPLES) $(POLLSCOPE)

# What the build needs is looked for once; a missing tool or library is named with its package.
TOOLS := $(SHARED)/.tools
$(TOOLS): tests/tools/deps.sh
	$(Q)tests/tools/deps.sh --check $(SHARED) build
	$(Q)mkdir -p $(@D) && touch $@

# One rule compiles everything; what differs between folders is a target's own FLAGS.
$(BUILD)/obj/userspace/%.o: FLAGS = $(USER_CFLAGS)
$(BUILD)/obj/runtime/%.o: FLAGS = -Iruntime
$(BUILD)/obj/tests/%.o: FLAGS = $(USER_CFLAGS) -Iruntime -I.
# Sanitizers do not follow the threads of these.
$(BUILD)/obj/tests/runtime/test_interleave_%.o: FLAGS += -fno-sanitize=all
$(BUILD)/obj/%.o: %.c | $(TOOLS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(FLAGS) $(DEPFLAGS) -c $< -o $@

$(RUNTIME_LIB): $(RUNTIME_SRC:%.c=$(BUILD)/obj/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && mkdir -p $(@D) && ar rcs $@ $^

$(BUILD)/examples/%: $(BUILD)/obj/runtime/examples/%.o $(EXAMPLE_COMMON) $(RUNTIME_LIB)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -pthread -lm -o $@

# Messages of protocol buffers, as C.
PROTOS := $(patsubst userspace/emit/%.proto,%,$(wildcard userspace/emit/*.proto))
PROTO_OBJ := $(PROTOS:%=$(BUILD)/obj/gen/%.pb-c.o)

$(SHARED)/gen/%.pb-c.c $(SHARED)/gen/%.pb-c.h: userspace/emit/%.proto | $(TOOLS)
	$(call say,PROTO,$<)
	$(Q)mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $<

$(BUILD)/obj/gen/%.o: $(SHARED)/gen/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(USER_CFLAGS) $(FLAGS) -c $< -o $@

define user_library
$(BUILD)/lib/lib$(1).a: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/$(1)/*.c)) \
		$(if $(filter emit,$(1)),$(PROTO_OBJ))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && mkdir -p $$(@D) && ar rcs $$@ $$^
endef
$(foreach d,$(USER_DIRS),$(eval $(call user_library,$d)))

$(BUILD)/pollscope: $(BUILD)/obj/userspace/main.o $(USER_LIBS)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(USER_LDLIBS) -pthread -o $@

# Generated headers come before the sources that may include them.
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/attach/*.c userspace/cli/*.c)): | $(SKELETON)
$(BUILD)/obj/tests/bench/empty_probes.o: | $(SKELETON)
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/*/*.c)): | $(SHARED)/gen/syscall_names.inc
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/emit/*.c tests/unit/test_emit_*.c \
	tests/e2e/test_export_*.c)): | $(PROTOS:%=$(SHARED)/gen/%.pb-c.h)

$(SHARED)/gen/syscall_names.inc: | $(TOOLS)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9][0-9]*\)$$/[\2] = "\1",/p' | sort >$@

# Style and script of the SVG picture and the HTML report, as C strings.
$(BUILD)/obj/userspace/emit/svg.o: | $(SHARED)/gen/svg.css.inc $(SHARED)/gen/svg.js.inc
$(BUILD)/obj/userspace/emit/html.o: | $(SHARED)/gen/html.css.inc $(SHARED)/gen/html.js.inc

$(SHARED)/gen/%.inc: userspace/emit/%
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< >$@

# ---- BPF -----------------------------------------------------------------------------------------
BPF_CFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror \
	-D__TARGET_ARCH_$(ARCH) -Ivmlinux -Ibpf

$(SHARED)/bpf/%.bpf.o: bpf/%.bpf.c | $(TOOLS)
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(SHARED)/bpf/pollscope.o: $(BPF_SRC:bpf/%.bpf.c=$(SHARED)/bpf/%.bpf.o)
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SHARED)/gen/pollscope.skel.h: $(SHARED)/bpf/pollscope.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name pollscope_bpf >$@.tmp && mv $@.tmp $@

# A BPF object with a variable of each type in vmlinux.h, and the program that compares those with
# a kernel's.
$(SHARED)/vmlinux/types.c: vmlinux/vmlinux.h
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)(echo '#include <vmlinux.h>'; \
		sed -n 's/^\(struct\|union\) \([a-zA-Z0-9_]*\) {$$/\1 \2 check_\2;/p' $<) >$@

$(SHARED)/vmlinux/types.o: $(SHARED)/vmlinux/types.c | $(TOOLS)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/tests/check_vmlinux: $(BUILD)/obj/vmlinux/check.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $< -lbpf -o $@

# ---- tests ---------------------------------------------------------------------------------------
# A test names the libraries of userspace/ and the others that it links in a line `// links: core
# -ljansson`.
links = $(shell sed -n 's,^// links: ,,p' $(1))
link_libs = $(patsubst %,$(BUILD)/lib/lib%.a,$(filter-out -%,$(links)))
link_flags = $(link_libs) $(filter -%,$(links))
programs = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)))

E2E_HELPERS := $(filter-out tests/e2e/test_%,$(wildcard tests/e2e/*.c))
E2E_TESTS := $(call programs,tests/e2e/test_*.c) $(call programs,tests/e2e/targets/*.c) \
	$(addsuffix .so,$(call programs,tests/e2e/targets/lib/*.c)) \
	$(BUILD)/tests/e2e/targets/chains-static
BENCH := $(call programs,tests/bench/*.c)

.SECONDEXPANSION:
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $$(call link_libs,tests/unit/$$*.c)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(call link_flags,tests/unit/$*.c) -lcmocka -lm -o $@

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $$(call link_libs,tests/fuzz/$$*.c)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $< $(call link_flags,tests/fuzz/$*.c) -lm -o $@

# Programs on the runtime: its tests, what the end-to-end tests trace, what the bench measures.
define runtime_program
$(BUILD)/tests/$(1)/%: $(BUILD)/obj/tests/$(1)/%.o $(RUNTIME_LIB) $$$$(call link_libs,tests/$(1)/$$$$*.c)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) $$< $(RUNTIME_LIB) $$(call link_flags,tests/$(1)/$$*.c) -lcmocka -pthread -lm -o $$@
endef
$(foreach d,runtime e2e/targets bench,$(eval $(call runtime_program,$d)))

# The program that the runtime's guide is made of.
$(SHARED)/gen/guide.c: runtime/GUIDE.md
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -n '/^```c$$/,/^```$$/{/^```/d;p}' $< >$@

$(BUILD)/obj/gen/guide.o: FLAGS = -Iruntime
$(BUILD)/tests/runtime/guide: $(BUILD)/obj/gen/guide.o $(RUNTIME_LIB)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -pthread -o $@

$(BUILD)/tests/e2e/test_%: $(BUILD)/obj/tests/e2e/test_%.o $(E2E_HELPERS:%.c=$(BUILD)/obj/%.o) \
		$$(call link_libs,tests/e2e/test_$$*.c)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(call link_flags,tests/e2e/test_$*.c) \
		-lcmocka -ljansson -pthread -lm -o $@

# Libraries that targets load while they run.
$(BUILD)/tests/e2e/targets/lib/%.so: tests/e2e/targets/lib/%.c
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -shared -Wl,-z,lazy $< -o $@

# A program without frame pointers, as release builds are, by itself and linked statically.
RELEASE_OBJ := $(RUNTIME_SRC:%.c=$(BUILD)/release/%.o)
$(BUILD)/release/%.o: %.c | $(TOOLS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fomit-frame-pointer -Iruntime -I. $(DEPFLAGS) -c $< -o $@

$(BUILD)/tests/e2e/targets/chains: $(BUILD)/release/tests/e2e/targets/chains.o $(RELEASE_OBJ)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ -pthread -o $@

$(BUILD)/tests/e2e/targets/chains-static: tests/e2e/targets/chains.c tests/e2e/targets/chains.h \
		$(RELEASE_OBJ)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fomit-frame-pointer -DCHAINS_STATIC -Iruntime -I. -static \
		$(filter-out %.h,$^) -pthread -o $@

# Programs on Tokio, built as people build theirs: in each way by itself, or from what another made.
TOKIO := $(BUILD)/tokio
TOKIO_SRC := $(shell find tests/tokio -type f)
TOKIO_BUILT := $(patsubst %,$(TOKIO)/%/built,release symbols stripped separate fat fat-stripped \
	abort size dev v0 static-pie non-pie new new-fat-stripped)

$(TOKIO_BUILT): $(TOKIO)/%/built: $(TOKIO_SRC)
	$(call say,CARGO,$(@D))
	$(Q)tests/tokio/build.sh $(TOKIO) $*

# For the bench, and made once: it takes a minute or more.
$(TOKIO)/large/built: tests/tokio/examples/kinds.rs
	$(call say,CARGO,$(@D))
	$(Q)tests/tokio/build.sh $(TOKIO) large

$(patsubst %,$(TOKIO)/%/built,symbols stripped separate): $(TOKIO)/release/built
$(TOKIO)/fat-stripped/built: $(TOKIO)/fat/built

.PHONY: examples unit-tests runtime-tests fuzzers e2e-tests tokio-programs
tokio-programs: $(TOKIO_BUILT)
examples: $(EXAMPLES)
unit-tests: $(call programs,tests/unit/test_*.c)
runtime-tests: $(call programs,tests/runtime/*.c) $(BUILD)/tests/runtime/guide
fuzzers: $(call programs,tests/fuzz/fuzz_*.c)
e2e-tests: $(E2E_TESTS) $(EXAMPLES) $(TOKIO_BUILT) $(POLLSCOPE)

# ---- what people call ----------------------------------------------------------------------------
# How a target builds what it needs: with all CPUs, silent about what is up to date.
JOBS = $(if $(V),,-s) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
DEPS := tests/tools/deps.sh $(BUILD)
variant = $(MAKE) BUILD=$(BUILD)/$(1) SHARED=$(SHARED)

.PHONY: help
help:
	@echo 'make                 build pollscope, the runtime and its examples (V=1: show commands)'
	@echo 'make deps            install what is missing, as root'
	@echo 'make demo            trace the example server for 10 s, as root'
	@echo 'make demo-tokio      the same with a stripped Tokio server'
	@echo 'make check           all tests; as root the end-to-end ones too'
	@echo 'make check-kernels   the BPF programs on other kernels, in QEMU'
	@echo 'make check-arm64     all of it built for arm64, and tests of that emulated'
	@echo 'make check-vmlinux   vmlinux/ against this kernel (BTF=FILE: against that)'
	@echo 'make bench           what tracing costs, as root'
	@echo 'make bench-runtime   the reference runtime beside Tokio'
	@echo 'make install         into PREFIX ($(PREFIX)), below DESTDIR; make uninstall undoes it'
	@echo 'make format          clang-format on all sources'
	@echo 'make clean           remove build/'

.PHONY: deps
deps:
	$(Q)$(DEPS) build test rust formats

.PHONY: demo
demo:
	$(Q)$(DEPS) build test
	$(Q)$(MAKE) $(JOBS) all
	$(Q)runtime/examples/demo.sh $(BUILD)

.PHONY: demo-tokio
demo-tokio:
	$(Q)$(DEPS) build rust
	$(Q)$(MAKE) $(JOBS) $(POLLSCOPE) $(TOKIO)/release/built $(TOKIO)/fat-stripped/built
	$(Q)tests/tokio/demo.sh $(BUILD)

CHECK_VMLINUX := $(BUILD)/tests/check_vmlinux $(SHARED)/vmlinux/types.o

.PHONY: check-vmlinux
check-vmlinux: $(CHECK_VMLINUX)
	$(Q)$(BUILD)/tests/check_vmlinux vmlinux/vmlinux.h $(SHARED)/vmlinux/types.o $(BTF)

.PHONY: check-kernels
check-kernels:
	$(Q)$(DEPS) build test rust kernels
	$(Q)$(MAKE) $(JOBS) all e2e-tests $(CHECK_VMLINUX)
	$(Q)tests/kernels/check.sh $(BUILD)

# All of it is built for arm64, and tests are run that a single emulated process can. Not so: those of code
# for x86-64, as Tokio's is, and those that need ptrace(2), bpf(2) or tools that read the machine's own
# files; those that step through interleavings take too long.
ARM64 := $(BUILD)/arm64
ARM64_TESTS := $(patsubst %.c,$(ARM64)/%,$(filter-out $(addprefix tests/unit/test_,browser.c debuginfod.c \
	emit_perfetto.c emit_perfetto_sums.c late_symbols.c launch.c launch_end.c module.c ring.c \
	symbolizer.c tokio_%.c usdt_contract.c) $(addprefix tests/runtime/test_,interleave_%.c probes.c), \
	$(wildcard tests/unit/test_*.c tests/runtime/test_*.c)))

.PHONY: check-arm64
check-arm64:
	$(Q)$(DEPS) build test arm64
	$(Q)tests/arm64/fetch.sh $(ARM64)
	$(Q)$(MAKE) $(JOBS) BUILD=$(ARM64) SHARED=$(ARM64) ARCH=arm64 \
		CC='aarch64-linux-gnu-gcc --sysroot=$(abspath $(ARM64))/sysroot' all $(ARM64_TESTS)
	$(Q)tests/arm64/check.sh $(ARM64) $(ARM64_TESTS)

.PHONY: check check-build
check: deps
	$(Q)$(MAKE) $(JOBS) check-build
	$(Q)tests/check.sh $(BUILD)

check-build: all e2e-tests $(CHECK_VMLINUX)
	+$(Q)$(call variant,asan) SAN=address,undefined unit-tests runtime-tests examples
	+$(Q)$(call variant,tsan) SAN=thread runtime-tests examples
	+$(Q)$(call variant,fuzz) CC=$(CLANG) SAN=address,undefined,fuzzer-no-link fuzzers

.PHONY: bench
bench: deps
	$(Q)$(DEPS) bench || echo 'bench: going on without bpftrace'
	$(Q)$(MAKE) $(JOBS) all $(BENCH) $(TOKIO)/release/built $(TOKIO)/large/built \
		$(addprefix $(BUILD)/tests/e2e/targets/,chains causes)
	$(Q)tests/bench/bench.sh $(BUILD)

.PHONY: bench-runtime
bench-runtime:
	$(Q)$(DEPS) build test rust
	$(Q)$(MAKE) $(JOBS) $(BUILD)/tests/bench/runtime $(TOKIO)/release/built
	$(Q)tests/bench/runtime.sh $(BUILD)

MAN := $(DESTDIR)$(PREFIX)/share/man/man1/pollscope.1
COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pollscope

.PHONY: install uninstall
install: $(POLLSCOPE)
	$(Q)install -D -m 755 $(BUILD)/pollscope $(DESTDIR)$(PREFIX)/bin/pollscope
	$(Q)install -D -m 644 userspace/cli/pollscope.1 $(MAN)
	$(Q)install -D -m 644 userspace/cli/completion.bash $(COMPLETION)

uninstall:
	$(Q)rm -f $(DESTDIR)$(PREFIX)/bin/pollscope $(MAN) $(COMPLETION)

.PHONY: format
format:
	$(Q)tests/tools/deps.sh --check $(BUILD) format
	$(Q)find bpf userspace runtime tests vmlinux -name '*.[ch]' | xargs clang-format -i

.PHONY: clean
clean:
	$(Q)rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD)/obj $(BUILD)/release $(SHARED)/bpf -name '*.d' 2>/dev/null)
endif
