# The hours of a ledger: closed by a block when nothing happened, or later, when
# everyone was down; and --roll in every circumstance.

load lib
load four
load hours

day=2026-03-02

# Made once: four hospitals, a user enrolled at 10:05, nothing else.
setup_file() {
	[ -n "$faketime" ] || return 0
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD
	then_at "$day"T10:00:00Z four
	then_at "$day"T10:05:00Z enroll A B C D
	then_at "$day"T10:06:00Z reach 1
}

setup() {
	need_hours
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,*.key,*.card} .
}

teardown() {
	kill_all
}

# at_hour HH:MM:SS COMMAND...
at_hour() {
	then_at "$day"T"$1"Z "${@:2}"
}

# try HH:MM:SS: each makes its attempt at that time, once.
try() {
	local d

	for d in A B C D; do
		at_hour "$1" ehr-dbft -C $d --once >>tried 2>&1 ||
		    [ $? -eq 75 ] || { cat tried; return 1; }
	done
}

# roll: everywhere; then all have the same logs, byte for byte.
roll() {
	local d

	for d in A B C D; do
		ehr-log-merkle -C $d --roll || [ $? -eq 1 ] || return 1
		diff -r A/.ehr/logs $d/.ehr/logs || return 1
	done
}

# hours_are HH...: these logs there are, each naming the root of the one before.
hours_are() {
	local h previous

	[ "$(cd A/.ehr/logs && echo *)" = "$(printf "${day}_%s " "$@" |
	    sed 's/ $//')" ]
	previous=$(printf '' | sha256sum | cut -c 1-64)
	for h do
		h=${day}_$h
		[ "$(sed -n 2p A/.ehr/logs/$h)" = "hour $h" ]
		[ "$(sed -n 3p A/.ehr/logs/$h)" = "previous $previous" ] ||
		    { cat A/.ehr/logs/$h; return 1; }
		previous=$(ehr-log-merkle -C A --root $h | cut -d ' ' -f 3)
	done
}

# audited: all of it is right, everywhere.
audited() {
	local d

	for d in A B C D; do
		ehr-sync -C $d	# the users' profiles
		ehr-audit -C $d >audit || { cat audit; return 1; }
	done
}

# lines HH: how many transactions that log has.
lines() {
	tail -n +4 "A/.ehr/logs/${day}_$1" | wc -l
}

# block_is HEIGHT TIME TXS: its time, as far as it is given, and transactions.
block_is() {
	ehr-block -C A show "$1" >shown
	grep -q "^time ${day}T$2" shown && grep -qx "txs $3" shown ||
	    { cat shown; return 1; }
}

@test "the block that closes an hour when nothing happened, once" {
	for t in 10:07:00 10:59:58; do
		try $t
		at 1
	done
	at_hour 11:00:00 reach 2
	block_is 2 11:00:0 0
	for t in 11:00:10 11:30:00 11:59:58; do
		try $t
		at 2
	done
	roll
	hours_are 10 11
	[ "$(lines 10)" -eq 1 ]
	# The next is the empty log of an empty hour, closed by another block.
	at_hour 12:00:00 reach 3
	block_is 3 12:00:0 0
	roll
	hours_are 10 11 12
	[ "$(lines 11)" -eq 0 ]
	[ "$(wc -l <A/.ehr/logs/${day}_11)" -eq 3 ]
	[ "$(sed -n 3p A/.ehr/logs/${day}_12)" = "previous $(printf '' |
	    sha256sum | cut -c 1-64)" ]
	# One that waits goes into the block that closes.
	at_hour 12:20:00 enroll A B C D
	at_hour 13:00:00 reach 4
	block_is 4 13:00:0 1
	roll
	hours_are 10 11 12 13
	[ "$(lines 13)" -eq 1 ]
	audited
}

@test "services close the hour by themselves" {
	at_hour 10:59:58 follow A B C D
	until_ok 40 at 2 >/dev/null
	block_is 2 11:00:0 0
	unfollow A B C D
	[ -z "$(cat ?.err)" ]
	roll
	hours_are 10 11
}

