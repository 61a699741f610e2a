# Ledgers that are damaged, full, foreign or none, and every command that
# meets one: one clear line, the right status, nothing changed.

load lib

setup_file() {
	people
	made=$BATS_FILE_TMPDIR/made
	mkdir "$made" && cd "$made"
	ledger1
	echo content >f
	record bill f >id
	record anne f >staged
	as bill ehr-authorize - <id >/dev/null
	block A
	ehr-log-merkle -C A --roll
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR/made/"{A,f,id,staged} .
	id=$(cat id)
	staged=$(cat staged)
}

teardown() {
	umount "$BATS_TEST_TMPDIR/w/small" 2>/dev/null || :
}

# Commands that print, and those that write, one a line; A is the ledger, and
# words are divided by blanks.
readers() {
	cat <<-END
	ehr-user -C A list
	ehr-user -C A list --json
	ehr-user -C A role list
	ehr-node -C A list
	ehr-query -C A -i $K/kun.key
	ehr-query -C A -i $K/kun.key --json
	ehr-authorize -C A -i $K/anne.key --list
	ehr-authorize -C A -i $K/anne.key --list --json
	ehr-authorize -C A -i $K/bill.key --history $id
	ehr-verify -C A 1
	ehr-verify -C A $id
	ehr-log-merkle -C A --root
	ehr-audit -C A
	ehr-audit -C A --json
	ehr-block -C A list
	ehr-block -C A show 1
	ehr -C A -i $K/kun.key
	END
}
writers() {
	cat <<-END
	ehr-user -C A add $K/tim.key.card -i $K/ada.key
	ehr-user -C A role grant doctor bill@example.org -i $K/ada.key
	ehr-node -C A vote hospital-a
	ehr-node -C A peer hospital-b ehr-serve
	ehr-add -C A -i $K/kun.key -p bill@example.org -l other f
	ehr-authorize -C A -i $K/anne.key $staged
	ehr-authorize -C A -i $K/anne.key --reject $staged
	ehr-authorize -C A -i $K/bill.key --withdraw role:doctor $id
	ehr-authorize -C A -i $K/bill.key --erase patient-request $id
	ehr-show -C A -i $K/kun.key $id
	ehr-show -C A -i $K/kun.key --list $id
	ehr-show -C A -i $K/kun.key --sealed $id
	END
}

# each LIST COMMAND...: COMMAND for each line of it, with its words.
each() {
	local line words

	"$1" >"list.$1"
	while IFS= read -r line; do
		read -ra words <<<"$line"
		"${@:2}" "${words[@]}" || { echo "at: $line"; return 1; }
	done <"list.$1"
}

# none LIST STATUS: each is refused with it, and all together change nothing.
none() {
	contents A >none.before
	each "$1" refused "$2" || return 1
	contents A | diff none.before -
}

@test "they all work, as long as nothing is wrong" {
	each readers silent
	writers | while IFS= read -r line; do
		rm -rf A
		cp -r "$BATS_FILE_TMPDIR/made/A" .
		read -ra words <<<"$line"
		silent "${words[@]}"
	done
}

@test "stdout that is full" {
	full() { "$@" >/dev/full; }
	each readers refused 4 full
	printing() { writers | grep -Ev ' role grant | vote | peer |--reject'; }
	each printing refused 4 full
}

@test "no ledger" {
	rm -rf A
	each readers refused 1
	each writers refused 1
	mkdir A
	each readers refused 1
	: >A/.ehr
	each readers refused 1
	rm A/.ehr
	mkdir A/.ehr
	each readers refused 3
	each writers refused 3
}

@test "somebody else's" {
	chown -R 65534 A/.ehr 2>/dev/null || skip "cannot give files away"
	none readers 1
	none writers 1
}

@test "a genesis that is cut, altered, or another ledger's" {
	for n in 0 "$(($(stat -c %s A/.ehr/genesis) - 1))"; do
		truncate -s "$n" A/.ehr/genesis
		none readers 3
		cp "$BATS_FILE_TMPDIR/made/A/.ehr/genesis" A/.ehr/
	done
	sed -i 's/^delegates 7/delegates 8/' A/.ehr/genesis
	none readers 3
	none writers 3
	ehr-init -C B --name other --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	cp B/.ehr/genesis A/.ehr/genesis
	none readers 3
}

@test "a configuration that is none" {
	echo '[peer "x' >>A/.ehr/config
	none readers 3
	: >A/.ehr/config
	none readers 3
	none writers 3
}

@test "a state that is damaged, cut, gone or from another time is made again" {
	ehr-query -C A -i "$K/kun.key" >want
	for damage in 'truncate -s 5000' 'truncate -s 0' 'truncate -s 4096' \
	    'dd if=/dev/urandom bs=4096 count=3 conv=notrunc status=none of=' \
	    'rm'; do
		cp "$BATS_FILE_TMPDIR/made/A/.ehr/state.db" A/.ehr/
		rm -f A/.ehr/state.db-*
		case $damage in
		*of=) ${damage}A/.ehr/state.db ;;
		*) $damage A/.ehr/state.db ;;
		esac
		ehr-query -C A -i "$K/kun.key" | cmp want - || {
			echo "after $damage"
			return 1
		}
	done
	sqlite3 A/.ehr/state.db 'PRAGMA user_version=99'
	ehr-query -C A -i "$K/kun.key" | cmp want -
	sqlite3 A/.ehr/state.db 'DROP TABLE member'
	run ehr-query -C A -i "$K/kun.key"
	[ "$status" -ne 0 ] || [ "$output" = "$(cat want)" ]
}

