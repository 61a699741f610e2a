# Delegates come and go while the ledger runs: 4, then 7, then 4.

load lib
load four

@test "three nodes are admitted, take part, and are removed" {
	local a b h ledger

	four --timeout 500
	enroll A B C D
	reach 1
	for a in e f g; do
		ehr-keygen --node -n hospital-$a --no-passphrase -o $a.key
	done
	ehr-node -C A admit -i admin.key --passphrase-file pw e.key.card \
	    f.key.card g.key.card
	reach 2
	# There are seven seats, and so seven delegates: four are no quorum.
	enroll A B C D
	for a in A B C D; do
		ehr-dbft -C $a --once >>said 2>&1 || [ $? -eq 75 ]
	done
	at 2
	ledger=$(sed -n '1s/.* //p' A/.ehr/consensus/journal)
	for a in E F G; do
		ehr-sync clone 'ehr-serve -C A' $a --node-key ${a,}.key \
		    --ledger "$ledger"
	done
	for a in A B C D E F G; do
		for b in A B C D E F G; do
			[ $a = $b ] || peer $a $b "ehr-serve -C $b"
		done
	done
	for h in 3 4 5 6 7 8 9; do
		reach $h A B C D E F G
		enroll A
	done
	honest A B C D E F G
	# Each of the new ones has spoken, or signed.
	for a in e f g; do
		ehr-block -C B show 3 4 5 6 7 8 9 |
		    grep -q "^\(proposer\|— \)hospital-$a"
	done
	[ "$(ehr-node -C A list | grep -c delegate)" -eq 7 ]

	ehr-node -C A remove -i admin.key --passphrase-file pw hospital-e \
	    hospital-f hospital-g
	reach 10 A B C D E F G
	[ "$(ehr-node -C A list | grep -c delegate)" -eq 4 ]
	enroll A
	reach 11
	run --separate-stderr ehr-dbft -v -C E --once
	[[ $stderr == *"no delegate"* ]]
	# All certificates verify, of old sets and new; also in the copy of one
	# that was removed, which gets blocks still, but no records.
	for a in A G; do
		ehr-sync -C $a >/dev/null 2>&1 || true
		ehr-audit -C $a >audit 2>&1 || [ $a = G ]
		grep 'blocks  *11 checked, 0 failed' audit
		grep 'signatures  *[0-9]* checked, 0 failed' audit
	done
	at 11 A B C D G
}

@test "votes decide who the delegates are" {
	four --timeout 500 --delegates 4
	ehr-keygen --node -n hospital-e --no-passphrase -o e.key
	ehr-node -C A admit -i admin.key --passphrase-file pw e.key.card
	reach 1
	[ "$(ehr-node -C A list | grep -c delegate)" -eq 4 ]
	ehr-node -C A list | grep -q "hospital-e.node"
	# Two nodes want hospital-e rather than hospital-d.
	for d in A B; do
		ehr-node -C $d vote hospital-a hospital-b hospital-c hospital-e
	done
	reach 2
	enroll A B C D
	ehr-sync -C A
	reach 3 A B C
	ehr-node -C A list | grep -q "hospital-e.delegate"
	ehr-node -C A list | grep -q "hospital-d.node"
	ehr-audit -C A >audit 2>&1 || { cat audit; return 1; }
}
