# killings: processes of the nodes of four are killed while they work.  A .bats
# file loads it after four and wires.
#
# shellcheck shell=bash

# serving DIR: the pids of the ehr-serve that answer for it, of this test.
serving() {
	local comm p

	for p in $(tail -n 24 "pids.$1"); do
		read -r comm <"/proc/$p/comm" && [ "$comm" = ehr-serve ] &&
		    [ "/proc/$p/cwd" -ef . ] && echo "$p"
	done 2>/dev/null
}

# kill_some: one process or more of a hospital; those that are to go on start
# again.
kill_some() {
	local all=(A B C D) d pid

	d=${all[RANDOM % 4]}
	pid=$(<pid.$d)
	case $((RANDOM % 4)) in
	0 | 1)	# who speaks for it
		kill -KILL "$pid" ;;
	2)	# some that answer for it
		kill -KILL $(serving $d | shuf -n $((RANDOM % 3 + 1))) || true
		return ;;
	3)	# the machine
		kill -KILL "$pid" $(serving $d) || true
		sleep 0.$((RANDOM % 3)) ;;
	esac
	wait "$pid" || true
	follow $d
} 2>/dev/null

# killings N [OPTION...]: kill somebody of four N times while transactions come,
# and see to it that blocks go on.
killings() {
	local all=(A B C D) before=0 d n

	RANDOM=${KILL_SEED:=$$}
	echo "KILL_SEED=$KILL_SEED"
	four --timeout 400 "${@:2}"
	wire
	follow A B C D
	for n in $(seq "$1"); do
		enroll ${all[RANDOM % 4]}
		sleep 0.0$((RANDOM % 90 + 10))
		kill_some
		keep_journals A B C D
		for d in A B C D; do
			kill -0 "$(<pid.$d)" || { cat $d.err; return 1; }
		done
		[ $((n % 30)) -eq 0 ] || continue
		until_ok 40 grown $before
		before=$(height A)
	done
	until_ok 60 level >/dev/null
	unfollow A B C D
	cat ?.err
	echo "$1 killings, $(height A) blocks"
	[ "$(height A)" -gt $(($1 / 4)) ]
	same_after_all
	truthful
}
