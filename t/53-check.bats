# ehr-log-merkle --check: what is damaged is found, and repaired from what is
# certified; nobody is believed for being many.

load lib
load four
load check

# Made once: four hospitals with three blocks and their logs.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD EHR_PASSPHRASE_FILE=$PWD/pw
	local d

	four
	three_blocks
	for d in A B C D; do
		ehr-sync -C $d
	done
	for d in A B C D; do
		ehr-log-merkle -C $d --roll
		ehr-log-merkle -C $d --check
	done
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,pw,*.key,*.card} .
	export EHR_PASSPHRASE_FILE=$PWD/pw
}

# stored DIR: what a repair must bring back.
stored() {
	snapshot "$1/.ehr" | grep -E '^(blocks|objects|logs|tiles)/'
}

block2=.ehr/blocks/000000/000000002.gz

@test "nothing is wrong: silence, and no event" {
	silent ehr-log-merkle -C A --check
	[ ! -e A/.ehr/events ]
	silent ehr-log-merkle -C A --check -n
}

@test "a block that was altered, cut, emptied or removed comes from a peer" {
	stored A >before
	for how in "flip A/$block2 100" "flip A/$block2 3" \
	    "truncate -s 50 A/$block2" "truncate -s 0 A/$block2" \
	    "rm A/$block2" "cp A/.ehr/blocks/000000/000000001.gz A/$block2"; do
		$how
		checked 10 A
		[[ $stderr == *"repaired: "*"$block2 "*"taken from hospital-"* ]]
		zcat A/$block2 | cmp - <(zcat B/$block2)
		ehr-audit -C A
	done
	[ "$(ls A/.ehr/quarantine | grep -c '^000000002.gz')" -eq 5 ]
	[ "$(events A damaged)" -eq 6 ]
	[ "$(events A repaired)" -eq 6 ]
}

