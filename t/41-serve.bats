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

# What the kernel says of the process: field NAME of its status.
state_of() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

@test "it is confined before it reads a byte" {
	[ -e /proc/self/status ] || skip "no /proc here"
	grep -q '^Seccomp:' /proc/self/status || skip "no seccomp in this kernel"
	mkfifo to from
	ehr-serve -v -C A <to >from 2>err &
	pid=$!
	exec 7>to 8<from
	until_ok 10 eval '[ "$(state_of $pid Seccomp)" = 2 ] || [ -s err ]'
	if grep -q 'not confined' err; then
		kill $pid
		skip "$(cat err)"
	fi
	[ "$(state_of $pid NoNewPrivs)" = 1 ]
	grep -q '^Max data size *536870912 *536870912 ' /proc/$pid/limits
	{ version; say verack head bye; } >&7
	wait $pid
	grep -aq "ok 0 $ledger" <&8
	# Nothing more is said of it.
	run ! grep -i confine err
}

@test "a folder that leads out of the ledger is refused" {
	mv A/.ehr/objects elsewhere
	ln -s ../../elsewhere A/.ehr/objects
	refused 1 ehr-serve -C A </dev/null
	[[ $stderr == *"A/.ehr/objects: a symbolic link"* ]]
}

@test "-C is the one ledger, whatever the environment and the names are" {
	{ version; say verack genesis bye; } >in
	ehr-keygen --node -n hospital-z --no-passphrase -o z.key
	ehr-keygen -n zoe -e zoe@example.org --no-passphrase -o zoe.key
	ehr-init -C AB --name other --node-key z.key --admin zoe.key.card >other
	mkdir -p A/below
	# Neither variables nor the working directory name another one,
	for dir in "$PWD/AB" "$PWD/AB/.ehr"; do
		(cd AB && EHR_DIR=$dir SSH_ORIGINAL_COMMAND="ehr-serve -C $dir" \
		    ehr-serve -C ../A) <in >out
		grep -aq "version 1 $ledger" out
		run ! grep -aq "$(<other)" out
	done
	# and what is no ledger is none: not its parent, not one that begins so.
	for dir in A/below A/.ehr/objects A/below/../../AB/below ABC; do
		refused 1 ehr-serve -C $dir </dev/null
	done
	# A path through ".." or a link is the ledger where it ends.
	ln -s A ln
	for dir in A/. AB/../A ln A/.ehr "$PWD/A"; do
		ehr-serve -C "$dir" <in >out
		grep -aq "version 1 $ledger" out
	done
	# The links of somebody else's folder, and such a folder, are not ours.
	if [ "$(id -u)" -eq 0 ]; then
		chown 12345 A/.ehr
		refused 1 ehr-serve -C A </dev/null
		refused 1 ehr-serve -C ln </dev/null
	fi
}

@test "limits are of the config, and the caller is told" {
	{ version; say verack head genesis head bye; } >in
	printf '[serve]\n\tbytes = 600\n' >>A/.ehr/config
	run --separate-stderr ehr-serve -C A < <(version; say verack
	    printf '0010get-pending\n03e8%0996d0000' 0)
	expect 75
	[[ $output == *"again over 600 bytes came on one connection: "* ]]
	[ -z "$stderr" ]
	run ehr-serve -C A <in
	expect 75
	[[ $output == *"again over 600 bytes were sent on one connection: "* ]]
	printf '[serve]\n\tbytes = 0\n\ttime = 1\n' >>A/.ehr/config
	run ehr-serve -C A < <(version; say verack; sleep 20)
	expect 75
	[[ $output == *"again the connection has lasted as long as it may"* ]]
	printf '[serve]\n\ttime = never\n' >>A/.ehr/config
	refused 3 ehr-serve -C A <in
	printf '[serve]\n\ttime = 0\n\tmemory = 0\n' >>A/.ehr/config
	ehr-serve -C A <in >out
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
