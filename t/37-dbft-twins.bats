# Two at once: two processes on one ledger, and one node in two places.

load lib
load four
load wires

setup_file() {
	relay_made
}

teardown() {
	kill_all
}

@test "many ehr-dbft --follow start at once: one stays, whoever is killed" {
	local i n p

	four
	for n in 1 2 3; do
		for i in 1 2 3 4; do
			ehr-dbft -C A --follow >>out 2>err$i 3>&- &
			echo $! >pid.$i
		done
		until_ok 20 one_left
		for i in 1 2 3 4; do
			p=$(<pid.$i)
			if kill -KILL "$p" 2>/dev/null; then
				wait "$p" || true
				[ ! -s err$i ]
			else
				run wait "$p"
				grep -q 'consensus/active' err$i
			fi
		done
	done
	# What was killed leaves nothing behind that keeps others out.
	follow A B C D
	enroll A
	until_ok 10 at 1 >/dev/null
	unfollow A B C D
}

one_left() {
	local n=0 p

	for p in $(cat pid.[1-4]); do
		! kill -0 "$p" 2>/dev/null || n=$((n + 1))
	done
	[ $n -eq 1 ]
}

accused() {
	compgen -G "[ABD]/.ehr/consensus/evidence-*-hospital-c" >/dev/null
}

@test "a node runs in two places: it is found out, and the others agree" {
	local d f n

	four --timeout 1000
	follow A B D
	cp -a C C2
	peer B C 'ehr-serve -C C2'
	follow C C2
	for n in $(seq 40); do
		! accused || break
		# In their turn both get something to do, and see it together.
		if [ "$(speaker $(($(height A) + 1)))" = C ]; then
			kill -STOP "$(<pid.C)" "$(<pid.C2)"
			enroll C
			enroll C2
			kill -CONT "$(<pid.C)" "$(<pid.C2)"
		else
			enroll A
		fi
		until_ok 40 idle
		until_ok 40 at "$(height A)" A B C C2 D >/dev/null
	done
	accused
	until_ok 40 one_height
	unfollow A B C C2 D
	# Two signed notes of one height, view and step, about two blocks.
	for f in [ABD]/.ehr/consensus/evidence-*-hospital-c; do
		[ "$(grep -c '^— hospital-c ' $f)" -eq 2 ]
		[ "$(grep '^ehr.v1' $f | sort -u | wc -l)" -eq 1 ]
		[ "$(grep '^block ' $f | sort -u | wc -l)" -eq 2 ]
		[ "$(grep -E '^(height|view) ' $f | sort -u | wc -l)" -eq 2 ]
	done
	ehr-dbft -C "${f%%/*}" status --local | grep '^evidence evidence-'
	honest A B D
	# What C2 has, only B can fetch; what C has, only A and D.
	for d in B A D B; do ehr-sync -C $d; done
	for d in A B D; do
		ehr-audit -C $d >audit 2>&1 || { cat audit; return 1; }
	done
}

one_height() {
	at "$(height A)" A B D
}

# Nothing waits.
idle() {
	! compgen -G '*/.ehr/pending/*' >/dev/null
}

# told: A and B try, until C has seen what C2 has signed.
told() {
	local d

	for d in A B; do
		ehr-dbft -C $d --once >>said 2>&1 || [ $? -eq 75 ] || return 1
	done
	[ -e C/.ehr/consensus/evidence-000000002-hospital-c ]
}

@test "a twin that sees its key used elsewhere is silent at that height" {
	local d j=C/.ehr/consensus/journal

	four --timeout 400
	wire
	enroll A B C D
	reach 1
	cp -a C C2
	# The other one speaks, shows a certificate to A, and is gone.
	enroll A B D C2
	wired C2 A -k 3
	run ehr-dbft -C C2 --once
	[ "$status" -eq 137 ]
	grep -q '^2 .* commit 0 ' C2/.ehr/consensus/journal
	# They would need it now, without D.
	for d in A B; do peer $d D false; done
	until_ok 20 told
	at 1 A B C D
	for d in A B; do wired $d D; done
	reach 2
	! grep '^2 .* \(prepare\|commit\|change-view\) ' $j
	grep '^2 floor ' $j
	ehr-dbft -C C status --local | grep '^evidence evidence-000000002-hospital-c'
	# It goes on at the next height.
	rm -rf C2
	enroll A B C D
	reach 3
	grep '^3 .* prepare ' $j
	same_after_all
	truthful A B D
}
