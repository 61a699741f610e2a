# Receipts, checkpoints and tiles, as their users have them: who makes them,
# who cosigns, and who verifies with nothing but the genesis or a few keys.

load lib
load four

many=${bin%/bin}/t/many
python=/usr/bin/python3

# 10,000 transactions at four hospitals; their receipts and what it takes to
# verify them are in $M/all.
setup_file() {
	export M=$BATS_FILE_TMPDIR
	cd "$M"
	[ -x "$many" ] || return 0
	ledgers 10000
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
	mkdir all
	ids A | ehr-log-merkle -C A --prove -o all -
	cp A/.ehr/genesis all
	ehr-log-merkle -C A --policy >all/policy
}

setup() {
	tmp
	[ -x "$many" ] || skip "no $many: make units"
	unset EHR_DIR
}

# ledgers N: A to D in the working directory, that reach each other.
ledgers() {
	local a b

	"$many" "$1" A B C D
	for a in A B C D; do
		for b in A B C D; do
			[ $a = $b ] || ehr-node -C $a peer "hospital-${b,}" \
			    "ehr-serve -C $PWD/$b" || return 1
		done
	done
}

# ids DIR: those of all transactions, from its logs.
ids() {
	tail -qn +4 "$1"/.ehr/logs/* | cut -d ' ' -f 4
}

# independent ARG...: the reader in another language.
independent() {
	$python -c 'import cryptography' 2>/dev/null ||
	    skip "no python3-cryptography here"
	$python "$top/t/tlog.py" "$@"
}

# cosigners FILE: who has.
cosigners() {
	sed -n 's/^— \(hospital-.\) .*/\1/p' "$1" | sort | tr '\n' ' '
}

