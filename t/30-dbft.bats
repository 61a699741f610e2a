# ehr-dbft: four hospitals agree on blocks, over pipes, as processes that may
# be killed, stopped, or find their disk full.

load lib
load four

teardown() {
	# Whatever was stopped has to go on, so that it can end.
	[ ! -e pids ] || kill -CONT $(cat pids) 2>/dev/null || true
}

# killed SECONDS COMMAND...: ended that way after so long; its status counts
# for nothing.
killed() {
	timeout -s KILL "$@" >>said 2>&1 || true
}

@test "in turn: each makes the block of its height, and all have it" {
	local h

	four
	for h in 1 2 3 4 5; do
		enroll "$(speaker $h)"
		silent ehr-dbft -C "$(speaker $h)" --once
		[[ $output =~ ^$h\ [0-9a-f]{64}$ ]]
		[ "$output" = "$(ehr-block -C D list | cut -d' ' -f1,2 |
		    tail -n 1)" ]
		at $h
	done
	honest A B C D
	chained A C
	# Bodies go when the next height begins.
	silent ehr-dbft -C A --once
	[ -z "$(ls A/.ehr/consensus/*.block 2>/dev/null)" ]
}

# chained DIR...: are the journals as ehr-consensus(7) has them, by its own
# recipe?
chained() {
	local dir f h line n

	for dir do
		f=$dir/.ehr/consensus/journal
		n=0
		h=$(head -n 1 $f | sha256sum | cut -c 1-64)
		while IFS= read -r line; do
			h=$(printf '%s %s' "$h" "${line% *}" | sha256sum |
			    cut -c 1-64)
			[ "$h" = "${line##* }" ] ||
			    { echo "damaged: $line"; return 1; }
			n=$((n + 1))
		done < <(tail -n +2 $f)
		[ $n -gt 5 ]
	done
}

@test "silent when nothing waits, and when another one speaks" {
	four
	for d in A B C D; do
		silent ehr-dbft -C $d --once
		[ -z "$output" ]
	done
	enroll A
	silent ehr-dbft -C A --once
	[ -z "$output" ]
	run --separate-stderr ehr-dbft -v -C A --once
	expect 0
	[[ $stderr == *"hospital-b speaks at height 1, view 0"* ]]
	# What waits elsewhere, the speaker finds.
	silent ehr-dbft -C B --once
	[[ $output == 1\ * ]]
	at 1
}

@test "alone: a ledger of one node needs no others" {
	pw
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n "Ruth O" --passphrase-file pw -o admin.key
	ehr-init -C A --name za-ehr --node-key a.key --admin admin.key.card \
	    --interval 0
	for h in 1 2 3; do
		enroll A
		silent ehr-dbft -C A --once
		[[ $output == $h\ * ]]
	done
	silent ehr-dbft -C A --once
	[ -z "$output" ]
}

@test "one is dead: blocks go on, its turn is another's" {
	local h

	four --timeout 500
	for d in A B C; do peer $d D false; done
	for h in 1 2 3 4 5 6 7; do
		enroll A B C
		reach $h A B C
	done
	honest A B C
	[ "$(height D)" = 0 ]
	# It comes back, and gets what it missed.
	for d in A B C; do peer $d D "ehr-serve -C D"; done
	enroll A B C D
	reach 8
}

@test "two are dead: 75, and who is missing; nothing is lost" {
	four --timeout 500
	for d in A B; do
		peer $d C false
		peer $d D "exec sleep 0"
	done
	enroll B
	refused 75 ehr-dbft -C B --once
	[[ $stderr == *"no quorum at height 1"* ]]
	[[ $stderr == *hospital-c* ]]
	[[ $stderr == *hospital-d* ]]
	at 0
	for d in A B; do
		peer $d C "ehr-serve -C C"
		peer $d D "ehr-serve -C D"
	done
	reach 1
	honest A B C D
}

@test "the speaker does nothing: the next one goes on when its time is up" {
	four --timeout 3000
	enroll A C D
	silent ehr-dbft -C A --once
	[ -z "$output" ]
	sleep 3.1
	silent ehr-dbft -C A --once
	[[ $output == 1\ * ]]
	at 1
	ehr-block -C C show 1 | grep -qx 'view 1'
	honest A B C D
}

@test "only one of the others knows of work: it tells them" {
	four --timeout 700
	enroll A
	sleep 0.9
	reach 1 A
	at 1
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
	wait
	kill -CONT $(cat pids) 2>/dev/null || true
	reach 2
	honest A B C D
}

