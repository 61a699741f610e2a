# The line that a terminal shows while something takes long.

load lib

setup_file() {
	"${CC:-gcc}" -std=c17 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/pty" \
	    "$BATS_TEST_DIRNAME/pty.c"
	people
	cd "$BATS_FILE_TMPDIR" || return 1
	ledger1
	head -c 200000 /dev/urandom >large
	record bill large >ids
	as bill ehr-authorize - <ids >/dev/null
	block A
	printf '[serve]\n\tpublic = true\n' >>A/.ehr/config
	# Not so fast: what is passed on comes a quarter of a second later.
	# With a number, what comes after so many bytes is nonsense.
	cat >slow <<-'END'
	#!/bin/sh
	part=$(mktemp) n=0
	while dd bs=65536 count=1 2>/dev/null >"$part" && [ -s "$part" ]; do
		sleep 0.25
		n=$((n + $(stat -c %s "$part")))
		[ "$n" -lt "${1:-999999999}" ] || tr '\000' z </dev/zero
		cat "$part"
	done
	rm "$part"
	END
	chmod +x slow
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR"/{A,slow} .
	export TERM=xterm SHELL=/bin/sh
	serve="ehr-serve -C A | ./slow"
}

pty() { "$BATS_FILE_TMPDIR/pty" "$@"; }

# lines: what was drawn over each other, one by one.
lines() {
	tr '\r' '\n' <<<"$output" | sed -n "s/^$(printf '\033')\[K//p"
}

# drew PATTERN
drew() {
	lines | grep -qx "$1" || { echo "no line $1:"; lines; return 1; }
}

@test "a clone says what it does, how fast, and how long it will take" {
	run pty -- ehr-sync clone "$serve" B
	expect 0 pty
	drew 'headers: 0/3, [0-9.]* [KMi]*B.*'
	drew 'blocks: 0/3, [0-9.]* [KMi]*B.*'
	drew 'objects: [0-9]*/[0-9]*, [0-9.]* KiB, [0-9.]* [KMi]*B/s.*'
	# The last thing there is the ledger's id, on a line of its own.
	tr '\r' '\n' <<<"$output" | grep -x "$(printf '\033')\[K$(ledger_id A)"
	run ! grep -E '.{80}' <<<"$(lines)"
}

@test "how long it will take: of many things" {
	for i in $(seq 20); do head -c 20000 /dev/urandom >f$i; done
	ls f* | as kun ehr-add -p bill@example.org -d many -l other - >many
	as bill ehr-authorize - <many >/dev/null
	block A
	run pty -- ehr-sync clone "$serve" B
	expect 0 pty
	drew 'objects: [0-9]*/[0-9]*, .* [KMi]*B/s, [0-9]*:[0-9][0-9] left'
}

@test "no line is wider than the terminal" {
	run pty -- sh -c 'stty cols 24; exec ehr-sync clone "$1" B' sh "$serve"
	expect 0 pty
	drew 'objects: [0-9]*/[0-9]*.*'
	run ! grep -E '.{24}' <<<"$(lines | grep :)"
}

@test "it is gone before anything else is said" {
	# In the middle of an object.
	run pty -- ehr-sync clone "$serve 150000" B
	expect 3 pty
	drew 'objects: .*'
	drew 'ehr-sync: .*'
	run ! grep -E '[a-z]: [0-9].*ehr-sync' <<<"$(lines)"
}

@test "an audit of what comes slowly, too" {
	ehr-sync -C A bundle create whole.tar
	run pty -- sh -c './slow <whole.tar | ehr-audit -'
	expect 0 pty
	drew 'entries: [0-9]*, [0-9.]* [KMi]*B, [0-9.]* [KMi]*B/s'
}

@test "nothing of it with -q, at a dumb terminal, in the background, in a pipe" {
	run pty -- ehr-sync clone -q "$serve" B
	expect 0 pty
	[[ $output != *$'\033'* ]]
	TERM=dumb run pty -- ehr-sync clone "$serve" C
	expect 0 pty
	[[ $output != *$'\033'* ]]
	run pty -- bash -c 'set -m; ehr-sync clone "$1" D & wait' sh "$serve"
	expect 0 pty
	[[ $output != *$'\033'* ]]
	silent ehr-sync clone "$serve" E
}
