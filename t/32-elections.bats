# Delegates come and go while the ledger runs: 4, then 7, then 4.

load lib
load four

teardown() {
	kill_all
}

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

# ticks DIR: of processor time, hundredths of a second, that its service took.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$(<"pid.$1")/stat"
}

# delegates N: so many decide on the next block, as A knows it.
delegates() {
	[ "$(ehr-node -C A list | grep -c delegate)" -eq "$1" ]
}

# has_part NAME FROM: has it proposed or signed a block since?
has_part() {
	[ "$(height A)" -ge "$2" ] &&
	    ehr-block -C A show $(seq "$2" "$(height A)") |
	    grep -q "^\(proposer\|—\) $1"
}

# until_part FROM NAME...: blocks come until each of them has had a part.
until_part() {
	local from=$1 n who

	shift
	for who do
		n=0
		until has_part "$who" "$from"; do
			n=$((n + 1))
			[ $n -le 40 ] || { echo "$who has no part"; return 1; }
			another "${all[@]}"
		done
	done
}

# come HEIGHT DIR: has that block come?  Who has no seat asks for it, as its
# timer does.
come() {
	grown $(($1 - 1)) "$2" && return
	ehr-sync -C "$2" >/dev/null 2>&1
	grown $(($1 - 1)) "$2"
}

# another DIR...: one more block, at all of these.
another() {
	local a h=$(($(height A) + 1))

	enroll A
	for a do
		until_ok 40 come $h $a
	done
}

@test "services run on while delegates come, are voted out, and go" {
	local a b h ledger t
	local -a all=(A B C D E F G H)

	four --timeout 2000 --delegates 7
	follow A B C D
	another A B C D
	for a in e f g h; do
		ehr-keygen --node -n hospital-$a --no-passphrase -o $a.key
	done
	ehr-node -C A admit -i admin.key --passphrase-file pw {e,f,g,h}.key.card
	until_ok 40 at 2 >/dev/null
	delegates 7
	ledger=$(sed -n '1s/.* //p' A/.ehr/consensus/journal)
	for a in E F G H; do
		ehr-sync clone 'ehr-serve -C A' $a --node-key ${a,}.key \
		    --ledger "$ledger"
	done
	for a in "${all[@]}"; do
		for b in "${all[@]}"; do
			[ $a = $b ] || peer $a $b "ehr-serve -C $b"
		done
	done
	for a in A B C D; do
		kill -HUP "$(<pid.$a)"
	done
	follow E F G H
	until_part 3 hospital-e hospital-f hospital-g
	# Seven seats, eight nodes: the last by its name has none, until it is
	# voted for.
	h=$(height A)
	run ! has_part hospital-h 3
	ehr-node -C A list | grep -q 'hospital-h.node'
	for a in A B C D E; do
		ehr-node -C $a vote hospital-{a,b,c,d,e,f,h}
	done
	until_ok 40 eval "ehr-node -C A list | grep -q 'hospital-h.delegate'"
	ehr-node -C A list | grep -q 'hospital-g.node'
	delegates 7
	until_part $((h + 1)) hospital-h

	# Who has no seat any more waits for one, and does nothing else.
	t=$(ticks G)
	sleep 2
	[ $(($(ticks G) - t)) -le 40 ]

	h=$(height A)
	for a in "${all[@]}"; do
		until_ok 40 come "$h" $a
	done
	ehr-node -C A remove -i admin.key --passphrase-file pw \
	    hospital-{e,f,g,h}
	until_ok 40 delegates 4
	another A B C D
	another A B C D
	for a in e f g h; do
		run ! has_part hospital-$a "$(height A)"
	done
	unfollow "${all[@]}"
	for a in A B C D; do
		for b in E F G H; do
			ehr-node -C $a peer --remove hospital-${b,}
		done
	done
	same_after_all
	honest E F G H
	# Certificates of old sets verify in all copies.
	h=$(height A)
	for a in "${all[@]}"; do
		ehr-sync -C $a >/dev/null 2>&1 || true
		ehr-audit -C $a >audit 2>&1 || [[ $a == [E-H] ]]
		grep "blocks  *$h checked, 0 failed" audit
		grep 'signatures  *[0-9]* checked, 0 failed' audit
	done
}