@test "two at the same moment" {
	local h

	four --timeout 2000
	for h in 1 2 3 4; do
		enroll A B C D
		for i in 1 2 3; do
			ehr-dbft -C "$(speaker $h)" --once >out$i 2>err$i &
		done
		wait
		cat out1 out2 out3 | grep -c "^$h " | grep -qx 1
		cat err1 err2 err3
		[ -z "$(cat err1 err2 err3)" ]
		at $h
	done
	# And all nodes at once.
	for h in 5 6 7 8; do
		enroll A B C D
		for d in A B C D; do
			ehr-dbft -C $d --once >>said 2>&1 &
		done
		wait
		reach $h
	done
	honest A B C D
}

@test "killed at random moments, 30 times: it goes on, and all are equal" {
	local a b h

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
		enroll A B C D
		for a in A B C D; do
			case $((RANDOM % 3)) in
			0) killed 0.0$((RANDOM % 90 + 10)) \
			    ehr-dbft -C $a --once & ;;
			1) ehr-dbft -C $a --once >>said 2>&1 & ;;
			esac
		done 2>/dev/null
		# Those who answer may go, too.
		sleep 0.0$((RANDOM % 90 + 10))
		kill -KILL $(shuf -n 2 pids) 2>/dev/null || true
		wait
		reach $h
	done 2>/dev/null
	same_after_all
}

