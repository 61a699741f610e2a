# ehr-dbft: processes that are killed or stopped at any moment, start twice, or
# find their disk full.

load lib
load four

teardown() {
	# Whatever was stopped has to go on, so that it can end.
	[ ! -e pids ] || kill -CONT $(cat pids) 2>/dev/null || true
}

@test "a peer that hangs delays nobody for long" {
	four --timeout 1000
	# Nobody answers there, and nothing ends.
	for d in A B D; do peer $d C 'exec sleep 20'; done
	enroll A B D
	SECONDS=0
	silent ehr-dbft -C B --once
	[[ $output == 1\ * ]]
	at 1 A B D
	[ "$SECONDS" -lt 15 ]
	# One that answered, and was then stopped.
	for d in A B D; do
		peer $d C 'echo $$ >>pids; exec ehr-serve -C C'
	done
	enroll A B D
	(sleep 0.05; kill -STOP $(cat pids) || true) 2>/dev/null &
	reach 2 A B D
	wait $!
	kill -CONT $(cat pids) 2>/dev/null || true
	reach 2
	honest A B C D
}

@test "two at the same moment" {
	local d h jobs

	four --timeout 2000
	for h in 1 2 3 4; do
		enroll A B C D
		jobs=
		for i in 1 2 3; do
			ehr-dbft -C "$(speaker $h)" --once >out$i 2>err$i &
			jobs+=" $!"
		done
		wait $jobs
		cat out1 out2 out3 | grep -c "^$h " | grep -qx 1
		cat err1 err2 err3
		[ -z "$(cat err1 err2 err3)" ]
		at $h
	done
	# And all nodes at once.
	for h in 5 6 7 8; do
		enroll A B C D
		jobs=
		for d in A B C D; do
			ehr-dbft -C $d --once >>said 2>&1 &
			jobs+=" $!"
		done
		wait $jobs || true
		reach $h
	done
	honest A B C D
}

@test "killed at random moments, 30 times: it goes on, and all are equal" {
	local a b h jobs

	four --timeout 400
	for a in A B C D; do
		for b in A B C D; do
			[ $a = $b ] || peer $a $b \
			    "echo \$\$ >>pids; exec ehr-serve -C $b"
		done
	done
	RANDOM=4711
	for h in $(seq 1 30); do
		: >pids
		jobs=
		enroll A B C D
		for a in A B C D; do
			case $((RANDOM % 3)) in
			0) ended 0.0$((RANDOM % 90 + 10)) \
			    ehr-dbft -C $a --once >>said 2>&1 & ;;
			1) ehr-dbft -C $a --once >>said 2>&1 & ;;
			*) continue ;;
			esac
			jobs+=" $!"
		done 2>/dev/null
		# Those who answer may go, too.
		sleep 0.0$((RANDOM % 90 + 10))
		kill -KILL $(shuf -n 2 pids) 2>/dev/null || true
		wait $jobs || true
		reach $h
	done 2>/dev/null
	same_after_all
}

strace_works() {
	need strace
	strace -qq -o /dev/null true 2>/dev/null || skip "no ptrace here"
}

# calls NAME COMMAND...: how often does COMMAND make that call?
calls() {
	strace -f -qq -o trace -e trace="$1" "${@:2}" >>said 2>&1 || true
	grep -c "$1(" trace || true
}

@test "the speaker is killed at each write and sync: it goes on" {
	local call h=0 k n

	strace_works
	four --timeout 300
	for call in fdatasync fsync write pwrite64; do
		h=$((h + 1))
		enroll A B C D
		n=$(calls $call ehr-dbft -C "$(speaker $h)" --once)
		reach $h
		echo "$call $n"
		[ "$n" -gt 1 ]
		for k in $(seq 1 $(((n + 5) / 6)) "$n"); do
			h=$((h + 1))
			enroll A B C D
			strace -f -qq -o /dev/null -e trace=$call \
			    -e inject=$call:signal=KILL:when="$k" \
			    ehr-dbft -C "$(speaker $h)" --once >>said 2>&1 ||
			    true
			reach $h
		done
	done
	same_after_all
}

@test "a delegate is killed at each write and sync: it goes on" {
	local call d h=0 k

	strace_works
	four --timeout 300
	for call in fdatasync fsync write pwrite64; do
		for k in 1 2 3 5 8; do
			h=$((h + 1))
			enroll A B C D
			for d in A B D; do
				peer $d C "exec strace -f -qq -o /dev/null \
-e trace=$call -e inject=$call:signal=KILL:when=$k ehr-serve -C C"
			done
			reach $h A B D
			for d in A B D; do peer $d C "ehr-serve -C C"; done
			reach $h
		done
	done
	same_after_all
}

@test "what cannot be written or synced is not sent" {
	local fault h=0 injected=0 k only

	strace_works
	four --timeout 300
	for fault in fdatasync:error=EIO fsync:error=EIO \
	    pwrite64:error=ENOSPC pwrite64:error=EIO; do
		for k in 1 2 3; do
			h=$((h + 1))
			enroll A B C D
			# state.db comes first, and fails by itself.
			only=
			[[ $fault != pwrite64* ]] || only="-P \
$PWD/$(speaker $h)/.ehr/consensus/journal"
			# Without -f: those who answer have other disks.
			run --separate-stderr strace -y -qq -o trace $only \
			    -e trace=${fault%%:*} -e inject=$fault:when=$k+ \
			    ehr-dbft -C "$(speaker $h)" --once
			# state.db can be made again, and need not last.
			if grep INJECTED trace | grep -qv 'state\.db'; then
				expect 4
				[ "${#stderr_lines[@]}" -eq 1 ]
				injected=$((injected + 1))
			fi
			reach $h
		done
		# And a delegate's disk.
		h=$((h + 1))
		enroll A B C D
		for d in A B D; do
			peer $d C "exec strace -f -qq -o /dev/null \
-e trace=${fault%%:*} -e inject=$fault ehr-serve -C C"
		done
		reach $h A B D
		! ehr-block -C A show $h | grep '^— hospital-c '
		for d in A B D; do peer $d C "ehr-serve -C C"; done
		reach $h
	done
	[ $injected -gt 6 ]
	same_after_all
}
