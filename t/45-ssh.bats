# Four hospitals, as INSTALL joins them, over ssh: each has a real sshd, on a
# loopback port of its own, with its own keys and forced command.

load lib
load ssh

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export XDG_CONFIG_HOME=$PWD/config EHR_PASSPHRASE_FILE=$PWD/pw
	ssh_found || return 0
	pw
	ssh_wrapper
	export PATH=$PWD/bin:$PATH
	for x in a b c d; do
		mkdir -m 700 hospital-$x
		run_sshd $x 127.0.0.1 || return 1
	done
	walk_through
}

teardown_file() {
	local f

	cd "$BATS_FILE_TMPDIR" || return 1
	for f in sshd.*.pid; do
		[ ! -s "$f" ] || kill "$(<"$f")" || true
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	[ -n "$sshd" ] && [ -n "$real_ssh" ] || skip "no ssh and sshd here"
	export HOME=$PWD/hospital-a EHR_PASSPHRASE_FILE=$PWD/pw
}

# install_lines SECTION: what a user types there.
install_lines() {
	awk -v n="$1." '/^[0-9]+\. / { on = $1 == n } on' "$top/INSTALL" |
	    sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' |
	    sed -n 's/^	\$ //p'
}

# at_hospital X: read lines, and type them there.
at_hospital() {
	local dir=$PWD/hospital-$1

	sed "s|/var/lib/ehr|$dir|g; s/LEDGERID/${ledger-}/" >line
	(
		cd "$dir" && HOME=$dir
		export HOME
		# Typed by a person: ^D comes at once.
		sh -e ../line </dev/null
	) || { echo "at hospital-$1:"; cat line; return 1; }
}

walk_through() {
	local x y

	# 3. A node.
	for x in a b c d; do
		install_lines 3 | sed "s/hospital-a/hospital-$x/" |
		    at_hospital $x >/dev/null || return 1
	done
	# By mail.
	for x in b c d; do
		cp hospital-$x/node.key.card hospital-a/hospital-$x.card
	done
	# 4. The ledger.
	ledger=$(install_lines 4 | at_hospital a | grep -x '[0-9a-f]\{64\}') ||
	    return 1
	echo "$ledger" >ledger
	# 5. ssh, both ways.
	for x in a b c d; do
		cp known_hosts hospital-$x/.ssh/known_hosts
		for y in a b c d; do
			[ $x = $y ] || sed -n "s|^	\(restrict.*\) \
ssh-ed25519 AAAA.*|\1 $(<hospital-$y/.ssh/id_ed25519.pub)|p" "$top/INSTALL" |
			    sed "s|/var/lib/ehr|$PWD/hospital-$x|"
		done >hospital-$x/.ssh/authorized_keys
		[ "$(wc -l <hospital-$x/.ssh/authorized_keys)" -eq 3 ]
	done
	install_lines 5 | at_hospital a 2>hello >&2 && return 1
	grep 'no ledger there' hello || { cat hello; return 1; }
	install_lines 5 | sed 's/hospital-b/hospital-a/' |
	    at_hospital b >hello || true
	grep -qa 'here answers ehr-serve' hello || { cat hello; return 1; }
	# 6. The others join.
	for x in b c d; do
		install_lines 6 | grep '^ehr-sync clone' | at_hospital $x ||
		    return 1
	done
	for x in a b c d; do
		for y in a b c d; do
			[ $x = $y ] || install_lines 6 |
			    grep '^ehr-node.*hospital-b' |
			    sed "s/hospital-b/hospital-$y/g" |
			    at_hospital $x || return 1
		done
	done
	[ "$(install_lines 6 | grep -c '^ehr-node')" -eq 3 ]
	for x in a b c d; do
		install_lines 6 | grep '^ehr-sync -C' | at_hospital $x ||
		    return 1
	done
}

# sync_at X [OPTION...]: with all.
sync_at() {
	HOME=$PWD/hospital-$1 ehr-sync -C hospital-$1 "${@:2}"
}

# everywhere HEIGHT: all make their attempts until they are there.
everywhere() {
	local i x

	for i in $(seq 20); do
		for x in a b c d; do
			HOME=$PWD/hospital-$x ehr-dbft -C hospital-$x --once \
			    2>>said || [ $? -eq 75 ] || return 1
		done
		for x in a b c d; do
			ehr-block -C hospital-$x list | grep -q "^$1 " ||
			    continue 2
		done
		return 0
	done
	cat said
	return 1
}

@test "four hospitals that were joined as INSTALL says agree, over ssh" {
	ehr-keygen -n 'Kun M' --no-passphrase -o kun.key
	ehr-keygen -n Bill --no-passphrase -o bill.key
	ehr-user -C hospital-a add --role doctor kun.key.card \
	    -i hospital-a/admin.key
	ehr-user -C hospital-a add bill.key.card -i hospital-a/admin.key >bill
	silent sync_at a
	everywhere 1
	for x in b c d; do
		silent sync_at $x
		ehr-user -C hospital-$x list | grep "$(<bill)"
		cmp <(ehr-block -C hospital-a list) \
		    <(ehr-block -C hospital-$x list)
		ehr-audit -C hospital-$x
	done
}

