# flips: whatever is changed in the ledger A, ehr-audit finds and names it.  A
# .bats file loads it after lib.
#
# shellcheck shell=bash

# named FILE: the audit of A is not clean, and speaks of that file of .ehr (or
# of a block that it is).
named() {
	local status=0

	ehr-audit -C A >found 2>&1 || status=$?
	[ $status -eq 1 ] || [ $status -eq 3 ] ||
	    { echo "status $status for $1"; return 1; }
	grep -v '^not checked' found | grep -qF -- "$1" ||
	    { echo "$1 is not named:"; cat found; return 1; }
}

# unchecked WORDS: it is clean, and says that it could not check that.
unchecked() {
	silent ehr-audit -C A
	grep -F "not checked: " <<<"$output" | grep -qF -- "$1" ||
	    { echo "$output"; return 1; }
}

# each FILE...: flip a bit of some bytes of these files of A/.ehr, one at a
# time.
each() {
	local f at size

	for f; do
		size=$(stat -c %s "A/.ehr/$f")
		for ((at = 0; at < size; at += size / 5 + 1)); do
			flip "A/.ehr/$f" $at $((1 << at % 8))
			named "$f" || { echo "byte $at"; return 1; }
			flip "A/.ehr/$f" $at $((1 << at % 8))
		done
	done
}

# in_place FILE: it is cut, longer, empty.
in_place() {
	cp -p "A/.ehr/$1" keep
	truncate -s -1 "A/.ehr/$1" && named "$1" || return 1
	cp keep "A/.ehr/$1" && echo >>"A/.ehr/$1" && named "$1" || return 1
	: >"A/.ehr/$1" && named "$1" || return 1
	cp -p keep "A/.ehr/$1"
}

all() { (cd A/.ehr && find "$@" -type f | sort); }

# peers_file DIR: as if it had been told of one, which was bad.
peers_file() {
	local f=$1/.ehr/peers

	cat >"$f" <<-END
	ehr.v1 peers $(ledger_id "$1")
	address hospital-b ehr@b.example.org
	bad hospital-b 2026-11-22T21:10:11.274Z hospital-b: gave something wrong
	END
	echo "check $(sha256sum <"$f" | cut -c 1-64)" >>"$f"
	chmod 600 "$f"
}
