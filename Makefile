# ehr: four hospitals, one ledger.  README says what it is.
#
#	make demo		four hospitals on this machine
#	make test		everything that CI runs; T=t/20-add.bats runs one
#	make test-long		the same, with all of what it takes a sample of
#	make			the commands, in build/default/bin
#	make install		to DESTDIR/PREFIX; also uninstall
#	make asan, cov, fuzz	the tests under sanitizers; coverage; long fuzzing
#	make bench, tidy, clean
#
# Each variant V has its own folder build/V.  demo, test and the variants
# install what they miss (t/deps); nothing else here touches the system.

VERSION = 0.1.0
PREFIX  = /usr/local
DESTDIR =

# Modules in the order of their layers: a file includes only from those that
# stand before it (t/tidy checks).
BASE   = span utf8 err buf hex base64 stamp text clock gz fs fs_batch \
	parallel thread heap
CRYPTO = hash bech32 key sign_key checker pem note identity x25519 aead \
	stanza age stream age_body age_stream merkle tile cosign vkey
LEDGER = name head tail secret card perm genesis staged tx tx_body tx_note \
	block bundle \
	certificate checkpoint proof policy receipt receipt_report view \
	rules_base rules_user rules_record rules
DBFT   = msg mutant core inner round all change step
STORE  = config_line config config_set segment repo votes heard signed \
	repo_new repo_key db object_index object_find object object_put \
	object_batch object_erase verify_job verify state_memo state \
	state_apply state_view later early settle object_mend mirror \
	pool_reader pool_index chain chain_step pool_walk pool pool_add \
	staging accept propose lookup submit bodies work watch blocks signer bundle_out bundle_in bundle_dir
NET    = pkt proto message ids pipe known known_file hello session tally \
	peers spine plan fetch fetch_part fetch_take fetch_apply waiting \
	parcel intake sync sync_part sync_pull sync_waiting sync_push \
	ask exchange clone bundle bundle_make bundle_apply bundle_clone \
	follow follow_part follow_scout follower cosign cosign_renew \
	wire judge entry turns keep final driver driver_inner driver_begin \
	driver_act driver_heard driver_feed seen evidence consensus link links \
	renew round round_inner round_once round_tell round_follow status \
	serve serve_conn serve_get serve_put confine confine_part \
	confine_files confine_calls
RECORD = fields xml jscan ccda hl7 dicom fhir media meta names gzstream \
	payload payload_read payload_extract keyring seal unseal decide \
	profile enroll found reading
LOG    = checked hourtext hourly hourly_check tree tiles tiles_check \
	checkpoints checkpoints_check prove event check check_part \
	check_keep check_chain check_state check_files check_survey \
	check_objects check_votes audit_base audit_chain audit_objects \
	audit_store audit_outside audit_votes audit_node audit audit_bundle \
	extract extract_json extract_text extract_fhir activity audit_page \
	attest

MODULES = $(BASE:%=base/%) $(CRYPTO:%=crypto/%) $(LEDGER:%=ledger/%) \
	$(DBFT:%=dbft/%) $(STORE:%=store/%) $(NET:%=net/%) \
	$(RECORD:%=record/%) $(LOG:%=log/%)

# What to build, and how.  SAN is what a sanitizer or gcov adds.
V        = default
B        = build/$(V)
CC       = gcc
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef
WERROR   =
OPT      = -O2 -g
HARDEN   = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-fstack-clash-protection
HARDEN_L = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
SAN      =
CPPFLAGS = -Ilib -Icmd -I. -DOPENSSL_NO_DEPRECATED \
	-DEHR_VERSION='"$(VERSION)"'
CFLAGS   = -std=c17 $(WARN) $(WERROR) $(OPT) $(HARDEN) $(SAN) -pthread
LDFLAGS  = $(HARDEN_L) $(SAN) -pthread
LDLIBS   = -lcrypto -lz -larchive -lsqlite3 -ljansson -lseccomp -lm

