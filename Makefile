# ehr: make demo, make test; see README.
#
#	make			the commands, in build/bin
#	make test		everything that CI runs
#	make demo		four hospitals on this machine
#	make asan | cov | fuzz	variants, each in its own folder of build/
#	make install PREFIX= DESTDIR=

VERSION = 0.1.0
PREFIX  = /usr/local
DESTDIR =

# Modules in the order of their layers: a file includes only from those that
# stand before it (t/tidy checks).
BASE   = err span buf hex base64 utf8 stamp text clock gz fs
CRYPTO = hash bech32 key sign_key pem note identity age merkle
LEDGER =
DBFT   =
STORE  =
NET    =
RECORD =
LOG    =

MODULES = $(BASE:%=base/%) $(CRYPTO:%=crypto/%) $(LEDGER:%=ledger/%) \
	$(DBFT:%=dbft/%) $(STORE:%=store/%) $(NET:%=net/%) \
	$(RECORD:%=record/%) $(LOG:%=log/%)

V        = default
B        = build/$(V)
CC       = gcc
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef
OPT      = -O2 -g
HARDEN   = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fstack-clash-protection
HARDEN_L = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
CPPFLAGS = -Ilib -Icmd -DEHR_VERSION='"$(VERSION)"' -DEHR_PREFIX='"$(PREFIX)"'
CFLAGS   = -std=c17 $(WARN) $(OPT) $(HARDEN) $(WERROR) -pthread
LDFLAGS  = $(HARDEN_L) -pthread
LDLIBS   = -lcrypto -lz -larchive -lsqlite3 -ljansson -lm

SRCS     = $(wildcard $(MODULES:%=lib/%.c))
OBJS     = $(SRCS:%.c=$(B)/%.o)
LIB      = $(B)/libehr.a
CLI      = $(patsubst %.c,$(B)/%.o,$(wildcard cmd/cli/*.c))
CMDS     = $(patsubst cmd/%.c,$(B)/bin/%,$(wildcard cmd/*.c))
UNITS    = $(patsubst t/unit/%.c,$(B)/t/%,$(wildcard t/unit/*.c))

.DEFAULT_GOAL = all
.PHONY: all
all: $(CMDS)
units: $(UNITS)

# The flags are part of what an object depends on.
FLAGS    = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) $(MODULES)
$(shell mkdir -p $(B); printf '%s\n' "$(subst ",,$(FLAGS))" > $(B)/flags.new; \
	cmp -s $(B)/flags.new $(B)/flags || mv $(B)/flags.new $(B)/flags; \
	rm -f $(B)/flags.new)

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(OBJS)
	@rm -f $@
	$(AR) rcs $@ $(OBJS)

$(B)/bin/%: $(B)/cmd/%.o $(CLI) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(CLI) $(LIB) $(LDLIBS)

$(B)/t/%: $(B)/t/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

.SECONDARY:

-include $(shell find $(B) -name '*.d' 2>/dev/null)
