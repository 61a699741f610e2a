# The Makefile and t/deps: what a stranger does first.

load lib

# A small tree with the real Makefile: three modules, one command.
tree() {
	mkdir -p tree/lib/base tree/cmd tree/t tree/contrib tree/share
	cd tree
	cp "$top/Makefile" .
	echo 'int one(int);' >lib/base/one.h
	echo 'int two(char *, int);' >lib/base/two.h
	cat >lib/base/one.c <<-'END'
	#include "base/one.h"
	int one(int n) { return n + 1; }
	END
	cat >lib/base/two.c <<-'END'
	#include <stdio.h>
	#include "base/one.h"
	#include "base/two.h"
	int two(char *p, int n) { return snprintf(p, 9, "%d", one(n)); }
	END
	cat >cmd/ehr-tiny.c <<-'END'
	#include <stdio.h>
	#include "base/two.h"

	int
	main(int argc, char **argv)
	{
		char line[64];

		two(line, argc);
		snprintf(line, sizeof(line), "%s", argv[0]);
		puts(line);
		return 0;
	}
	END
}

# The make of the tree: BASE is what a Makefile of that size would say.
mk() {
	make BASE="${modules:-one two}" CRYPTO= LEDGER= DBFT= STORE= \
	    NET= RECORD= LOG= LDLIBS= "$@"
}

@test "make builds, and then has nothing to do" {
	tree
	mk
	[ -x build/default/bin/ehr-tiny ]
	run mk
	[ "$output" = "make: Nothing to be done for 'all'." ]
}

@test "a header that changes rebuilds what includes it, and no more" {
	tree
	mk
	: >lib/base/three.h
	run mk
	[ "$output" = "make: Nothing to be done for 'all'." ]
	touch lib/base/two.h
	run mk
	[[ $output == *lib/base/two.c* ]]
	[[ $output == *cmd/ehr-tiny.c* ]]
	[[ $output == *"-o build/default/bin/ehr-tiny "* ]]
	[[ $output != *lib/base/one.c* ]]
	run mk
	[ "$output" = "make: Nothing to be done for 'all'." ]
}

@test "a header that goes away stops nothing" {
	tree
	echo '#include "base/more.h"' >>lib/base/two.c
	: >lib/base/more.h
	mk
	sed -i '$d' lib/base/two.c
	rm lib/base/more.h
	mk
}

@test "other flags rebuild everything, once" {
	tree
	mk
	run mk OPT=-O1
	[[ $output == *lib/base/one.c*lib/base/two.c*-o\ build* ]]
	run mk OPT=-O1
	[ "$output" = "make: Nothing to be done for 'all'." ]
}

@test "a module that leaves the list leaves the library" {
	tree
	mk
	ar t build/default/libehr.a | grep -qx two.o
	modules=one run mk build/default/libehr.a
	run ar t build/default/libehr.a
	[ "$output" = one.o ]
}

@test "a variant has a folder of its own" {
	tree
	mk
	before=$(snapshot build/default)
	mk V=other OPT=-O0
	[ -x build/other/bin/ehr-tiny ]
	[ "$(snapshot build/default)" = "$before" ]
	run mk clean
	[ ! -e build ]
}

@test "a broken source leaves no object behind" {
	tree
	echo 'int broken(void) { return' >>lib/base/two.c
	run mk
	[ "$status" -ne 0 ]
	[ ! -e build/default/obj/lib/base/two.o ]
	run mk
	[ "$status" -ne 0 ]
}

@test "many jobs at once build the same" {
	tree
	mk V=one
	mk V=many -j8
	cmp build/one/bin/ehr-tiny build/many/bin/ehr-tiny
}

# The outer targets with stand-ins for what they start.
outer() {
	tree
	mkdir -p t/fuzz
	printf '#!/bin/sh\necho deps "$@"\n' >t/deps
	printf '#!/bin/sh\necho run "$@", again: $EHR_AGAIN\n' >t/run
	chmod +x t/deps t/run
	cat >t/fuzz/one.c <<-'END'
	#include <stdint.h>
	#include <stddef.h>
	int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
	int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
	{
		return p == NULL && n == 1;
	}
	END
}