SRCS     = $(wildcard $(MODULES:%=lib/%.c) cmd/cli/*.c)
OBJS     = $(SRCS:%.c=$(B)/obj/%.o)
LIB      = $(B)/libehr.a
CMDS     = $(patsubst cmd/%.c,$(B)/bin/%,$(wildcard cmd/*.c))
UNITS    = $(patsubst t/unit/%.c,$(B)/t/%,$(wildcard t/unit/*.c))
FUZZERS  = $(patsubst t/fuzz/%.c,$(B)/fuzz/%,$(wildcard t/fuzz/*.c))
SIMS     = $(patsubst %.c,$(B)/obj/%.o,$(wildcard t/sim/*.c))
SIM      = $(if $(SIMS),$(B)/t/sim)
LOADS    = $(patsubst %.c,$(B)/obj/%.o,$(wildcard contrib/bench/load*.c))
LOAD     = $(addprefix $(B)/bench/,load chain verify late count.so)
CHAIN    = $(if $(wildcard contrib/bench/chain.c),$(B)/bench/chain)

.DEFAULT_GOAL = all
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all units sim load chain fuzzers modules
all: $(CMDS)
units: $(UNITS)
sim: $(SIM)
load: $(LOAD)
chain: $(CHAIN)
fuzzers: $(FUZZERS)
modules:
	@printf '%s\n' $(MODULES)

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(OBJS) $(B)/objects
	@rm -f $@
	$(AR) rcs $@ $(OBJS)

LINK     = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS)

$(B)/bin/%: $(B)/obj/cmd/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK)
$(B)/t/%: $(B)/obj/t/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK)
$(B)/t/sim: $(SIMS) $(LIB)
	@mkdir -p $(@D)
	$(LINK)
$(B)/bench/load: $(LOADS) $(LIB)
	@mkdir -p $(@D)
	$(LINK)
$(B)/bench/%: $(B)/obj/contrib/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK)
$(B)/bench/%.so: contrib/bench/%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -MMD -MP -o $@ $<
$(B)/fuzz/%: $(B)/obj/t/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer

-include $(wildcard $(B)/bench/*.d $(B)/obj/*/*.d $(B)/obj/*/*/*.d)

OUTER    = demo test test-long asan cov fuzz bench clean uninstall modules

# Flags and the list of objects are part of what a build depends on.  They
# are written when they differ from those of the last build.
ifneq ($(filter-out $(OUTER),$(or $(MAKECMDGOALS),all)),)
  FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS)
  ifneq ($(file <$(B)/flags),$(FLAGS))
    $(shell mkdir -p $(B))
    $(file >$(B)/flags,$(FLAGS))
  endif
  ifneq ($(file <$(B)/objects),$(OBJS))
    $(file >$(B)/objects,$(OBJS))
  endif
endif

# What a person types.  Each of these installs what it misses, builds with all
# cores in a folder of its own, and runs.
JOBS     = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
SUB      = $(MAKE) --no-print-directory $(JOBS)
AS       = test
TV       = $(if $(findstring command,$(origin V)),$(V),test)
CLANG    = V=clang CC=clang WERROR=-Werror HARDEN= HARDEN_L= OPT='-O1 -g' \
	SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
ASAN     = V=asan HARDEN= HARDEN_L= OPT='-O1 -g -fno-omit-frame-pointer' \
	SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -DEHR_MEASURED'
COV      = V=cov HARDEN= HARDEN_L= OPT='-O0 -g' \
	SAN='--coverage -fprofile-update=atomic -DEHR_MEASURED'

.PHONY: demo test test-long asan cov fuzz bench tidy clean install uninstall
demo:
	@t/deps build
	+@$(SUB) -s V=default all
	@EHR_BIN=$(CURDIR)/build/default/bin contrib/demo/run