@test "a block that is cut, altered or gone: named, when the state needs it" {
	b=A/.ehr/blocks/000000/000000002.gz
	size=$(stat -c %s $b)
	for n in 0 5 $((size / 2)) $((size - 1)); do
		truncate -s $n $b
		rm -f A/.ehr/state.db*
		for c in "ehr-user -C A list" "ehr-query -C A -i $K/kun.key" \
		    "ehr-add -C A -i $K/kun.key -p bill@example.org -l other f"; do
			refused 3 $c
			[[ $stderr == *000000002* ]]
		done
		cp "$BATS_FILE_TMPDIR/made/A/.ehr/blocks/000000/000000002.gz" $b
	done
	ehr-user -C A list >/dev/null
	# With the state at hand it does not matter, until it is looked at.
	truncate -s 5 $b
	ehr-query -C A -i "$K/kun.key" >/dev/null
	refused 3 ehr-verify -C A 2
	refused 3 ehr-block -C A show 2
	run ehr-audit -C A
	[ "$status" -eq 1 ]
}

@test "objects that are cut, altered or gone" {
	mapfile -t parts < <(ehr-verify -C A "$id" |
	    sed -n 's/^\(header\|body\) \([0-9a-f]*\) .*/\2/p')
	[ ${#parts[@]} -eq 2 ]
	for p in "${parts[@]}"; do
		o=A/.ehr/objects/${p:0:2}/$p
		cp "$o" keep
		for n in 0 10 "$(($(stat -c %s "$o") - 1))"; do
			truncate -s "$n" "$o"
			refused 3 as kun ehr-show "$id" -o out
			[ -z "$(find out -type f 2>/dev/null)" ]
			refused 3 ehr-verify -C A "$id"
			cp keep "$o"
		done
		rm "$o"
		unchanged 1 as kun ehr-show "$id" -o out
		refused 1 ehr-verify -C A "$id"
		cp keep "$o"
	done
	silent as kun ehr-show "$id" -o out
	cmp f out/f
}

@test "the segments of what waits: cut ones go to quarantine, and are named" {
	tx=$(as anne ehr-authorize "$staged")
	for seg in A/.ehr/pending/*.seg A/.ehr/staging/*.seg; do
		[ -s "$seg" ]
		truncate -s 200 "$seg"
	done
	run ehr-audit -C A
	[ "$status" -eq 1 ]
	[[ $output == *"FAILED staged"*"FAILED pending"* ]]
	silent as anne ehr-authorize --list
	[ -z "$output" ]
	refused 1 ehr-verify -C A "$tx"
	[ "$(find A/.ehr/quarantine -type f | wc -l)" -eq 2 ]
	ehr-audit -C A >/dev/null
}

@test "keys: cut, altered, another kind, a folder, readable by others" {
	try() { ehr-query -C A -i "$1"; }
	cp "$K/kun.key" bad.key
	chmod 600 bad.key
	for n in 0 20 100 "$(($(stat -c %s "$K/kun.key") - 1))"; do
		truncate -s "$n" bad.key
		unchanged 3 try bad.key
		cp "$K/kun.key" bad.key
	done
	sed 's/^name .*/name u0123456789abcdef/' "$K/kun.key" >bad.key
	unchanged 1 try bad.key
	unchanged 1 try "$K/kun.key.card"
	cp "$K/kun.key.card" bad.key
	unchanged 3 try bad.key
	unchanged 3 try .
	unchanged 1 try nofile
	cp "$K/kun.key" bad.key
	chmod 640 bad.key
	unchanged 1 try bad.key
	unchanged 2 ehr-query -C A -i "$K/kun.key" -i "$K/lea.key"
}

@test "a disk without room: status 4, nothing changed; with room it goes on" {
	mkdir small
	mount -t tmpfs -o size=4m tmpfs small 2>/dev/null ||
	    skip "cannot mount a file system here"
	mv A small/A
	ln -s small/A A
	# The log of SQLite is at hand already, as it is on a node at work.
	contents A/ >before
	writers >list
	while IFS= read -r line; do
		head -c 8M /dev/zero >small/fill 2>/dev/null || :
		read -ra words <<<"$line"
		run --separate-stderr "${words[@]}"
		expect 4 "${words[@]}"
		[ "${#stderr_lines[@]}" -eq 1 ]
		[ -z "$output" ]
		contents A/ | diff before - || { echo "after $line"; return 1; }
		rm small/fill
	done <list
	run --separate-stderr ehr-dbft -C A --once
	while IFS= read -r line; do
		read -ra words <<<"$line"
		case $line in *--reject*) continue ;; esac
		silent "${words[@]}"
	done <list
	block A
	ehr-audit -C A >/dev/null
}

@test "locks of dead processes are none" {
	for lock in lock logs.lock sync.lock state.lock verify.lock consensus/lock; do
		echo 999999 >A/.ehr/$lock
	done
	writers | while IFS= read -r line; do
		case $line in *--reject*) continue ;; esac
		read -ra words <<<"$line"
		silent timeout 10 "${words[@]}"
	done
	silent ehr-log-merkle -C A --roll
	block A
}
