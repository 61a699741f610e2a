# Delegates whose clocks are apart: a little, too much, and set back meanwhile.

load lib
load four

setup() {
	case $EHR_BIN in
	*/asan/*) skip "libfaketime and the address sanitizer both come first" ;;
	esac
	set -- /usr/lib/*/faketime/libfaketimeMT.so.1
	[ -e "$1" ] || skip "no libfaketime here"
	faketime=$1
	tmp
}

teardown() {
	kill_all
}

# clock SECONDS: C's clock is so far ahead of the others'.  It is read from a
# file, so that it can be set while C works.
clock() {
	printf '%+d\n' "$1" >clock.new
	mv clock.new clock
}

# In C's time; and back in the others'.
fake() {
	echo env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$PWD/clock" \
	    FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
}

# Four, of which C lives by a clock of its own.
clocks() {
	local d

	four --skew 10000 "$@"
	for d in A B D; do
		peer C $d "exec env -u LD_PRELOAD ehr-serve -C $d"
		# One that answers reads it once: it may open no file later.
		peer $d C "exec env LD_PRELOAD=$faketime \
FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME=\$(cat clock) ehr-serve -C C"
	done
}

# follow_c: C's service, in its time.
follow_c() {
	$(fake) ehr-dbft -C C --follow >>C.out 2>>C.err 3>&- &
	echo $! >pid.C
}

# signed HEIGHT: has C signed that block?
signed() {
	ehr-block -C A show "$1" | grep -q '^— hospital-c '
}

# in_turn N: C signs and speaks, within N blocks.
in_turn() {
	local h n=0 spoke=0 to=$(($(height A) + $1))

	for h in $(seq $(($(height A) + 1)) $to); do
		enroll A
		until_ok 40 at $h >/dev/null
		! signed $h || n=$((n + 1))
		! ehr-block -C A show $h | grep -qx 'proposer hospital-c' ||
		    spoke=$((spoke + 1))
		[ $n -eq 0 ] || [ $spoke -eq 0 ] || return 0
	done
	echo "signed $n, spoke $spoke"
	return 1
}

@test "a clock is apart, but less than is allowed: it takes part" {
	local s

	# Files have the kernel's time, which is not faked: for C they are so
	# much older than they are, which its time-out has to allow.
	clocks --timeout 5000
	for s in +2 -2; do
		clock $s
		follow_c
		follow A B D
		in_turn 16
		unfollow A B C D
		[ -z "$(cat ?.err)" ]
	done
	same_after_all
}

@test "a clock is apart too far: refused, both sides say so, the others go on" {
	local h i s

	clocks --timeout 1000
	for s in +60 -60; do
		clock $s
		rm -f ?.err
		follow_c
		follow A B D
		for i in 1 2 3 4 5; do
			h=$(($(height A) + 1))
			enroll A
			until_ok 40 at $h A B D >/dev/null
			! signed $h
		done
		until_ok 20 grep -q 'hospital-a: the clocks are .* ms apart' C.err
		until_ok 20 grep -q 'hospital-c: the clocks are .* ms apart' A.err
		# Once, not at each attempt.
		[ "$(grep -c hospital-a C.err)" -eq 1 ]
		[ "$(grep -c hospital-c A.err)" -eq 1 ]
		ehr-dbft -C B status |
		    grep 'delegate hospital-c away: hospital-c: the clocks'
		run --separate-stderr ehr-sync -C A
		[[ $stderr == *"hospital-c: the clocks are "*" ms apart"* ]]
		unfollow A B C D
	done
	# It is set right, and all is well.
	clock 0
	follow A B D
	follow_c
	until_ok 40 at $h >/dev/null
	in_turn 24
	unfollow A B C D
	same_after_all
}

@test "a clock is set back and forth while it works: a time-out at most" {
	local h s

	clocks --timeout 2000
	clock 0
	follow_c
	follow A B D
	in_turn 16
	# Each of them is in a view when it happens, and speaks in one.
	for s in -7200 7200 -7200 0; do
		for h in 1 2 3 4; do
			h=$(height A)
			enroll A
			clock $s
			until_ok 40 grown "$h" A B D
		done
	done
	until_ok 60 at "$(height A)" >/dev/null
	in_turn 24
	unfollow A B C D
	honest A B C D
	same_after_all
}
