# Four hospitals on hosts of their own, in network namespaces, over ssh: with
# delay and loss.

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

# long N: the ledger of A gets so many blocks, and what is given of it before.
long() {
	"$bin/../bench/chain" -a admin.key -n "$1" A ?.key
	[ "$(height A)" = "$1" ]
}

@test "with a delay: a clone, a record, blocks, an audit" {
	network -d 25
	four --timeout 4000
	rm -rf D
	by_ssh A B C
	on D ehr-sync clone 'ssh ehr@hospital-a ehr-serve' D \
	    --node-key d.key --ledger "$(ledger_id A)"
	by_ssh D
	ehr-keygen -n 'Kun M' --no-passphrase -o kun.key
	ehr-keygen -n Bill --no-passphrase -o bill.key
	ehr-user -C A add --role doctor kun.key.card -i admin.key >kun
	ehr-user -C A add bill.key.card -i admin.key >bill
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
