# Syncs of which one end or the other is killed, at any moment.

load lib
load four
load killings

teardown() {
	kill_all
}

# ready: four nodes; a doctor, a patient; only A and B talk with B.
ready() {
	RANDOM=${KILL_SEED:=$$}
	echo "KILL_SEED=$KILL_SEED"
	four --timeout 300
	doctor_and_patient
	handed_on
	reach 1
	peer C B false
	peer D B false
	peer A B "echo \$\$ >>pids.B; exec ehr-serve -C B"
	peer B A "echo \$\$ >>pids.A; exec ehr-serve -C A"
	: >pids.A
	: >pids.B
	echo 'a result' >r.txt
}

# doze MAX: up to so many milliseconds.
doze() {
	sleep "0.$(printf %03d $((RANDOM % $1)))"
}

# killed COMMAND...: run it; it, or who answers for A or B, is killed.  Counts
# in *n what was killed before its end.
killed() {
	local pid status=0

	"$@" >>said 2>&1 3>&- &
	pid=$!
	doze 30
	if [ $((RANDOM % 2)) -eq 0 ]; then
		kill -KILL "$pid"
	else
		kill -KILL $(serving A) $(serving B)
	fi || true
	wait "$pid" || status=$?
	case $status in
	0) ;;
	75 | 137) n=$((n + 1)) ;;
	*) cat said; return 1 ;;
	esac
} 2>/dev/null

# block: A, C and D make one, of which B learns from A.
block() {
	local h=$(($(height A) + 1))

	ehr-sync -C A hospital-c hospital-d
	peer A B false
	reach $h A C D
	peer A B "echo \$\$ >>pids.B; exec ehr-serve -C B"
}

# settled: nothing waits at A or B, and they are at one height.
settled() {
	! compgen -G '[AB]/.ehr/pending/*' >/dev/null && at "$(height A)" A B
}

# Nothing is lost: what waited comes on the ledger, at both.
nothing_lost() {
	local i=0

	peer C B 'ehr-serve -C B'
	peer D B 'ehr-serve -C B'
	ehr-sync -C A
	ehr-sync -C B
	# What the doctor has staged at A, the patient finds at B.
	ehr-authorize -C B -i bill.key - <staged >authorized
	[ "$(wc -l <authorized)" -ge "$(wc -l <staged)" ]
	ehr-sync -C B
	until settled >/dev/null; do
		[ $((i += 1)) -lt 8 ] || { settled; return 1; }
		reach $(($(height A) + 1))
	done
	same_after_all
	ehr-user -C A list >users
	ehr-user -C B list | cmp - users
	while read -r name; do
		grep -q "$name" users || { echo "$name is lost"; return 1; }
	done <enrolled
}

@test "300 times one end of a sync is killed: nothing is lost" {
	local i n=0

	ready
	for i in $(seq 300); do
		case $((i % 6)) in
		0)	enroll A ;;
		2)	enroll B ;;
		3)	ehr-add -C A -i kun.key -p "$(<bill)" -d "result $i" \
			    -l laboratory r.txt >>staged ;;
		esac
		[ $((i % 60)) -ne 0 ] || block
		if [ $((RANDOM % 2)) -eq 0 ]; then
			killed ehr-sync -C A hospital-b
		else
			killed ehr-sync -C B hospital-a
		fi
	done
	echo "$n were killed before their end"
	[ $n -ge 50 ]
	sed -n "s/^name //p" u[0-9]*.key.card >enrolled
	nothing_lost
}

@test "a clone is killed again and again, and goes on where it was" {
	local i n=0

	ready
	for i in 2 3 4 5 6; do
		enroll A
		block
	done
	# What kills is for those that answer for A.
	for i in $(seq 40); do
		rm -rf E
		killed ehr-sync clone "echo \$\$ >>pids.A; exec ehr-serve \
-C A" E --node-key b.key --ledger "$(sed -n 's/^	id = //p' A/.ehr/config)"
		[ -e E/.ehr/config ] || continue
		ehr-node -C E peer hospital-a 'ehr-serve -C A'
		ehr-sync -C E --pull hospital-a
		at 6 A E
		ehr-audit -C E >audit 2>&1 || { cat audit; return 1; }
	done
	echo "$n were killed before their end"
	[ $n -ge 10 ]
}
