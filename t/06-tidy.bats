# t/tidy: each of its rules is broken once, in a copy, and it must see it.

load lib

setup() {
	tmp
	mkdir t
	(
		cd "$top"
		find Makefile README INSTALL .ci lib cmd share contrib t \
		    -type f | tar cf - --ignore-failed-read -T -
	) 2>/dev/null | tar xf -
}

# seen RULE FINDING: tidy has nothing to say of that kind before "broken",
# and exactly this after it.
seen() {
	run t/tidy -b build/tidy "$1"
	[ "$status" -eq 1 ] || { echo "nothing found"; return 1; }
	grep -qxF -- "$2" <<<"$output" || { echo "$output"; return 1; }
}
unseen() {
	run t/tidy -b build/tidy "$1"
	! grep -qxF -- "$2" <<<"$output" || { echo "$output"; return 1; }
}

# object MODULE...: build those, for the rule that reads objects.
object() {
	local m

	for m do
		make -s V=tidy "build/tidy/obj/lib/$m.o"
	done
}

@test "an include against the order inside a folder" {
	want='lib/base/hex.h:1: base/hex must not include "base/text.h"'
	unseen includes "$want"
	sed -i '1i #include "base/text.h"' lib/base/hex.h
	seen includes "$want"
}

@test "an include of a higher layer, in either kind of brackets" {
	sed -i '1i #include <ledger/tx.h>' lib/base/hex.c
	seen includes \
	    'lib/base/hex.c:1: base/hex must not include "ledger/tx.h"'
}

@test "dbft and store do not know each other" {
	printf 'DBFT = core\nSTORE = state\n' >>Makefile
	rm -rf lib/dbft lib/store
	mkdir lib/dbft lib/store
	echo '#include "store/state.h"' >lib/dbft/core.h
	echo '#include "dbft/core.h"' >lib/store/state.h
	seen includes \
	    'lib/dbft/core.h:1: dbft/core must not include "store/state.h"'
	seen includes \
	    'lib/store/state.h:1: store/state must not include "dbft/core.h"'
}

@test "the library does not include what belongs to commands" {
	sed -i '1i #include "cli/cli.h"' lib/base/hex.c
	seen includes 'lib/base/hex.c:1: lib includes "cli/cli.h" of cmd'
}

@test "a private header belongs to the module before it, and to later ones" {
	echo 'BASE = span one one_in two' >>Makefile
	: >lib/base/one_in.h
	: >lib/base/one.h
	echo '#include "base/one_in.h"' | tee lib/base/{one,two}.c >lib/base/span.h
	run t/tidy includes
	grep -q '^lib/base/span.h:1: ' <<<"$output"
	run ! grep -q '^lib/base/one.c\|^lib/base/two.c' <<<"$output"
	echo '#include "base/one_in.h"' >lib/base/one.h
	seen includes 'lib/base/one.h:1: base/one must not include "base/one_in.h"'
}

@test "a file in no list, and a list without its file" {
	: >lib/base/stray.c
	seen includes 'lib/base/stray.c:1: is in no list of the Makefile'
	echo 'BASE += ghost' >>Makefile
	seen includes 'Makefile:1: there is no lib/base/ghost'
}

@test "a pure module that reads the clock" {
	object base/hex base/err base/clock
	unseen pure 'lib/base/hex.c:1: not pure: uses time'
	sed -i '1i long time(long *); long hex_now(void); long hex_now(void) { return time(0); }' lib/base/hex.c
	object base/hex
	seen pure 'lib/base/hex.c:1: not pure: uses time'
}

@test "a pure module that opens a file through a module that may" {
	sed -i '1i int fs_remove(void); int hex_no(void); int hex_no(void) { return fs_remove(); }' lib/base/hex.c
	object base/hex base/fs
	seen pure 'lib/base/hex.c:1: not pure: uses fs_remove'
}

@test "who may not touch the heap can't through another" {
	sed -i '1i void buf_free(void *); void hex_no(void); void hex_no(void) { buf_free(0); }' lib/base/hex.c
	object base/hex base/buf
	seen pure 'lib/base/hex.c:1: not pure: uses buf_free'
}

@test "a pure module that keeps a variable" {
	sed -i '1i int hex_calls(void); int hex_calls(void) { static int calls; return ++calls; }' lib/base/hex.c
	object base/hex
	seen pure 'lib/base/hex.c:1: not pure: keeps state in calls'
}

@test "a library that prints or exits" {
	sed -i '1i #include <stdlib.h>\nvoid clock_stop(void);\nvoid clock_stop(void) { exit(1); }' lib/base/clock.c
	object base/clock
	seen pure 'lib/base/clock.c:3: the library must not use exit'
}

@test "the core of the consensus has no heap" {
	mkdir -p lib/dbft
	printf '#include <stdlib.h>\nvoid *core_new(void);\nvoid *core_new(void) { return malloc(9); }\n' >lib/dbft/core.c
	object dbft/core
	seen pure 'lib/dbft/core.c:3: not pure: uses malloc'
}

