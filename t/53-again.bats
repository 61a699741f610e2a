# ehr-log-merkle --check, continued: what was verified once is not verified
# again while its bytes are the same; and whatever was changed since the last
# check is found as if nothing were remembered.

load lib
load four
load check
load hours

# Made once: four hospitals with three blocks, of which A has checked all.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD
	local d

	four
	three_blocks
	for d in A B C D; do ehr-sync -C $d; done
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,*.key,*.card} .
}

block() {
	echo "A/.ehr/blocks/000000/00000000$1.gz"
}

# verifies NEW OLD [OPTION]: a check of A finds nothing, verifies so many
# blocks, and only hashes the others.
verifies() {
	run --separate-stderr ehr-log-merkle -C A --check -v ${3-}
	expect 0 --check || return 1
	[[ $stderr == *": $1 blocks verified now, $2 as they were"* ]] || {
		echo "want $1 and $2: $stderr"
		return 1
	}
	[ ! -e A/.ehr/events ]
}

# ripe: what was written until now is no longer young.
ripe() {
	until_ok 10 is_over $(($(date +%s) + 3))
}

is_over() {
	[ "$(date +%s)" -ge "$1" ]
}

# another_block: there is one more, in all hospitals.
another_block() {
	enroll A B C D
	reach $(($(height A) + 1))
}

@test "only what is new is verified; with --full, all" {
	verifies 0 3
	verifies 3 0 --full
	verifies 0 3
	another_block
	verifies 1 3 -n	# which remembers nothing
	verifies 1 3
	verifies 0 4
	another_block
	another_block
	verifies 2 4
	verifies 0 6
	refused 2 ehr-log-merkle -C A --roll --full
}

@test "nothing is written when nothing is new, nor with -n" {
	local what=(A/.ehr/checked A/.ehr/checked.db)

	ripe
	verifies 0 3
	stat -c '%i %z' "${what[@]}" >before
	verifies 0 3
	verifies 0 3 -n
	another_block
	verifies 1 3 -n
	stat -c '%i %z' "${what[@]}" | diff before -
	rm "${what[@]}"
	verifies 4 0 -n
	[ ! -e A/.ehr/checked ] && [ ! -e A/.ehr/checked.db ]
	verifies 4 0
	[ "$(stat -c %a "${what[@]}")" = $'600\n600' ]
	verifies 0 4
}

@test "what is remembered is not believed when it was changed by hand" {
	local how

	cp A/.ehr/checked keep
	cp A/.ehr/checked.db keep.db
	ehr-log-merkle -C B --roll
	ehr-log-merkle -C B --check
	for how in "sed -i s/^height.3/height\\x202/ A/.ehr/checked" \
	    "sed -i s/^height.3/height\\x204/ A/.ehr/checked" \
	    "sed -i s/^full.2/full\\x203/ A/.ehr/checked" \
	    "sed -i /^hmac/s/[0-7]/8/ A/.ehr/checked" \
	    "sed -i /^hmac/d A/.ehr/checked" \
	    "truncate -s 20 A/.ehr/checked" "truncate -s 0 A/.ehr/checked" \
	    "rm A/.ehr/checked" "rm A/.ehr/checked.db" \
	    "cp A/.ehr/genesis A/.ehr/checked" \
	    "truncate -s 5000000 A/.ehr/checked" \
	    "flip A/.ehr/checked.db" "cp A/.ehr/state.db A/.ehr/checked.db" \
	    "truncate -s 0 A/.ehr/checked.db" "touch A/.ehr/checked.db-journal" \
	    "cp B/.ehr/checked B/.ehr/checked.db A/.ehr/"; do
		$how
		verifies 3 0 || { echo "after: $how"; return 1; }
		rm -f A/.ehr/checked.db-journal
		verifies 0 3 || { echo "again, after: $how"; return 1; }
		cp keep A/.ehr/checked
		cp keep.db A/.ehr/checked.db
	done
}

@test "without the ledger's secret nothing is remembered, or believed" {
	mv A/.ehr/secret .
	verifies 3 0
	rm A/.ehr/checked*
	verifies 3 0
	[ ! -e A/.ehr/checked ]
	mv secret A/.ehr/
	verifies 3 0
	# Another one does not know the key.
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >A/.ehr/secret
	echo >>A/.ehr/secret
	verifies 3 0
}

