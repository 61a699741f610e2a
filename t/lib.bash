# lib: what all .bats files share.  A file begins with
#
#	load lib
#
# and then each of its tests starts in an empty folder of its own, with the
# commands that were built first in PATH and a home without settings.
#
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
bin=${EHR_BIN:-$top/build/test/bin}
shared=${EHR_SHARED:-${top%/*}/shared}
export PATH=$bin:$PATH EHR_BIN=$bin LC_ALL=C.UTF-8
unset EHR_DIR EHR_PASSPHRASE_FILE NO_COLOR

# A file with a setup of its own calls tmp in it.
setup() {
	tmp
}

tmp() {
	mkdir -p "$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/w"
	export HOME=$BATS_TEST_TMPDIR/home
	export XDG_CONFIG_HOME=$HOME/.config
	cd "$BATS_TEST_TMPDIR/w" || return 1
}

# pw [FILE [PASSPHRASE]]: a passphrase file.
pw() {
	printf '%s\n' "${2:-correct horse battery staple}" >"${1:-pw}"
	chmod 600 "${1:-pw}"
}

# sample NAME: the path of a file of ../shared/samples; without that folder
# the test is skipped.
sample() {
	[ -e "$shared/samples/$1" ] || skip "no samples beside the tree"
	echo "$shared/samples/$1"
}

# need TOOL...: skip where the machine lacks one that t/deps does not install.
need() {
	local tool

	for tool do
		command -v "$tool" >/dev/null || skip "no $tool here"
	done
}

# silent COMMAND...: status 0, nothing on stderr; its stdout is in $output.
silent() {
	run --separate-stderr "$@"
	expect 0 "$@" || return 1
	[ -z "$stderr" ] || { echo "$* said: $stderr"; return 1; }
}

# refused STATUS COMMAND...: that status, one line on stderr, no stdout.
refused() {
	local want=$1

	shift
	run --separate-stderr "$@"
	expect "$want" "$@" || return 1
	[ -z "$output" ] || { echo "$* wrote: $output"; return 1; }
	[ "${#stderr_lines[@]}" -eq 1 ] || {
		echo "$*: not one line on stderr: $stderr"
		return 1
	}
}

# expect STATUS COMMAND...: of the last run; says what happened otherwise.
expect() {
	[ "$status" -eq "$1" ] && return 0
	echo "${*:2}: status $status, want $1"
	printf '%s\n' "stdout: $output" "stderr: ${stderr-}"
	return 1
}

# until_ok SECONDS COMMAND...: again and again until it succeeds.
until_ok() {
	local n=$(($1 * 10))

	shift
	while ! "$@"; do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "never succeeded: $*"; return 1; }
		sleep 0.1
	done
}

# ended SECONDS COMMAND...: by SIGKILL after so long; its status counts for
# nothing.  In the foreground timeout waits until it is gone; else it dies of
# its own signal first, while the other still holds its locks.
ended() {
	timeout --foreground -s KILL "$@" || :
}

# flip FILE [AT [MASK]]: change bits of one byte, of the middle one without AT.
flip() {
	local at=${2:-$(($(stat -c %s "$1") / 2))} byte

	byte=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "$(printf '\\%03o' $((byte ^ ${3:-1})))" |
	    dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
}

# Everything below folder $1 by name, mode and content: to compare with later.
snapshot() {
	(cd "$1" && find . -type f -printf '%P %m ' -exec sha256sum {} \; |
	    sort)
}

# --- ledgers ------------------------------------------------------------------

# people: keys and cards for a file's tests, in $K, without passphrases: the
# node a, the administrator ada, doctors kun and lea, patients bill, anne, tim.
# For setup_file.
people() {
	local who

	export K=$BATS_FILE_TMPDIR/keys
	mkdir -p "$K"
	ehr-keygen --node -n hospital-a --no-passphrase -o "$K/a.key"
	for who in ada kun lea bill anne tim; do
		ehr-keygen -n "${who^} Example" -e "$who@example.org" \
		    --no-passphrase -o "$K/$who.key"
	done
}

# handle WHO
handle() {
	sed -n 's/^name //p' "$K/$1.key.card"
}

# as WHO COMMAND...: with that key, at the ledger A.
as() {
	"$2" -C A -i "$K/$1.key" "${@:3}"
}

# block DIR: one block, which must be made.
block() {
	ehr-dbft -C "$1" --once >block.out && [ -s block.out ]
}

# ledger1: a ledger of the one node in the folder A.  Kun and Lea are doctors,
# Bill and Anne are patients, Tim is nobody; the doctors have their key.  It
# is made once for a file, and copied.
ledger1() {
	local made=$BATS_FILE_TMPDIR/ledger1

	[ -e "$made/A" ] || (
		mkdir -p "$made"
		cd "$made"
		ehr-init -C A --name za-ehr --node-key "$K/a.key" \
		    --admin "$K/ada.key.card" --interval 0
		as ada ehr-user add --role doctor "$K"/{kun,lea}.key.card
		as ada ehr-user add "$K"/{bill,anne}.key.card
		block A
		as kun ehr-query -q || :
		block A
	) >/dev/null || return 1
	cp -r "$made/A" .
}

# record PATIENT FILE...: Kun adds one of them for that patient; prints its id.
record() {
	as kun ehr-add -p "$1@example.org" -d "about $1" -l other "${@:2}"
}

# contents DIR: all that counts in the ledger directory DIR/.ehr.
contents() {
	snapshot "$1/.ehr" | grep -Ev \
	    '^(state\.db(-wal|-shm)?|([a-z]+\.|consensus/)?lock) '
}

# unchanged STATUS COMMAND...: refused, and nothing in A is another.
unchanged() {
	contents A >unchanged.before
	refused "$@" || return 1
	contents A | diff unchanged.before - || {
		echo "${*:2} changed the ledger"
		return 1
	}
}

# wait_in DIR KIND FILE...: put these notes where transactions (pending) or
# records (staging) wait, as one segment, whatever the rules say.
wait_in() {
	local f name=20260101T000000000Z-$(printf '%08x%08x' $RANDOM $RANDOM).seg

	{
		echo "ehr.v1 segment $2"
		for f in "${@:3}"; do
			echo "$(sha256sum <"$f" | cut -c 1-64) $(stat -c %s "$f")"
			cat "$f"
			echo
		done
		echo "end $(($# - 2))"
	} >"$1/.ehr/$2/$name"
	chmod 600 "$1/.ehr/$2/$name"
}

# framed FILE <TEXT: a block's file (ehr-block(5)) with that text.
framed() {
	gzip -nc | tail -c +11 >deflated
	{
		printf '\037\213\010\004\0\0\0\0\0\377\010\0EH\004\0'
		gzip -c deflated | tail -c 8 | head -c 4
		cat deflated
	} >"$1"
	rm deflated
}

# ledger_id DIR
ledger_id() {
	sha256sum <"$1/.ehr/genesis" | cut -c 1-64
}
