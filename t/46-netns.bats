# Four hospitals on hosts of their own, in network namespaces, over ssh: with
# delay, loss and links that are cut.

load lib
load four
load ssh
load netns

setup_file() {
	netns_made
}

setup() {
	export EHR_PASSPHRASE_FILE=$BATS_TEST_TMPDIR/w/pw
}

teardown() {
	cd "$BATS_FILE_TMPDIR" && hosts_down
}

# long N [OPTION...]: the ledger of A gets so many blocks.
long() {
	"$bin/../bench/chain" -a admin.key -n "$@" A ?.key
	[ "$(height A)" = "$1" ]
}

# blocks DIR: how many of them came already.
blocks() {
	find "$1/.ehr/blocks" -name '*.gz' | wc -l
}

# config DIR LINE...: settings of the net.
config() {
	printf '%s\n' '[net]' "${@:2}" >>"$1/.ehr/config"
}

said() { grep -q "$2" "$1"; }

@test "with a delay: a clone, a record, blocks, an audit" {
	network -d 25
	four --timeout 4000
	rm -rf D
	by_ssh A B C
	on D ehr-sync clone 'ssh ehr@hospital-a ehr-serve' D \
	    --node-key d.key --ledger "$(ledger_id A)"
	by_ssh D
	doctor_and_patient
	silent ehr-sync -C A
	reach 1
	# A result of hospital A, which the patient takes at D.
	echo 'a result' >r.txt
	ehr-add -C A -i kun.key -p "$(<bill)" -d 'a result' -l laboratory \
	    r.txt >id
	silent ehr-sync -C A
	ehr-authorize -C D -i bill.key "$(<id)"
	enroll C
	follow A B C D
	until_ok 60 grown 1 D
	until_ok 60 level >/dev/null
	unfollow A B C D
	same_after_all
	ehr-show -C B -i kun.key "$(<id)" >shown
	grep -q 'a result' shown
}

@test "with loss: the first sync of a long chain" {
	local d

	network -d 5 -l 80 -s 46
	four
	long 300
	by_ssh B C D
	for d in B C D; do
		ehr-sync -C $d --pull 2>$d.err 3>&- &
		echo $! >pid.$d
	done
	for d in B C D; do
		wait "$(<pid.$d)" || { cat $d.err; return 1; }
	done
	at 300
	cd "$BATS_FILE_TMPDIR"
	hosts_down
	cat net/out
	grep -Eq ' [1-9][0-9]+ lost, ' net/out
}

@test "a link is cut in the middle of the first sync: another peer goes on" {
	local n

	network -d 10 -r 120
	four
	long 1200
	for d in B C; do
		cp -a A/.ehr/blocks $d/.ehr/
		ehr-block -C $d list -n 1 >/dev/null
	done
	peer D A 'ssh ehr@hospital-a ehr-serve'
	peer D B 'ssh ehr@hospital-b ehr-serve'
	ehr-node -C D peer --remove hospital-c
	config D 'timeout = 3'
	ehr-sync -C D --pull 2>D.err 3>&- &
	echo $! >pid.D
	until n=$(blocks D) && [ "$n" -ge 40 ]; do
		kill -0 "$(<pid.D)" || { cat D.err; return 1; }
	done
	cut_link D A
	[ "$(blocks D)" -lt 1200 ]
	echo "cut after $n blocks"
	wait "$(<pid.D)"
	cat D.err
	[ "$(wc -l <D.err)" -eq 1 ]
	grep '^ehr-sync: hospital-a: ' D.err
	at 1200 A D
	# Named, it is called again; and it is not there.
	refused 75 ehr-sync -C D hospital-a
	[[ $stderr == *"hospital-a: it does not answer"* ]]
	mend D A
	enroll A
	silent ehr-sync -C D hospital-a
	cmp A/.ehr/pending/*.seg D/.ehr/pending/*.seg
}

@test "a link is cut under --follow: it is called again, and there again" {
	network -d 20
	four
	by_ssh A
	config A 'timeout = 3' 'keepalive = 1' 'misses = 2' 'poll = 0'
	ehr-sync -C A --follow 2>A.err 3>&- &
	echo $! >pid.A
	enroll A
	for d in B C D; do until_ok 40 waits $d 1; done
	[ ! -s A.err ]
	cut_link A B
	until_ok 40 said A.err 'hospital-b: it has not answered for 2 times 1 s'
	# The others are served meanwhile.
	enroll A
	for d in C D; do until_ok 40 waits $d 2; done
	waits B 1
	mend A B
	until_ok 60 said A.err 'hospital-b: it is there again'
	until_ok 40 waits B 2
	unfollow A
	cat A.err
	[ "$(wc -l <A.err)" -eq 2 ]
}

# idle DIR...: nothing waits there for a block.
idle() {
	local d

	for d do
		ehr-dbft -C $d status --json | jq -e '.pending == 0' || return 1
	done >/dev/null
}

# tried HEIGHT: two have voted there, for a block or for another view.
tried() {
	[ "$(grep -l "^$1 " ?/.ehr/consensus/journal | wc -l)" -ge 2 ]
}

@test "two and two: no block, and on after it is mended; three go on" {
	local h

	network -d 20
	four --timeout 1000
	by_ssh A B C D
	follow A B C D
	enroll A B C D
	until_ok 60 idle A B C D
	until_ok 60 level >/dev/null
	h=$(height A)
	cut_link A C D
	cut_link B C D
	enroll A B C D
	until_ok 60 tried $((h + 1))
	# With the links this would be a block by now.
	for _ in $(seq 15); do
		at $h
		sleep 0.2
	done
	mend A C D
	mend B C D
	until_ok 60 grown $h
	until_ok 60 idle A B C D
	until_ok 60 level >/dev/null
	# Three and one.
	h=$(height A)
	cut_link D A B C
	enroll A B C D
	until_ok 60 at $((h + 1)) A B C >/dev/null
	for _ in $(seq 10); do
		at $h D
		sleep 0.2
	done
	mend D A B C
	until_ok 60 level >/dev/null
	grown $h D
	unfollow A B C D
	same_after_all
}