@test "an old copy of it is as good as it was, and no better" {
	mkdir old
	cp -a A/.ehr/checked A/.ehr/checked.db old
	another_block
	verifies 1 3
	cp -a A/.ehr/checked A/.ehr/checked.db .
	cp -a old/* A/.ehr/
	verifies 1 3
	# One that was written, and a state that was not, or the reverse.
	cp -a checked.db A/.ehr/
	cp -a old/checked A/.ehr/
	verifies 4 0
	for n in 4 2; do
		cp -a old/* A/.ehr/
		flip "$(block $n)" 100
		checked 10 A
		[[ $stderr == *"repaired: "*"00000000$n.gz "*"taken from"* ]]
		verifies_quietly
	done
}

# verifies_quietly: nothing is wrong, and all of it is remembered again.
verifies_quietly() {
	run --separate-stderr ehr-log-merkle -C A --check -v
	expect 0
	[[ $stderr == *": 0 blocks verified now, 4 as they were"* ]]
}

# resign FILE: a block with another letter in a signature of its certificate, in a
# file that is whole.
resign() {
	zcat "$1" | sed '0,/^— /{
		s/^\(— [^ ]* .\{30\}\)A/\1B/;t
		s/^\(— [^ ]* .\{30\}\)./\1A/
	}' >resigned
	framed "$1" <resigned
}

@test "a certificate, a block's place, a missing one: found and repaired" {
	verifies 0 3
	resign "$(block 2)"
	gzip -t "$(block 2)"
	checked 11 A
	[[ $stderr == *"000000002.gz "*"does not verify; taken from"* ]]
	cp "$(block 1)" "$(block 3)"
	checked 10 A
	rm "$(block 3)"
	checked 10 A
	ehr-audit -C A
}

@test "a state with a trigger, or an index that misses a row" {
	need sqlite3
	local root

	sqlite3 A/.ehr/state.db "CREATE TRIGGER t AFTER INSERT ON tx BEGIN
	    DELETE FROM want; END"
	checked 10 A
	[[ $stderr == *"repaired: "*"state.db "*"(schema)"* ]]
	[ -z "$(sqlite3 A/.ehr/state.db "SELECT name FROM sqlite_master
	    WHERE type='trigger'")" ]
	# A byte of the first transaction's id, only in the index.
	sqlite3 A/.ehr/state.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	root=$(sqlite3 A/.ehr/state.db "SELECT rootpage FROM sqlite_master
	    WHERE name='tx_id'")
	flip A/.ehr/state.db $((root * 4096 - 10))
	[ "$(sqlite3 A/.ehr/state.db 'PRAGMA integrity_check(1)')" != ok ]
	checked 10 A
	[[ $stderr == *"repaired: "*"state.db "* ]]
	[ "$(sqlite3 A/.ehr/state.db 'PRAGMA integrity_check(1)')" = ok ]
}

@test "what is new is repaired on top of what is remembered" {
	another_block
	flip "$(block 4)" 100
	checked 10 A
	[[ $stderr == *"repaired: "*"000000004.gz "*"taken from"* ]]
	rm -f A/.ehr/events
	verifies 0 4
}

# hashes N [OPTION]: a check of A finds nothing, and hashes so many objects.
hashes() {
	run --separate-stderr ehr-log-merkle -C A --check -v ${2-}
	expect 0 --check || return 1
	[[ $stderr == *"; $1 objects hashed now"* ]] || {
		echo "want $1: $stderr"
		return 1
	}
}

@test "objects in files that nobody has touched are not hashed again" {
	local all some f

	all=$(find A/.ehr/objects -type f ! -path '*/seg/*' | wc -l)
	[ "$all" -gt 1 ]
	ripe
	hashes "$all"		# they are copies
	hashes 0
	hashes 0 -n
	hashes "$all" --full
	hashes 0
	f=$(find A/.ehr/objects -type f ! -path '*/seg/*' | head -n 1)
	some=$(find "${f%/*}" -type f | wc -l)
	# To touch it is enough, by whatever.
	touch -r A/.ehr/genesis "$f"
	hashes "$some"
	# Another folder in the place of this one, whose files were there long
	# before.
	cp -a "${f%/*}" other
	flip "other/${f##*/}" 70
	ripe
	hashes "$some"
	hashes 0
	mv "${f%/*}" was
	mv other "${f%/*}"
	checked 10 A
	[[ $stderr == *"repaired: "*"${f#A/.ehr/}"* ]]
	cmp "$f" "was/${f##*/}"
	# With the time of its content put back.
	cp -p "$f" keep
	flip "$f" 70
	touch -r keep "$f"
	checked 10 A
	[[ $stderr == *"repaired: "*"${f#A/.ehr/}"* ]]
	cmp keep "$f"
	rm "$f"
	checked 10 A
	cmp keep "$f"
}

@test "once a day, or as often as check.full says, all is verified" {
	need_hours
	local now

	now=$(date +%s)
	at_hours() {
		then_at "@$((now + $1 * 3600))" "${@:2}"
	}
	at_hours 23 verifies 0 3
	at_hours 25 verifies 3 0
	at_hours 26 verifies 0 3
	# A clock that went back: it is not known when the last time was.
	verifies 3 0
	verifies 0 3
	printf '[check]\n\tfull = 2\n' >>A/.ehr/config
	at_hours 1 verifies 0 3
	at_hours 3 verifies 3 0
	sed -i 's/full = 2/full = 0/' A/.ehr/config
	at_hours 3 verifies 3 0
	sed -i 's/full = 0/full = often/' A/.ehr/config
	refused 3 ehr-log-merkle -C A --check
}

@test "logs and checkpoints of hours that are over are what they were" {
	need_hours
	local log d

	rm -r A/.ehr/checked*
	then_at "$(date -u -d '2 hours' +%FT%TZ)" another_block
	for d in A B C D; do ehr-log-merkle -C $d --renew; done
	ehr-log-merkle -C A --roll
	[ "$(ls A/.ehr/logs | wc -l)" -ge 3 ]
	verifies 4 0
	grep -q '^logs ' A/.ehr/checked
	# It is cosigned by now.
	verifies 0 4
	grep -q '^group checkpoints/' A/.ehr/checked
	verifies 0 4
	cp -r A/.ehr/logs logs
	for log in A/.ehr/logs/*; do
		sed -i 's/enroll/enrol1/; 2s/0/1/' "$log"
		checked 10 A
		diff -r logs A/.ehr/logs
		[[ $stderr == *"repaired: "*"${log#A/.ehr/}"* ]]
	done
	rm "A/.ehr/logs/$(ls A/.ehr/logs | head -n 1)"
	checked 10 A
	diff -r logs A/.ehr/logs
	log=$(ls A/.ehr/checkpoints/*)
	cp "$log" keep
	sed -i '$s/[^A]\(.\{20\}\)$/A\1/;t;$s/A\(.\{20\}\)$/B\1/' "$log"
	run ! cmp -s keep "$log"
	checked 10 A
	[[ $stderr == *"repaired: "*"${log#A/.ehr/}"* ]]
	head -n 3 "$log" | cmp - <(head -n 3 keep)
}