test:
	@t/deps build test
	+@$(if $(if $(T),$(findstring fuzz,$(T)),all),$(SUB) -s $(CLANG) fuzzers)
	+@$(SUB) -s V=$(TV) WERROR=-Werror all units sim chain
	@EHR_AGAIN='make $(AS)$(if $(filter $(AS),$(TV)),, V=$(TV))' \
	    t/run -b build/$(TV) $(T)

# EHR_LONG is in how many ways each thing is tried: hours for one, days for 255.
# EHR_PART=K/N: of each of the tests that take longest, the part K, from 0, of N.
test-long:
	+@EHR_LONG=$(or $(EHR_LONG),1) \
	    TEST_SECONDS=$(or $(TEST_SECONDS),1000000) $(SUB) test AS=test-long

asan:
	+@$(SUB) test AS=asan $(ASAN)

cov:
	@t/deps cov
	@rm -rf build/cov
	+@$(SUB) test AS=cov $(COV); r=$$?; cd build/cov && { \
	    lcov -q -c -d obj -b $(CURDIR) --no-external -o all && \
	    lcov -q -r all '*/t/*' -o info && lcov --list info; } 2>&1 | \
	    grep -v ' redefined at '; [ -s info ] && exit $$r

fuzz:
	@t/deps build test
	+@$(SUB) -s $(CLANG) fuzzers
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) FUZZ_KEEP=build/clang/corpus \
	    t/run $(or $(T),$(wildcard t/fuzz/*.c))

bench:
	@t/deps build bench
	+@$(SUB) -s V=default all load chain
	@EHR_BIN=$(CURDIR)/build/default/bin contrib/bench/run

tidy: $(LIB)
	@t/tidy -b $(B)

clean:
	rm -rf build

# What is installed: MODE:FILE:PLACE, PLACE below PREFIX.  Units and cron lines
# get the folder of the commands; the completion is made from the manual pages.
MAN      = $(wildcard share/man/man?/*.?)
DOC      = README INSTALL $(wildcard contrib/ssh/* contrib/cron/* contrib/*.sh)
SAMPLES  = $(shell find share/samples -type f)
SERVICES = $(shell find contrib/systemd -type f)
SYSTEMD  = lib/systemd/system
BASHED   = share/bash-completion/completions
INSTALL  = $(foreach f,$(CMDS),755:$(f):bin/$(notdir $(f))) \
	$(foreach f,$(MAN),644:$(f):$(f)) \
	$(foreach f,$(DOC),644:$(f):share/doc/ehr/$(notdir $(f))) \
	$(foreach f,$(SAMPLES),644:$(f):$(f:share/%=share/ehr/%)) \
	$(foreach f,$(SERVICES),644:$(f):$(f:contrib/systemd/%=$(SYSTEMD)/%)) \
	$(foreach f,$(notdir $(CMDS)),644:$(B)/ehr.bash:$(BASHED)/$(f))
EACH     = set -e; for f in $(INSTALL); do mode=$${f%%:*}; f=$${f\#*:}; \
	to='$(DESTDIR)$(PREFIX)'/$${f\#\#*:}; f=$${f%%:*};

$(B)/ehr.bash: contrib/completion/ehr.bash contrib/completion/options.awk $(MAN)
	awk -f contrib/completion/options.awk $(MAN) | \
	    cat contrib/completion/ehr.bash - > $@

install: all $(B)/ehr.bash
	@$(EACH) echo "$$to"; install -D -m "$$mode" "$$f" "$$to"; \
	    case $$f in contrib/systemd/* | contrib/cron/*) \
	    sed -i 's,/usr/local/bin,$(PREFIX)/bin,' "$$to" ;; esac; done

uninstall:
	@$(EACH) rm -f "$$to"; done
	@cd '$(DESTDIR)$(PREFIX)' && find share/ehr share/doc/ehr -depth \
	    -type d -exec rmdir {} + 2>/dev/null; :