@test "blocks that were cut off the end, with the state or without it" {
	rm A/.ehr/blocks/000000/00000000[23].gz
	refused 3 ehr-log-merkle -C A --roll
	checked 10 A
	at 3
	# Without anything that knows of them, they come with the next sync.
	rm A/.ehr/blocks/000000/000000003.gz A/.ehr/state.db* A/.ehr/logs/*
	refused 1 ehr-log-merkle -C A --check
	ehr-sync -C A
	at 3
}

@test "what was put among the blocks goes to quarantine" {
	cp A/$block2 A/.ehr/blocks/000000/000000004.gz
	cp A/$block2 A/.ehr/blocks/000000/000000077.gz
	echo hello >A/.ehr/blocks/000000/hello
	checked 10 A
	[ "$(ls A/.ehr/blocks/000000 | wc -l)" -eq 3 ]
	for f in 000000004.gz 000000077.gz hello; do
		[ -e A/.ehr/quarantine/$f ]
	done
}

@test "a log that was altered, cut or removed is made again, to the bytes" {
	stored A >before
	log=$(ls A/.ehr/logs/* | tail -n 1)
	for how in "sed -i s/enroll/enrol1/ $log" "truncate -s 20 $log" \
	    "truncate -s 0 $log" "cp A/.ehr/genesis $log"; do
		$how
		checked 10 A
		stored A | diff before -
	done
	[ "$(ls A/.ehr/quarantine | wc -l)" -eq 4 ]
	# What does not belong there goes, too.
	cp "$log" A/.ehr/logs/1999-01-01_00
	checked 10 A
	stored A | diff before -
}

@test "with -n nothing is changed, and the status is 1" {
	log=$(ls A/.ehr/logs/* | tail -n 1)
	sed -i s/enroll/enrol1/ "$log"
	contents A >before
	run --separate-stderr ehr-log-merkle -C A --check -n
	expect 1
	[[ $stderr == *"${log#A/.ehr/} differs"* ]]
	flip A/$block2 100
	contents A >before
	run --separate-stderr ehr-log-merkle -C A --check -n
	expect 1
	[[ $stderr == *"$block2"* ]]
	contents A | diff before -
}

@test "an object that was altered, cut or removed comes from a peer" {
	stored A >before
	n=0
	for o in $(find A/.ehr/objects -type f); do
		flip "$o" 70
		checked 10 A
		rm "$o"
		find A/.ehr/objects -type f | grep -q "$o" && return 1
		checked 10 A
		n=$((n + 1))
		ehr-audit -C A
	done
	[ $n -gt 0 ]
}

@test "a state that was altered is made again from the blocks" {
	need sqlite3
	dump() {
		sqlite3 -readonly "$1/.ehr/state.db" \
		    '.dump block delegate user key role member node tx record'
	}
	dump A >before
	for sql in "UPDATE user SET sign=(SELECT sign FROM node LIMIT 1)" \
	    "DELETE FROM tx WHERE seq=2" "UPDATE meta SET value=99 WHERE
	    key='height'" "INSERT INTO node VALUES('mallory', 'x', 'y', 1)"; do
		sqlite3 A/.ehr/state.db "$sql"
		checked 10 A
		[[ $stderr == *"repaired: "*"state.db"* ]]
		dump A | diff before -
	done
	# Bytes that are no database any more.
	for at in 5 4200 9000; do
		sqlite3 A/.ehr/state.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
		printf 'garbage garbage garbage' |
		    dd of=A/.ehr/state.db bs=1 seek=$at conv=notrunc status=none
		run ehr-log-merkle -C A --check
		[ "$status" -eq 10 ] || [ "$status" -eq 0 ] || return 1
		dump A | diff before -
	done
}

@test "a peer's damage is not taken, and another peer is asked" {
	flip A/$block2 100
	flip B/$block2 100
	checked 10 A
	[[ $stderr != *"taken from hospital-b"* ]]
}

@test "nobody has it: an alarm each time, and nothing is changed" {
	flip A/$block2 100
	for d in B C D; do
		rm $d/.ehr/blocks/000000/00000000[23].gz $d/.ehr/state.db*
	done
	contents A | grep -v ' events\|^events ' >before
	checked 12 A
	[[ $stderr == *"alarm: "*"no peer that answers has the right one"* ]]
	checked 12 A
	contents A | grep -v ' events\|^events ' | diff before -
	[ "$(events A alarm)" -eq 2 ]
}

# forge DIR: block 3 with another time, under the old signatures: a history
# that the certificates do not cover.
forge() {
	local f=$1/.ehr/blocks/000000/000000003.gz

	zcat "$f" | sed '0,/^time /{ /^time /{ s/0Z$/1Z/;t
		s/.Z$/0Z/ } }' >forged
	framed "$f" <forged
}

@test "two colluding peers of three do not make us take their history" {
	forge B
	forge C
	cmp B/.ehr/blocks/000000/000000003.gz C/.ehr/blocks/000000/000000003.gz
	# Ours is right: nothing happens to it, whatever they say.
	stored A >before
	run --separate-stderr ehr-log-merkle -C A --check
	stored A | diff before -
	# Ours is gone: the honest one of three has it.
	rm A/.ehr/blocks/000000/000000003.gz
	run --separate-stderr ehr-log-merkle -C A --check
	expect 12
	[[ $stderr == *"alarm: "*"does not verify"*"was not taken"* ]]
	[[ $stderr == *"repaired: "*"taken from hospital-d"* ]]
	stored A | diff before -
	# And without an honest one, nothing is taken.
	ehr-node -C A peer hospital-d 'exit 1'
	rm A/.ehr/blocks/000000/000000003.gz
	run --separate-stderr ehr-log-merkle -C A --check
	expect 12
	[ ! -e A/.ehr/blocks/000000/000000003.gz ]
}

@test "another history here is outvoted, and goes to quarantine" {
	stored A >before
	forge A
	checked 11 A
	[[ $stderr == *"outvoted: "*"000000003.gz"* ]]
	[ -e A/.ehr/quarantine/000000003.gz ]
	stored A | diff before -
}

@test "peers that are silent, away or behind do no harm" {
	ehr-node -C A peer hospital-b 'sleep 60'
	ehr-node -C A peer hospital-c 'exit 1'
	rm D/.ehr/blocks/000000/000000003.gz D/.ehr/state.db*
	printf '[net]\n\ttimeout = 1\n' >>A/.ehr/config
	run --separate-stderr ehr-log-merkle -C A --check -v
	expect 0
	[[ $stderr == *"1 of 3 peers answered"* ]]
	flip A/$block2 100
	checked 10 A
	[[ $stderr == *"taken from hospital-d"* ]]
}

@test "the event is told to the owner's program, without a shell" {
	mkdir -p A/.ehr/hooks
	cat >A/.ehr/hooks/tell <<-'H'
	#!/bin/sh
	printf '%s\n' "$#" "$1" "$2" "$3" "$EHR_DIR" >>"$EHR_DIR/../told"
	H
	chmod 700 A/.ehr/hooks/tell
	printf '[check]\n\thook = tell\n' >>A/.ehr/config
	echo 'x' >'A/.ehr/logs/$(touch pwned); touch pwned'
	checked 10 A
	[ "$(sed -n 1p A/told)" = 3 ]
	[ "$(sed -n 2p A/told)" = repaired ]
	[ "$(sed -n 3p A/told)" = 'logs/$(touch pwned); touch pwned' ]
	[ "$(wc -l <A/told)" -eq 5 ]
	[ -z "$(find . -name pwned)" ]
	# One that fails changes nothing but a line.
	sed -i 's/= tell/= nothing-there/' A/.ehr/config
	echo x >A/.ehr/logs/y
	run --separate-stderr ehr-log-merkle -C A --check -v
	expect 10
	[[ $stderr == *"check.hook"* ]]
}

@test "events are a line each, and are only ever added" {
	echo x >A/.ehr/logs/y
	checked 10 A
	cp A/.ehr/events before
	printf '2026-01-01T00:00:00.000Z alarm' >>A/.ehr/events
	echo x >A/.ehr/logs/y
	checked 10 A
	cmp -n "$(stat -c %s before)" before A/.ehr/events
	[ "$(wc -l <A/.ehr/events)" -eq 5 ]
	run ! grep -vE '^[0-9T:.-]+Z (damaged|repaired|outvoted|alarm)( [^ ]+ .*)?$' \
	    A/.ehr/events
	[ "$(stat -c %a A/.ehr/events)" = 600 ]
	ehr-audit -C A
}

@test "killed at any moment, the next check finishes" {
	stored A >before
	for ms in 2 5 10 13 16 20 25 30 40 50 60 70 80; do
		flip A/$block2 100
		sed -i s/enroll/enrol1/ A/.ehr/logs/*
		rm -f "$(find A/.ehr/objects -type f | head -n 1)"
		ended 0.$(printf %03d $ms) ehr-log-merkle -C A --check \
		    >/dev/null 2>&1
		run ehr-log-merkle -C A --check
		[ "$status" -eq 10 ] || [ "$status" -eq 0 ] || {
			echo "$ms: $status $output"; return 1
		}
		silent ehr-log-merkle -C A --check
		stored A | grep -v objects/ | diff <(grep -v objects/ before) -
		ehr-audit -C A
	done
}

@test "one check at a time" {
	exec 8>A/.ehr/check.lock
	flock 8
	refused 75 ehr-log-merkle -C A --check
}

@test "a delegate that runs goes on while its directory is repaired" {
	follow B C D
	ehr-dbft -C A --follow >>A.out 2>>A.err 3>&- &
	echo $! >pid.A
	ehr-serve -C A </dev/null >/dev/null 2>&1 || :
	rm A/$block2
	sed -i s/enroll/enrol1/ A/.ehr/logs/*
	run --separate-stderr ehr-log-merkle -C A --check
	expect 10
	enroll A
	until_ok 60 grown 3 A
	unfollow A B C D
	silent ehr-log-merkle -C A --check
}