@test "hours in which everyone was down are closed in order afterwards" {
	at_hour 11:00:00 reach 2
	roll
	rm -f A/.ehr/logs/*
	# All come back at five; a transaction of eleven has waited.
	at_hour 11:10:00 enroll A B C D
	at_hour 17:00:30 reach 3
	block_is 3 17:00:3 1
	roll
	hours_are 10 11 12 13 14 15 16 17
	for h in 11 12 13 14 15 16; do [ "$(lines $h)" -eq 0 ]; done
	[ "$(lines 17)" -eq 1 ]
	# In the order in which they ended.
	for d in A B; do
		find $d/.ehr/logs -type f -printf '%T@ %f\n' | sort -n |
		    cut -d ' ' -f 2 >written
		sort written | diff written -
	done
	audited
}

@test "hours that only one node slept through: its logs are the same" {
	at_hour 11:00:00 reach 2
	at_hour 11:01:00 enroll A B C D
	at_hour 11:02:00 reach 3
	# D would speak at 3 and 7 only, so that the others need not wait.
	for d in A B C; do peer $d D 'exit 1'; done
	at_hour 11:10:00 enroll A B C
	at_hour 11:11:00 reach 4 A B C
	at_hour 14:00:00 reach 5 A B C
	at_hour 14:10:00 enroll A B C
	at_hour 14:11:00 reach 6 A B C
	[ "$(height D)" -eq 3 ]
	at_hour 14:12:00 ehr-sync -C D
	at 6
	roll
	hours_are 10 11 12 13 14
	[ "$(lines 11)" -eq 2 ]
	[ "$(lines 12)" -eq 0 ]
	[ "$(lines 14)" -eq 1 ]
}

# All that --roll writes and that follows from the blocks: not what is signed.
rolled() {
	snapshot A/.ehr | grep -E '^(logs|tiles/tile)/'
}

# six_hours: six logs to be written, and what they must be.
six_hours() {
	at_hour 11:00:00 reach 2
	at_hour 13:00:00 reach 3
	at_hour 15:00:00 reach 4
	ehr-log-merkle -C A --renew
	ehr-log-merkle -C A --roll
	hours_are 10 11 12 13 14 15
	rolled >want
	[ "$(wc -l <want)" -ge 8 ]
}

# again: the ledger as it was before the first roll.
again() {
	find A/.ehr/logs A/.ehr/tiles A/.ehr/checkpoints -type f -delete
}

@test "rolled late, twice, with the clock anywhere: the same bytes" {
	six_hours
	silent ehr-log-merkle -C A --roll
	rolled | diff want -
	for t in 1970-01-02 2026-03-02 2026-03-09 2099-12-31; do
		again
		then_at ${t}T10:30:00Z ehr-log-merkle -C A --roll
		rolled | diff want -
		then_at ${t}T23:59:59Z ehr-log-merkle -C A --roll
		rolled | diff want -
	done
}

@test "rolls at the same time, one in the middle of its work" {
	need strace
	strace -qq -o /dev/null true 2>/dev/null || skip "no ptrace here"
	six_hours
	for n in 1 3 6; do
		again
		# The first stops for a second before its n-th log is there.
		strace -f -qq -o trace -e trace=renameat,renameat2 -e \
		    inject=renameat,renameat2:delay_enter=1000000:when=$n \
		    ehr-log-merkle -C A --roll 3>&- &
		pids=($!)
		for i in 1 2 3; do
			ehr-log-merkle -C A --roll 3>&- &
			pids+=($!)
		done
		for p in "${pids[@]}"; do wait $p; done
		rolled | diff want -
	done
}

@test "killed before any step, the next roll finishes" {
	need strace
	strace -qq -o /dev/null true 2>/dev/null || skip "no ptrace here"
	six_hours
	killed=0
	for call in renameat,renameat2 fsync openat; do
		for k in 1 2 3 5 8 12 16; do
			again
			strace -f -qq -o trace -e trace=$call \
			    -e inject=$call:signal=KILL:when=$k \
			    ehr-log-merkle -C A --roll >/dev/null 2>&1 ||
			    killed=$((killed + 1))
			# What there is by then is whole.
			for f in A/.ehr/logs/*; do
				[ ! -e "$f" ] || grep -q "${f##*/}" want
				[ ! -e "$f" ] || grep -q \
				    "$(sha256sum <"$f" | cut -c 1-64)" want
			done
			silent ehr-log-merkle -C A --roll
			rolled | diff want -
		done
	done
	[ $killed -ge 12 ]
}