@test "no shell: whatever is asked for, it is ehr-serve on that one ledger" {
	ssh ehr@hospital-b 'cat /etc/passwd' </dev/null >out 2>&1 || true
	run ! grep -q '^root:' out
	grep -a 'here answers ehr-serve' out
	run ssh ehr@hospital-b "ehr-serve -C $PWD/hospital-c" </dev/null
	run ! grep -q hospital-c <<<"$output"
	# A key that is not in authorized_keys.
	mkdir -p stranger/.ssh
	ssh-keygen -q -t ed25519 -N '' -f stranger/.ssh/id_ed25519
	cp known_hosts stranger/.ssh
	HOME=$PWD/stranger refused 75 ehr-sync clone \
	    'ssh -q ehr@hospital-b ehr-serve' X --ledger "$(<ledger)"
}

@test "with a stolen ssh key, but no node key, one is not a node" {
	echo 'what is private' >r.txt
	ehr-add -C hospital-b -i kun.key -p "$(<bill)" -d 'a result' \
	    -l laboratory r.txt
	mkdir -p thief/.ssh
	cp hospital-a/.ssh/id_ed25519 known_hosts thief/.ssh
	ehr-keygen --node -n hospital-a --no-passphrase -o thief/node.key
	export HOME=$PWD/thief
	# The chain is for anybody who comes so far; what waits is not.
	run ehr-sync clone 'ssh ehr@hospital-b ehr-serve' thief/L \
	    --ledger "$(<ledger)"
	expect 0
	ehr-node -C thief/L peer hospital-b 'ssh ehr@hospital-b ehr-serve'
	ehr-sync -C thief/L || true
	[ -z "$(find thief/L/.ehr/staging thief/L/.ehr/pending -name '*.seg')" ]
	# Nor does it help to say that one is hospital-a.
	run ehr-sync clone 'ssh ehr@hospital-b ehr-serve' thief/M \
	    --node-key thief/node.key --ledger "$(<ledger)"
	[ -z "$(find thief/M -path '*staging/*' -o -path '*pending/*.seg')" ]
	[ ! -e thief/M/.ehr/secret ]
	# The real one gets it.
	HOME=$PWD/hospital-a
	sync_at a hospital-b
	[ -n "$(find hospital-a/.ehr/staging -name '*.seg')" ]
}

@test "the first user, as INSTALL says" {
	[ "$(install_lines 8 | wc -l)" -eq 3 ]
	h=$(ehr-block -C hospital-a list -n 1 | cut -d ' ' -f 1)
	install_lines 8 | at_hospital a >/dev/null
	everywhere $((h + 1))
	# Rounds carry blocks; objects come with the next sync.
	for x in b c d; do silent sync_at $x; done
	install_lines 8 | tail -n 1 | at_hospital b >users
	grep "^$(sed -n 's/^name //p' hospital-a/kun.key.card)" users
}

@test "a node that was restored without its votes, as INSTALL says" {
	[ "$(install_lines 9 | wc -l)" -eq 5 ]
	rm -r hospital-d/.ehr/consensus
	HOME=$PWD/hospital-d refused 3 ehr-dbft -C hospital-d --once
	[[ $stderr == *"journal: missing"*"ehr-dbft renew"* ]]
	install_lines 9 | sed "s|/usr/local/share/doc/ehr|$top/contrib|" |
	    at_hospital d
}

# message LINE [FILE]: as ehr-protocol(5) has it, with the file as payload.
message() {
	printf '%04x%s\n' $((${#1} + 5)) "$1"
	[ $# -lt 2 ] || { printf '%04x' $(($(stat -c %s "$2") + 4)); cat "$2"; }
	printf 0000
}

item() { printf 'item %s\n' "$(stat -c %s "$1")"; cat "$1"; }

# connected NAME: the thief, as NAME, with hospital-b: file 7 is what he says,
# the file heard what comes, and $nonce of it.  He never hangs up.
connected() {
	local id=$(<ledger)

	rm -f speak
	mkfifo speak
	HOME=$PWD/thief timeout 60 ssh ehr@hospital-b ehr-serve \
	    <speak >heard 2>&1 3>&- &
	pid=$!
	exec 7>speak
	message "version 1 $id 0 $id $(date -u +%Y-%m-%dT%H:%M:%S.%3NZ) $1 \
0123456789abcdef0123456789abcdef" >&7
	until_ok 20 grep -aq '^....version .* [0-9a-f]*$' heard
	nonce=$(sed -n '1s/.* //p' heard)
}

# It was for the server to end it.
hung_up() {
	local status=0

	wait "$pid" || status=$?
	exec 7>&-
	[ "$status" -eq "$1" ] || { cat heard; return 1; }
}

@test "nor does the thief get anything in, whatever he says by hand" {
	local b=hospital-b

	find hospital-a/.ehr/staging -name '*.seg' -exec cat {} + >staged
	echo 'ehr.v1 nonsense' >tx
	echo 'ehr.v1 prepare' >vote
	item staged >staged.item
	item tx >tx.item
	printf '[net]\n\tidle = 2\n' >>$b/.ehr/config
	contents $b >before
	connected -
	{
		message verack
		message consensus vote
		message put-staged staged.item
		message put-pending tx.item
		message get-staged
		message secret
	} >&7
	hung_up 75
	for f in consensus put-staged put-pending get-staged secret; do
		grep -aq "no \"$f\" is only for nodes of this ledger" heard
	done
	# With the name of the hospital whose key it is, and a key of his own.
	connected hospital-a
	ehr-sign -i thief/node.key >proof <<-END
	ehr.v1 hello $(<ledger)
	node hospital-a
	peer hospital-b
	nonce $nonce
	END
	message verack proof >&7
	hung_up 1
	cat heard
	grep -aq 'no .*hospital-a' heard
	run ! grep -aq '^....ok' heard
	contents $b | diff before -
}