@test "make test installs, builds apart, fuzz targets too, and runs" {
	outer
	run mk test
	[ "$status" -eq 0 ]
	[ "$output" = "deps build test
run -b build/test, again: make test" ]
	[ -x build/test/bin/ehr-tiny ]
	nm build/clang/fuzz/one | grep -q __asan_init
	[ ! -e build/default ]
	run mk test V=mine T=t/20-add.bats
	[ "${lines[1]}" = \
	    "run -b build/mine t/20-add.bats, again: make test V=mine" ]
	run mk -j3 test
	[ "${#lines[@]}" -eq 2 ]
}

@test "in tests a warning is an error" {
	outer
	echo 'static int unused;' >>lib/base/one.c
	mk
	run mk test
	[ "$status" -ne 0 ]
	[[ $output != *"run -b"* ]]
}

@test "make asan runs all of it under sanitizers" {
	outer
	run mk asan
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "run -b build/asan, again: make asan" ]]
	nm build/asan/bin/ehr-tiny >symbols
	grep -q __asan_init symbols
	grep -q __ubsan_handle symbols
}

@test "make fuzz runs the targets for longer" {
	outer
	printf '#!/bin/sh\necho $FUZZ_SECONDS $FUZZ_KEEP "$@"\n' >t/run
	run mk fuzz
	[ "${lines[-1]}" = "60 build/clang/corpus t/fuzz/one.c" ]
	run mk fuzz FUZZ_SECONDS=5
	[ "${lines[-1]}" = "5 build/clang/corpus t/fuzz/one.c" ]
}

# hardened FILE: what the loader and the compiler were asked for is there.
hardened() {
	readelf -hW "$1" | grep -q 'Type: *DYN' || { echo "$1: no PIE"; return 1; }
	readelf -lW "$1" | grep -q GNU_RELRO || { echo "$1: no RELRO"; return 1; }
	readelf -dW "$1" | grep -q BIND_NOW || { echo "$1: lazy"; return 1; }
	readelf -lW "$1" | grep 'GNU_STACK' | grep -q 'RW ' ||
	    { echo "$1: stack may be executed"; return 1; }
	readelf -sW "$1" | grep -q __stack_chk_fail ||
	    { echo "$1: no stack protector"; return 1; }
	readelf -sW "$1" | grep -q '__[a-z]*_chk@\|__[a-z]*_chk ' ||
	    { echo "$1: no FORTIFY"; return 1; }
}

@test "by default a command is PIE, full RELRO, canaries, FORTIFY" {
	tree
	mk
	hardened build/default/bin/ehr-tiny
	# The check itself can say no.
	mk V=soft HARDEN= HARDEN_L=-no-pie
	run hardened build/soft/bin/ehr-tiny
	[[ $output == *"no PIE" ]]
	mk V=soft HARDEN_L="-pie -Wl,-z,norelro"
	run hardened build/soft/bin/ehr-tiny
	[[ $output == *"no RELRO" ]]
	mk V=soft HARDEN_L="-pie -Wl,-z,lazy"
	run hardened build/soft/bin/ehr-tiny
	[[ $output == *"lazy" ]]
	mk V=soft HARDEN=-fPIE
	run hardened build/soft/bin/ehr-tiny
	[[ $output == *"no stack protector" ]]
	mk V=soft HARDEN="-fPIE -fstack-protector-all"
	run hardened build/soft/bin/ehr-tiny
	[[ $output == *"no FORTIFY" ]]
}

