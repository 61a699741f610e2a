# ehr-dbft: four hospitals agree on blocks, over pipes.

load lib
load four

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
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n "Ruth O" --no-passphrase -o admin.key
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
	# At the speaker, status says so, too; it did not wait for hospital-a.
	silent ehr-dbft -C B status --local
	[[ $output == *$'\nmissing prepare '*$'hospital-c hospital-d\n'* ]]
	silent ehr-dbft -C B status --local --json
	[ "$(jq -c '[.lacks, (.delegates[1,2,3] | .missing)]' \
	    <<<"$output")" = '["prepare",false,true,true]' ]
	at 0
	# And when it has left the view.
	sleep 0.6
	refused 75 ehr-dbft -C A --once
	silent ehr-dbft -C A status --local
	[[ $output == *$'\nmissing change-view '*$'hospital-c hospital-d\n'* ]]
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
	sed -i '3s/^\([0-9]*\) ./\1 #/' $j
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
	sed -i '3s/^\([0-9]*\) ./\1 #/' $j
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
	unfollow A C D
	cat ?.err
	[ -z "$(cat ?.err)" ]
	same_after_all
}

@test "--follow: SIGHUP: a command that was changed is used, and a new peer" {
	local h

	four --timeout 1000
	peer A B 'echo $$ >first; exec ehr-serve -C B'
	ehr-node -C A peer --remove hospital-d
	follow A B C D
	enroll A
	until_ok 20 at 1 >/dev/null
	until_ok 20 test -s first
	peer A B 'echo $$ >second; exec ehr-serve -C B'
	peer A D 'echo $$ >new; exec ehr-serve -C D'
	for h in 2 3; do
		enroll A
		until_ok 20 at $h >/dev/null
	done
	[ ! -e second ] && [ ! -e new ]
	kill -HUP "$(cat pid.A)"
	until_ok 20 test -s second -a -s new
	until_ok 20 not_running "$(cat first)"
	for h in 4 5 6 7; do
		enroll A
		until_ok 20 at $h >/dev/null
	done
	kill -0 "$(cat second)"
	kill -0 "$(cat new)"
	unfollow A B C D
	same_after_all
}

@test "--follow: tells its manager when it is ready; one per ledger" {
	local follower listener

	need python3
	four
	python3 - >notified 3>&- <<'END' &
import socket, os
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
s.settimeout(20)
for i in range(2):
    print(s.recv(100).decode(), flush=True)
END
	listener=$!
	until_ok 5 test -S notify
	NOTIFY_SOCKET=$PWD/notify ehr-dbft -C A --follow 3>&- &
	follower=$!
	until_ok 10 grep -q READY=1 notified
	refused 75 ehr-dbft -C A --follow
	kill -TERM $follower
	until_ok 10 grep -q STOPPING=1 notified
	wait $follower $listener
}