@test "purity of nothing is a finding, not a success" {
	seen pure 't/tidy:1: nothing is built in build/tidy'
}

@test "a long line, a long function, a long file" {
	printf '%81s\n' x >lib/base/hex.c
	seen size 'lib/base/hex.c:1: 81 columns'
	printf '\t\t\t\t\t\t\t\t\t\tx\n' >lib/base/hex.c
	seen size 'lib/base/hex.c:1: 81 columns'
	printf '%78s\n' '— é' >lib/base/hex.c
	unseen size 'lib/base/hex.c:1: 81 columns'
	{ printf 'int\nf(void)\n{\n'; yes '	;' | head -n 101; echo '}'; } \
	    >lib/base/hex.c
	seen size 'lib/base/hex.c:3: a function of 101 lines'
	yes ';' | head -n 601 >lib/base/hex.c
	seen size 'lib/base/hex.c:601: 601 lines'
}

@test "blanks at the end, and unfinished work" {
	echo 'int x; ' >lib/base/hex.c
	seen marks 'lib/base/hex.c:1: blanks at the end'
	for word in 'TO''DO' 'FIX''ME' 'X''XX'; do
		echo "/* $word */" >t/unit/note.c
		seen marks 't/unit/note.c:1: unfinished'
	done
	echo 'mktemp -d /tmp/x.XXXXXX' >t/unit/note.c
	unseen marks 't/unit/note.c:1: unfinished'
}

@test "a header that needs another one before it" {
	unseen headers 'lib/base/hex.h:1: does not compile alone'
	echo 'void hex_more(struct span *s, size_t n);' >lib/base/hex.h
	seen headers 'lib/base/hex.h:1: does not compile alone'
}

@test "a command without a page, examples or a test" {
	echo 'int x;' >cmd/ehr-none.c
	seen pages 'cmd/ehr-none.c:1: no page share/man/man1/ehr-none.1'
	mkdir -p share/man/man1
	echo '.Sh NAME' >share/man/man1/ehr-none.1
	seen pages 'share/man/man1/ehr-none.1:1: no EXAMPLES'
	echo '.Sh EXAMPLES' >>share/man/man1/ehr-none.1
	unseen pages 'share/man/man1/ehr-none.1:1: no EXAMPLES'
	rm t/06-tidy.bats
	seen pages 'cmd/ehr-none.c:1: no t/*.bats names it'
	echo '# ehr-none' >t/20-none.bats
	unseen pages 'cmd/ehr-none.c:1: no t/*.bats names it'
}

@test "a page that refers to one which is not there" {
	mkdir -p share/man/man1
	echo '.Xr ehr-nowhere 5 ,' >share/man/man1/ehr-none.1
	seen pages \
	    'share/man/man1/ehr-none.1:1: refers to ehr-nowhere(5), which is not there'
}

@test "a page that mandoc warns of" {
	mkdir -p share/man/man1
	printf '.Dd November 22, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd x\n.Sh A\n.Xx\n' \
	    >share/man/man1/x.1
	run t/tidy lint
	[ "$status" -eq 1 ]
	[[ $output == *"share/man/man1/x.1:8: "* ]]
}

@test "a path of one machine" {
	echo 'x /home''/anne/x' >t/unit/note.c
	seen words 't/unit/note.c:1: a path of one machine'
	echo 'x $dir/home''/x a/root''/b' >t/unit/note.c
	unseen words 't/unit/note.c:1: a path of one machine'
}

@test "broken digests and deprecated calls" {
	for bad in 'EVP_md5()' 'EVP_sha1()' '"SHA-1"'; do
		echo "x = $bad;" >lib/base/hex.c
		seen weak 'lib/base/hex.c:1: a broken digest'
	done
	for bad in 'RSA_new(' 'SHA256_Init(' 'HMAC_Init_ex(' 'EC_KEY_new ('; do
		echo "x = ${bad});" >lib/base/hex.c
		seen weak \
		    'lib/base/hex.c:1: deprecated in OpenSSL 3: use EVP'
	done
	echo 'x = EVP_sha256(); sha512(); SIGN_RSA(' >lib/base/hex.c
	run t/tidy weak
	run ! grep 'lib/base/hex.c' <<<"$output"
}

@test "a script that does not parse" {
	printf '#!/bin/sh\nif true\n' >contrib/broken
	run t/tidy scripts
	[ "$status" -eq 1 ]
	[[ $output == *"contrib/broken:"[23]": "* ]]
}

@test "a tool that breaks is a finding" {
	mkdir fake
	printf '#!/bin/sh\necho awk: broken >&2\nexit 2\n' >fake/awk
	chmod +x fake/awk
	PATH=$PWD/fake:$PATH run t/tidy size
	[ "$status" -eq 1 ]
}