@test "receipts of 10,000 transactions verify on a machine with only the genesis" {
	cp -r "$M/all" here
	cd here
	rm policy
	[ "$(ls ./*.receipt | wc -l)" -eq 10000 ]
	ls ./*.receipt >../list
	silent ehr-verify -q --genesis genesis - <../list
	[ -z "$output" ]
}

@test "none of them verifies after a change" {
	cp -r "$M/all" here
	cd here
	ls ./*.receipt >../list
	xargs "$python" "$top/t/tlog.py" alter <../list ||
	    independent
	run --separate-stderr ehr-verify -q --genesis genesis - <../list
	[ "$status" -ne 0 ]
	[ "${#stderr_lines[@]}" -eq 10000 ]
}

@test "with a policy, and without the genesis, they verify by its keys" {
	cd "$M/all"
	ls ./*.receipt | head -n 300 >"$BATS_TEST_TMPDIR/list"
	silent ehr-verify -q --policy policy - <"$BATS_TEST_TMPDIR/list"
	grep -v '^log' policy >"$BATS_TEST_TMPDIR/w/nolog"
	refused 1 ehr-verify --policy "$BATS_TEST_TMPDIR/w/nolog" \
	    "$(head -n 1 "$BATS_TEST_TMPDIR/list")"
	sed 's/^group NODES 3/group NODES 4/' policy \
	    >"$BATS_TEST_TMPDIR/w/four"
	silent ehr-verify --policy "$BATS_TEST_TMPDIR/w/four" \
	    "$(head -n 1 "$BATS_TEST_TMPDIR/list")"
	[[ $output == *"verified with the keys of the policy" ]]
	# Keys that have cosigned nothing.
	ehr-keygen --node -n hospital-x --no-passphrase \
	    -o "$BATS_TEST_TMPDIR/w/x.key"
	key=$(sed -n 's/^sign ed25519://p' "$BATS_TEST_TMPDIR/w/x.key.card")
	raw=$( (printf '\004'; base64 -d <<<"$key") | base64 -w 0)
	id=$( (printf 'hospital-x\n\004'; base64 -d <<<"$key") | sha256sum |
	    cut -c 1-8)
	{
		grep '^log' policy
		echo "witness x hospital-x+$id+$raw"
		echo "quorum x"
	} >"$BATS_TEST_TMPDIR/w/x"
	refused 1 ehr-verify --policy "$BATS_TEST_TMPDIR/w/x" \
	    "$(head -n 1 "$BATS_TEST_TMPDIR/list")"
	echo nonsense >"$BATS_TEST_TMPDIR/w/bad"
	refused 3 ehr-verify --policy "$BATS_TEST_TMPDIR/w/bad" \
	    "$(head -n 1 "$BATS_TEST_TMPDIR/list")"
}

@test "a reader in another language accepts receipts, checkpoint and tiles" {
	run independent receipt "$M/all/policy" "$M"/all/*.receipt
	[ "$status" -eq 0 ]
	[ "$output" = "10000 right" ]
	independent tiles "$M/A/.ehr/tiles"
	independent checkpoint "$M/all/policy" "$M/A/.ehr/tiles/checkpoint"
	# And it can say no.
	cp "$(ls "$M"/all/*.receipt | head -n 1)" r
	sed 's/^index ./index 7/' r >index
	run independent receipt "$M/all/policy" index
	[ "$status" -ne 0 ]
	cp -r "$M/A/.ehr/tiles" tiles
	printf x | dd of=tiles/tile/entries/007 bs=1 seek=99 conv=notrunc \
	    status=none
	run independent tiles tiles
	[ "$status" -ne 0 ]
	for n in 70 300 500; do
		cp "$M/A/.ehr/tiles/checkpoint" c
		flip c $n
		run independent checkpoint "$M/all/policy" c
		[ "$status" -ne 0 ]
	done
}

@test "the whole of a receipt, and nothing but it" {
	r=$(ls "$M"/all/*.receipt | head -n 1)
	silent ehr-verify --ledger "$(sha256sum <"$M/all/genesis" |
	    cut -c 1-64)" "$r"
	[[ $output == *"certified by hospital-a hospital-b"* ]]
	silent ehr-verify --genesis "$M/all/genesis" <"$r"
	silent ehr-verify -C "$M/A" "$r"
	silent ehr-verify -q --genesis "$M/all/genesis" "$r"
	[ -z "$output" ]
	(cat "$r"; echo) >more
	refused 3 ehr-verify --genesis "$M/all/genesis" more
	head -c -1 "$r" >less
	refused 3 ehr-verify --genesis "$M/all/genesis" less
	refused 3 ehr-verify --genesis "$M/all/genesis" /dev/null
	# Another ledger's genesis, and none at all.
	ehr-keygen --node -n hospital-x --no-passphrase -o x.key
	ehr-keygen -n Ada --no-passphrase -o ada.key
	ehr-init -C X --name other --node-key x.key --admin ada.key.card
	refused 1 ehr-verify --genesis X/.ehr/genesis "$r"
	refused 1 ehr-verify -C X "$r"
	refused 1 ehr-verify --genesis nothing "$r"
	refused 2 ehr-verify --genesis "$M/all/genesis" --ledger "$(
	    ledger_id X)" "$r"
	refused 2 ehr-verify --ledger 123 "$r"
}

@test "a page for the patient" {
	tx=$(grep -h ' authorize laboratory$' "$M"/A/.ehr/logs/* |
	    cut -d ' ' -f 4)
	silent ehr-verify --text --genesis "$M/all/genesis" \
	    "$M/all/$tx.receipt"
	[[ $output == *"I authorize the record"* ]]
	[[ $output == *"What this proves"* ]]
	[[ $output == *"What this does not prove"* ]]
	[[ $output == *"hospital-d"* ]]
	[ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' \
	    <<<"$output")" -le 80 ]
}

@test "by the id of a record, the transaction that took it in" {
	record=$(sqlite3 -readonly "$M/A/.ehr/state.db" \
	    "SELECT lower(hex(id)) FROM record")
	tx=$(grep -h ' authorize laboratory$' "$M"/A/.ehr/logs/* |
	    cut -d ' ' -f 4)
	silent ehr-log-merkle -C "$M/A" --prove "$record"
	printf '%s\n' "$output" | cmp - "$M/all/$tx.receipt"
	refused 1 ehr-log-merkle -C "$M/A" --prove "${tx%?????}00000"
	refused 1 ehr-log-merkle -C "$M/A" --prove 123
	refused 2 ehr-log-merkle -C "$M/A" --prove
	refused 2 ehr-log-merkle -C "$M/A" --prove "$tx" "$record"
	refused 2 ehr-log-merkle -C "$M/A" --prove -
	refused 2 ehr-log-merkle -C "$M/A" --roll -o all
	refused 4 ehr-log-merkle -C "$M/A" --prove -o nowhere "$tx"
	mkdir some
	silent ehr-log-merkle -C "$M/A" --prove -o some "$tx" "$record"
	[ "$(ls -A some)" = "$tx.receipt" ]
}

@test "a receipt has each change of the delegates since the beginning" {
	local n=0 want tx

	four --timeout 500
	ehr-keygen --node -n hospital-e --no-passphrase -o e.key
	# Five delegates with the second block, four again with the fourth.
	for want in 0 0 1 1 2; do
		n=$((n + 1))
		case $n in
		2) ehr-node -C A admit -i admin.key e.key.card ;;
		4) ehr-node -C A remove -i admin.key hospital-e ;;
		*) enroll A ;;
		esac >/dev/null
		reach $n
		ehr-log-merkle -C A --roll
		tx=$(ids A | tail -n 1)
		ehr-log-merkle -C A --prove "$tx" >r$n
		# The genesis has such a line, with the number of seats.
		[ "$(grep -Ec '^delegates [0-9]{1,5}$' r$n)" -eq $((want + 1)) ]
		silent ehr-verify --ledger "$(ledger_id A)" r$n
		[[ $output == *"number $((n - 1)) on the ledger"* ]]
		[[ $output == *"block $n "* ]]
	done
	# A chain with one change left out is none.
	at=$(grep -nE '^delegates [0-9]{1,5}$' r5 | cut -d : -f 1 | sed -n 2p)
	first=$(grep -n '^header ' r5 | cut -d : -f 1 | head -n 1)
	size=$(sed -n "${at}s/.* //p" r5)
	{
		head -n $((first - 1)) r5
		tail -n +$((at + 1)) r5 | tail -c +$((size + 1))
	} >cut
	refused 1 ehr-verify --ledger "$(ledger_id A)" cut
}

@test "all cosign, whoever rolls first; a copy that is no node signs nothing" {
	ledgers 300
	for d in A B C D; do
		silent ehr-log-merkle -C $d --roll
	done
	for d in D C B A; do
		silent ehr-log-merkle -C $d --check
		[ "$(cosigners $d/.ehr/tiles/checkpoint)" = \
		    "hospital-a hospital-b hospital-c hospital-d " ]
		cmp $d/.ehr/tiles/checkpoint $d/.ehr/checkpoints/*
		grep -qx 'size 300' $d/.ehr/consensus/signed
	done
	ehr-sync clone "ehr-serve -C A" E
	silent ehr-log-merkle -C E --roll
	[ -z "$(ls E/.ehr/checkpoints)" ]
	diff -r A/.ehr/tiles/tile E/.ehr/tiles/tile
	silent ehr-log-merkle -C E --check
}

@test "a peer that is away cosigns later" {
	ledgers 300
	ehr-node -C A peer hospital-d false
	ehr-log-merkle -C A --roll
	silent ehr-log-merkle -C A --check
	[ "$(cosigners A/.ehr/tiles/checkpoint)" = \
	    "hospital-a hospital-b hospital-c " ]
	ehr-node -C A peer hospital-d "ehr-serve -C D"
	ehr-log-merkle -C A --check
	[ "$(cosigners A/.ehr/tiles/checkpoint)" = \
	    "hospital-a hospital-b hospital-c hospital-d " ]
}

@test "a restored record signs nothing, until the others have been asked" {
	ledgers 300
	cp -rp B/.ehr/consensus kept
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
	grep -q '^— hospital-b ' A/.ehr/tiles/checkpoint
	# A backup of the folder, as tools for backups put it back.
	rm -r B/.ehr/consensus
	cp -rp kept B/.ehr/consensus
	run --separate-stderr ehr-log-merkle -C B --roll
	[ "$status" -eq 1 ]
	[[ $stderr == *"is a copy of the file that it was"*--renew* ]]
	[ -z "$(ls B/.ehr/checkpoints)" ]
	[ -n "$(ls B/.ehr/logs)" ]
	sed -i '/^— hospital-b /d' A/.ehr/checkpoints/* A/.ehr/tiles/checkpoint
	run ehr-log-merkle -C A --check
	[ "$status" -eq 1 ]
	[[ $output == *"hospital-b: "*"is a copy"* ]]
	# All the others have to answer, here.
	ehr-node -C B peer hospital-d false
	refused 75 ehr-log-merkle -C B --renew
	ehr-node -C B peer hospital-d "ehr-serve -C D"
	silent ehr-log-merkle -C B --renew
	silent ehr-log-merkle -C B --roll
	ehr-log-merkle -C A --check
	ehr-log-merkle -C B --check
	grep -q '^— hospital-b ' A/.ehr/tiles/checkpoint
}

@test "without a record the others are asked by itself" {
	ledgers 300
	rm A/.ehr/consensus/signed
	ehr-node -C A peer hospital-d false
	refused 75 ehr-log-merkle -C A --roll
	ehr-node -C A peer hospital-d "ehr-serve -C D"
	silent ehr-log-merkle -C A --roll
	grep -qx 'size 300' A/.ehr/consensus/signed
	[ -n "$(ls A/.ehr/checkpoints)" ]
}

@test "the check and the audit see altered tiles and checkpoints" {
	ledgers 300
	ehr-log-merkle -C A --roll
	run ehr-audit -C A
	[[ $output != *"FAILED tiles"* ]]
	[[ $output != *"FAILED checkpoints"* ]]
	for f in tiles/tile/0/000 tiles/tile/entries/001.p/44 \
	    checkpoints/2026-03-02_09 tiles/checkpoint; do
		cp A/.ehr/$f kept
		printf '\377' | dd of=A/.ehr/$f bs=1 seek=40 conv=notrunc \
		    status=none
		run ehr-log-merkle -C A --check -n
		[ "$status" -eq 1 ]
		[[ $output == *"/$f "* ]]
		run ehr-audit -C A
		[[ $output == *"FAILED "*"$f"* ]]
		cat kept >A/.ehr/$f
	done
	ehr-log-merkle -C A --check
	rm -r A/.ehr/tiles/tile/0
	run ehr-log-merkle -C A --check -n
	[ "$status" -eq 1 ]
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
}