# What is true whatever happened: no vote twice, one chain, nothing damaged.
same_after_all() {
	local d

	honest A B C D
	for d in A B C D; do
		ehr-sync -C $d
	done
	at "$(height A)"
	for d in A B C D; do
		ehr-audit -C $d >audit 2>&1 || { cat audit; return 1; }
	done
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
	local fault h=0 injected=0 k

	strace_works
	four --timeout 300
	for fault in fdatasync:error=EIO fsync:error=EIO \
	    pwrite64:error=ENOSPC pwrite64:error=EIO; do
		for k in 1 2 3; do
			h=$((h + 1))
			enroll A B C D
			run --separate-stderr strace -f -qq -o trace \
			    -e trace=${fault%%:*} -e inject=$fault:when=$k+ \
			    ehr-dbft -C "$(speaker $h)" --once
			if grep -q INJECTED trace; then
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

@test "the journal: torn, it goes on; damaged or lost, it refuses" {
	local j=C/.ehr/consensus/journal

	four --timeout 300
	enroll A B C D
	reach 1
	# A torn tail.
	printf '2 2026-03-02T08:00:00.000Z prepare 0 01' >>$j
	enroll A B C D
	reach 2
	[ "$(grep -c ' prepare 0 01$' $j)" -eq 0 ]
	# One bit in the middle.
	cp $j kept
	sed -i '3s/prepare/prepbre/' $j
	refused 3 ehr-dbft -C C --once
	[[ $stderr == *"consensus/journal: damaged in line 3"* ]]
	[[ $stderr == *"ehr-dbft renew"* ]]
	run --separate-stderr ehr-dbft -C C status --local
	expect 0
	[[ $output == *$'\nvotes no: consensus/journal: damaged'* ]]
	# The others make blocks without its vote, and it has them.
	enroll A B C D
	reach 3 A B D
	at 3
	# Gone.
	rm $j
	refused 3 ehr-dbft -C C --once
	[[ $stderr == *"consensus/journal: missing"* ]]
	refused 3 ehr-dbft -C C --follow
	# Put back, all is well.
	cp kept $j
	silent ehr-dbft -C C --once
}

@test "renew: a journal from what the others say" {
	local j=C/.ehr/consensus/journal

	four --timeout 300
	enroll A B C D
	reach 1
	refused 1 ehr-dbft -C C renew
	[[ $stderr == *"is whole"* ]]
	sed -i '3s/prepare/prepbre/' $j
	# All three others have to answer: 2f + 1.
	peer C D false
	refused 75 ehr-dbft -C C renew
	peer C D 'ehr-serve -C D'
	run --separate-stderr ehr-dbft -C C renew
	expect 0
	[[ $stderr == *"votes again from height 4 on"* ]]
	ls C/.ehr/quarantine/journal*
	run --separate-stderr ehr-dbft -C C status --local
	[[ $output == *"votes no: "*"from height 4 on"* ]]
	enroll A B C D
	reach 2
	[ "$(grep -c ' prepare ' $j)" -eq 0 ]
	enroll A B C D
	reach 3
	enroll A B C D
	reach 4
	grep -q '^4 .* prepare ' $j
	# With a height that somebody knows.
	rm $j
	run --separate-stderr ehr-dbft -C C renew --floor 4
	expect 0
	enroll A B C D
	reach 5
	same_after_all
}

@test "who comes late votes a little later; its first journal is not an old one" {
	four --timeout 300
	enroll A B C D
	reach 1
	rm -rf D
	ehr-sync clone 'ehr-serve -C A' D --node-key d.key \
	    --ledger "$(sed -n '1s/.* //p' A/.ehr/consensus/journal)"
	peer D A 'ehr-serve -C A'
	run --separate-stderr ehr-dbft -C D --once
	expect 75
	[[ $stderr == *"this node came late, and does not vote yet"* ]]
	peer D B 'ehr-serve -C B'
	peer D C 'ehr-serve -C C'
	run --separate-stderr ehr-dbft -C D --once
	expect 0
	[[ $stderr == *"votes from height 4 on"* ]]
	for h in 2 3 4; do
		[ "$(grep -c ' prepare ' D/.ehr/consensus/journal)" -eq 0 ]
		enroll A B C D
		reach $h
	done
	enroll A B C D
	reach 5
	grep -q '^[45] .* prepare ' D/.ehr/consensus/journal
}

@test "a quorum is lost: the way out of ehr-consensus(7)" {
	local d ledger

	four --timeout 300
	enroll A B C D
	reach 1
	enroll A B C D
	reach 2
	ledger=$(sed -n '1s/.* //p' A/.ehr/consensus/journal)
	rm -rf C D
	enroll A B
	for d in A B; do ehr-dbft -C $d --once >>said 2>&1 || true; done
	sleep 0.4
	for d in A B; do ehr-dbft -C $d --once >>said 2>&1 || true; done
	at 2 A B
	for d in C D; do
		ehr-sync clone 'ehr-serve -C A' $d --node-key ${d,}.key \
		    --ledger "$ledger"
		for p in A B C D; do
			[ $p = $d ] || peer $d $p "ehr-serve -C $p"
		done
		at 2 A $d
		run ehr-dbft -C $d status --local
		[[ $output == *"votes no: this node came late"* ]]
		run --separate-stderr ehr-dbft -C $d renew --floor 2
		expect 0
	done
	reach 3
	same_after_all
}

@test "status: what there is to know" {
	four --timeout 60000
	silent ehr-dbft -C A status
	[[ $output == *$'\nheight 1\nview 0\nspeaker hospital-b\n'* ]]
	[[ $output == *$'\nquorum 3 of 4\n'* ]]
	[[ $output == *$'\ndelegate hospital-c at 0'* ]]
	enroll A B C D
	silent ehr-dbft -C A status --json
	[ "$(jq -c '[.final.height, .pending, .votes, .speaker, .work]' \
	    <<<"$output")" = '[0,1,true,"hospital-b",true]' ]
	[ "$(jq .left_ms <<<"$output")" -gt 1000 ]
	peer A D false
	reach 1
	silent ehr-dbft -C A status
	[[ $output == "final 1 "* ]]
	[[ $output == *$'\ncertificate view 0, '[34]$' of 4 signatures\n'* ]]
	[[ $output == *$'\ndelegate hospital-d away: hospital-d: '* ]]
	refused 2 ehr-dbft -C A
	refused 2 ehr-dbft -C A --once --follow
	refused 2 ehr-dbft -C A frob
	refused 1 ehr-dbft -C /nowhere --once
}

# follow DIR...: as services; their pids go to pid.DIR.
follow() {
	local d

	for d do
		ehr-dbft -C $d --follow >$d.out 2>$d.err 3>&- &
		echo $! >pid.$d
	done
}

@test "--follow: blocks come by themselves; SIGTERM ends it, SIGHUP does not" {
	local d h

	four --timeout 1000
	follow A B C D
	for h in 1 2 3 4 5 6; do
		enroll "$(speaker $((h + 1)))"
		until_ok 10 at $h >/dev/null
	done
	until_ok 5 test -s A.out -a -s B.out -a -s C.out -a -s D.out
	sort -n ?.out | cmp - <(ehr-block -C A list | cut -d' ' -f1,2)
	# A new peer command is read at SIGHUP.
	kill -HUP "$(cat pid.A)"
	enroll A
	until_ok 10 at 7 >/dev/null
	# One is gone; then another, in an orderly way: too few.
	kill -KILL "$(cat pid.B)"
	for h in 8 9 10 11 12; do
		enroll C
		until_ok 20 at $h >/dev/null
	done
	kill -TERM "$(cat pid.A)" "$(cat pid.C)" "$(cat pid.D)"
	for d in A C D; do
		until_ok 10 not_running "$(cat pid.$d)"
	done
	cat ?.err
	[ -z "$(cat ?.err)" ]
	same_after_all
}

not_running() {
	! kill -0 "$1" 2>/dev/null
}

@test "--follow: tells its manager when it is ready; one per ledger" {
	four
	need python3
	python3 - >notified <<'END' &
import socket, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(20)
for i in range(2):
    print(s.recv(100).decode(), flush=True)
END
	until_ok 5 test -S notify
	NOTIFY_SOCKET=$PWD/notify ehr-dbft -C A --follow 3>&- &
	until_ok 10 grep -q READY=1 notified
	refused 75 ehr-dbft -C A --follow
	kill -TERM %2
	until_ok 10 grep -q STOPPING=1 notified
	wait
}
