# ehr-dbft --follow at four hospitals, whose processes are killed and stopped
# while they work.  All that goes over the wires between them is kept, and in
# the end compared with their journals.

load lib
load four
load wires
load killings

setup_file() {
	relay_made
}

teardown() {
	kill_all
}

# To see one run again: KILL_SEED=N make test T=t/35-dbft-kill.bats
@test "150 times somebody is killed: blocks go on, and all are equal" {
	killings 150
}

@test "and 150 times more" {
	killings 150
}

# one_killed WHO TO N: WHO speaks, and is killed once N messages about consensus
# went between it and TO.  Says whether it was.
one_killed() {
	wired "$1" "$2" -k "$3"
	run ehr-dbft -C "$1" --once
	wired "$1" "$2"
	[ "$status" -eq 137 ] && echo killed || expect 0
}

@test "the speaker is killed between any two messages to any delegate" {
	local d h=0 k n=0 s

	four --timeout 300
	wire
	# A proposal, a certificate and the block; each is answered.
	for k in 0 1 2 3 4 5 6; do
		for d in 1 2 3; do
			h=$((h + 1))
			s=$(speaker $h)
			enroll A B C D
			# Who comes last may be asked less.
			one_killed "$s" "$(speaker $((h + d)))" $k >one
			n=$((n + $(grep -c killed one || true)))
			reach $h
		done
	done
	echo "$n times"
	[ $n -ge 15 ]
	same_after_all
	truthful
}

@test "who speaks in the next view is killed between any two messages" {
	local h=0 k n=0 s

	four --timeout 300
	wire
	for k in 0 1 2 3 4 5 6 7 8; do
		h=$((h + 1))
		# Who speaks at h - 1 in view 0 does so at h in view 1.
		s=$(speaker $((h + 3)))
		enroll A B C D
		sleep 0.35
		one_killed "$s" "$(speaker $((h + 1)))" $k >one
		n=$((n + $(grep -c killed one || true)))
		reach $h
	done
	echo "$n times"
	[ $n -ge 6 ]
	same_after_all
	truthful
}

# turn HEIGHT [DIR...]: something comes to be decided there, and is; *ms is for
# how long A waited before it asked for another view, or empty.
turn() {
	local from=$(date +%s%3N) left

	enroll A
	until_ok 60 at "$@" >/dev/null
	left=$(sed -n "s/^$1 \([^ ]*\) change-view 1 .*/\1/p" \
	    A/.ehr/consensus/journal)
	ms=
	[ -z "$left" ] || ms=$(($(date -d "$left" +%s%3N) - from))
}

# proposer HEIGHT: of the block there.
proposer() {
	ehr-block -C A show "$1" | sed -n 's/^proposer //p'
}

# back HEIGHT: D has what it missed, signs, and soon makes blocks again.
back() {
	local h

	at "$(height A)" A D
	for h in $(seq $(($(height A) + 1)) "$1"); do
		turn $h
		[ "$(proposer $h)" != hospital-d ] || break
	done
	[ "$(proposer $h)" = hospital-d ]
	ehr-block -C A show $(seq 12 $h) | grep '^— hospital-d '
}

@test "one does not speak: its first turn costs the time-out, the next do not" {
	four --timeout 4000
	follow A B C D
	turn 1
	turn 2
	# It answers, but does not speak.
	cat pid.D >stopped
	kill -STOP "$(<stopped)"
	turn 3
	[ "$ms" -ge 4000 ]
	ehr-block -C A show 3 | grep -qx 'view 1'
	for h in 4 5 6 7 8 9 10 11; do
		turn $h
		echo "$h $ms"
		[ "$ms" = "" ] || [ "$ms" -lt 2000 ]
	done
	[ "$(proposer 11)" != hospital-d ]
	ehr-dbft -C B status >status
	kill -CONT "$(<stopped)"
	back 23
	unfollow A B C D
	same_after_all
	grep 'delegate hospital-d at 11; did not speak in its last turn' status
}

@test "a hospital stands still: the others go on, and it comes back" {
	local d h

	four --timeout 4000
	for d in A B C; do
		peer $d D "while [ -e off ]; do sleep 0.2; done; \
echo \$\$ >>pids.D; exec ehr-serve -C D"
	done
	follow A B C D
	turn 1
	turn 2
	touch off
	{ cat pid.D; serving D; } >stopped
	kill -STOP $(<stopped)
	turn 3 A B C
	for h in 4 5 6 7 8 9 10 11; do
		turn $h A B C
		echo "$h $ms"
		[ "$ms" = "" ] || [ "$ms" -lt 2000 ]
	done
	rm off
	kill -CONT $(<stopped) || true
	until_ok 30 at 11 >/dev/null
	back 23
	unfollow A B C D
	same_after_all
}