@test "so is every command that we ship" {
	case $bin in */asan/* | */cov/*) skip "another variant" ;; esac
	for f in "$bin"/*; do
		[ -e "$f" ] || skip "no command is built"
		hardened "$f"
	done
}

# What a release has, in small.
release() {
	tree
	mkdir -p share/man/man1 share/samples/x contrib/{completion,systemd,cron,ssh}
	cp "$top"/contrib/completion/* contrib/completion
	echo 'ExecStart=/usr/local/bin/ehr-tiny' >contrib/systemd/ehr.service
	echo '* * * * * ehr /usr/local/bin/ehr-tiny' >contrib/cron/ehr
	: >contrib/ssh/authorized_keys
	: >README
	: >INSTALL
	echo sample >share/samples/x/a.json
	printf '.Nm ehr-tiny\n.Sh SYNOPSIS\n.Op Fl n Ar name\n' \
	    >share/man/man1/ehr-tiny.1
}

@test "install puts everything below DESTDIR and PREFIX, uninstall takes it" {
	release
	mk
	mkdir ../root
	run mk install DESTDIR="$PWD/../root" PREFIX=/opt/e
	[ "$status" -eq 0 ]
	[[ $output != *gcc* ]]
	cd ../root
	run find . -type f
	[ "$(sort <<<"$output")" = "$(sort <<-'END'
	./opt/e/bin/ehr-tiny
	./opt/e/lib/systemd/system/ehr.service
	./opt/e/share/bash-completion/completions/ehr-tiny
	./opt/e/share/doc/ehr/INSTALL
	./opt/e/share/doc/ehr/README
	./opt/e/share/doc/ehr/authorized_keys
	./opt/e/share/doc/ehr/ehr
	./opt/e/share/ehr/samples/x/a.json
	./opt/e/share/man/man1/ehr-tiny.1
	END
	)" ]
	opt/e/bin/ehr-tiny
	[ -x opt/e/bin/ehr-tiny ]
	[ ! -x opt/e/share/man/man1/ehr-tiny.1 ]
	[ "$(cat opt/e/lib/systemd/system/ehr.service)" = \
	    "ExecStart=/opt/e/bin/ehr-tiny" ]
	grep -q ' /opt/e/bin/ehr-tiny' opt/e/share/doc/ehr/ehr
	# What others have put there stays.
	: >opt/e/bin/other
	cd ../tree
	mk uninstall DESTDIR="$PWD/../root" PREFIX=/opt/e
	run find ../root -type f
	[ "$output" = ../root/opt/e/bin/other ]
	[ ! -e ../root/opt/e/share/ehr ]
	[ ! -e ../root/opt/e/share/doc/ehr ]
}

# fake NAME: a command in ./fake that notes how it was called, and then runs
# its standard input as a script.
fake() {
	mkdir -p fake
	{
		echo '#!/bin/sh'
		echo "echo $1 \"\$*\" >>'$PWD/calls'"
		cat
	} >"fake/$1"
	chmod +x "fake/$1"
}

# deps: t/deps with the fakes, and only what it needs beside them.
deps() {
	run --separate-stderr env PATH="$PWD/fake:/usr/bin:/bin" \
	    "$top/t/deps" "$@"
}

@test "deps: nothing is missing, nothing is said or done" {
	fake apt-get </dev/null
	fake dpkg-query <<-'END'
	for p do case $p in [a-z]*) printf 'installed:%s ' "$p" ;; esac; done
	END
	deps build test cov bench
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
	run ! grep -q apt-get calls
}

# Everything is there but jq, bats and the runtime of clang.
some_missing() {
	fake dpkg-query <<-'END'
	for p do
		case $p in
		jq) printf 'not-installed:jq ' ;;
		bats | libclang-rt*) ;;
		[a-z]*) printf 'installed:%s ' "$p" ;;
		esac
	done
	exit 1
	END
	fake id <<<"echo ${1:-0}"
	fake apt-get </dev/null
}

@test "deps: root installs what is missing, and says what" {
	some_missing
	deps build test
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$stderr" = "ehr: installing bats jq libclang-rt-dev" ]
	run grep -o 'update\|install .*' <(grep apt-get calls)
	[ "${lines[0]}" = update ]
	[ "${lines[1]}" = \
	    "install -y --no-install-recommends bats jq libclang-rt-dev" ]
	[ "${#lines[@]}" -eq 2 ]
	rm calls
	deps build
	[ -z "$stderr" ]
	run ! grep apt-get calls
}

@test "deps: a package of the same purpose is enough" {
	fake dpkg-query <<-'END'
	for p do
		case $p in
		*'*'*) printf 'installed:libclang-rt-19-dev ' ;;
		*) printf 'installed:%s ' "$p" ;;
		esac
	done
	END
	deps test
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "deps: another user asks sudo, which must not ask back" {
	some_missing 1000
	fake sudo <<-'END'
	[ "$1" = -n ] || exit 9
	shift
	exec "$@"
	END
	deps test
	[ "$status" -eq 0 ]
	grep -q '^sudo -n env .*apt-get .* install' calls
	grep -q '^apt-get .* install' calls
}

@test "deps: without sudo it prints the line to run, exit 4" {
	some_missing 1000
	fake sudo <<<'exit 1'
	deps test
	[ "$status" -eq 4 ]
	[ -z "$output" ]
	[ "${stderr_lines[1]}" = \
	    "apt-get update && apt-get install -y bats jq libclang-rt-dev" ]
	run ! grep apt-get calls
}

@test "deps: an installation that fails is exit 4" {
	some_missing
	fake apt-get <<<'exit 100'
	deps test
	[ "$status" -eq 4 ]
	[[ $stderr == *"apt-get install -y bats jq"* ]]
}

@test "deps: an unknown part is usage, and no Debian is no reason to stop" {
	deps nonsense
	[ "$status" -eq 2 ]
	mkdir -p fake
	run env PATH="$PWD/fake" /bin/sh "$top/t/deps" build
	[ "$status" -eq 0 ]
}

@test "make demo needs no test package" {
	run make -n -C "$top" demo
	[[ $output == *"t/deps build"$'\n'* ]]
}
