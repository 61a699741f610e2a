# ehr-serve: one connection, as bytes.

load lib

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD
	pw
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n ada -e ada@example.org --passphrase-file pw -o ada.key
	ehr-init -C A --name za-ehr --node-key a.key --admin ada.key.card \
	    >ledger
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,ledger} .
	ledger=$(<ledger)
}

# say LINE ...: each as a message without payload.
say() {
	local line

	for line do
		printf '%04x%s\n0000' $((${#line} + 5)) "$line"
	done
}
now() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }
version() {
	say "version 1 $ledger 0 $ledger $(now) - 0123456789abcdef0123456789abcdef"
}
# Packets on lines of their own, as ehr-protocol(5) shows them.
show() { sed 's/0000/\n0000\n/g' | grep -v '^0000$\|^$'; }

@test "the conversation that ehr-protocol(5) shows" {
	version >in
	[ "$(head -c 4 in)" = 00ce ]
	say verack head bye >>in
	ehr-serve -C A <in >out
	[ "$(head -c 4 out)" = 00d7 ]
	head -c 225 out | grep -aq "^00d7version 1 $ledger 0 $ledger 20.* hospital-a [0-9a-f]\{32\}$"
	tail -c +216 out | head -c 17 | cmp - <(printf '0000000dok chain\n')
	tail -c +233 out | head -c 9 | grep -q '^00ffehr.v'
	grep -aq "^node hospital-a$" out
	grep -aq "^peer -$" out
	grep -aq "^nonce 0123456789abcdef0123456789abcdef$" out
	tail -c 93 out >end
	printf '0000004aok 0 %s\n00000007ok\n0000' "$ledger" | cmp - end
	# The welcome is a note of the node on the ledger.
	sed -n '/ehr.v1 welcome/,/^— /p' out | sed '1s/.*\(ehr.v1 welcome\)/\1/' \
	    >note
	ehr-verify -C A note
}

@test "it ends when the caller closes, and says nothing by itself" {
	{ version; say verack; } >in
	run --separate-stderr ehr-serve -C A <in
	expect 0
	[ -z "$stderr" ]
	run --separate-stderr ehr-serve -C A </dev/null
	expect 1
	[[ $output == "0047no nobody spoke; "* ]]
	[ -z "$stderr" ]
}

@test "-v narrates on standard error" {
	{ version; say verack head secret bye; } >in
	ehr-serve -v -C A <in 2>err >out
	grep -qx 'ehr-serve: (anonymous): verack: ok chain' err
	grep -qx "ehr-serve: (anonymous): head: ok 0 $ledger" err
	grep -q 'ehr-serve: (anonymous): secret: no ' err
}

@test "garbage is 3, at once and without a word on stderr" {
	for text in 'GET / HTTP/1.0' '0004' 'zzzz' '0009head
0000'; do
		run --separate-stderr ehr-serve -C A <<<"$text"
		expect 3
		[ -z "$stderr" ]
		[[ $output == *"no "* ]]
	done
	{ version; say verack; printf 'ffff'; } >in
	run ehr-serve -C A <in
	expect 3
	head -c 100000 /dev/urandom >noise
	run ehr-serve -C A <noise
	[ "$status" -eq 3 ]
}

@test "whatever command ssh was asked for, it serves" {
	{ version; say verack bye; } >in
	SSH_ORIGINAL_COMMAND='cat /etc/passwd' ehr-serve -C A <in >out
	grep -aq 'ok chain' out
	run ! grep -aq root: out
}

@test "a ledger that is not there, a wrong call" {
	refused 1 ehr-serve -C nowhere </dev/null
	refused 2 ehr-serve -C A serve </dev/null
	refused 2 ehr-serve -C A --read-write </dev/null
	printf '[net]\n\ttimeout = soon\n' >>A/.ehr/config
	refused 3 ehr-serve -C A </dev/null
}

@test "silence ends it" {
	printf '[net]\n\ttimeout = 1\n\tidle = 1\n' >>A/.ehr/config
	start=$SECONDS
	run ehr-serve -C A < <(sleep 20)
	expect 75
	run ehr-serve -C A < <(version; say verack; sleep 20)
	expect 75
	run ehr-serve -C A < <(version; say verack; printf 000; sleep 20)
	expect 75
	[ $((SECONDS - start)) -lt 15 ]
}

@test "a reader that goes away ends it quietly" {
	{ version; say verack; for i in $(seq 2000); do say genesis; done; } >in
	ehr-serve -C A <in 2>err | head -c 1000 >/dev/null
	[ ! -s err ]
}

@test "many at once" {
	{ version; say verack head genesis bye; } >in
	for i in $(seq 20); do
		ehr-serve -C A <in >out.$i &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in $(seq 20); do
		grep -aq "004aok 0 $ledger" out.$i
		tail -c 11 out.$i | grep -q '^0007ok$'
	done
}
