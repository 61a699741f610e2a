# ehr-audit of a bundle, and against what its auditor brought along.

load lib

many=${bin%/bin}/t/many

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	[ -x "$many" ] || return 0
	"$many" 600 A B C D
	for b in B C D; do
		ehr-node -C A peer hospital-${b,} "ehr-serve -C $PWD/$b" ||
		    return 1
	done
	for d in B C D; do
		ehr-node -C $d peer hospital-a "ehr-serve -C $PWD/A"
	done
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
	ehr-log-merkle -C A --policy >policy
	cp "$(ls A/.ehr/checkpoints/* | tail -n 1)" checkpoint
	ehr-sync -C A bundle create b.tar
}

setup() {
	tmp
	[ -x "$many" ] || skip "no $many: make units"
	cp -r "$BATS_FILE_TMPDIR"/{A,policy,checkpoint,b.tar} .
	mkdir T
	export TMPDIR=$PWD/T
}

# finds TEXT COMMAND...: not clean, and the text is in what it says.
finds() {
	run "${@:2}"
	[ "$status" -eq 1 ] || { echo "status $status: $output"; return 1; }
	[[ $output == *"$1"* ]] || { echo "$output"; return 1; }
	[ "${lines[-1]}" = "NOT CLEAN" ]
}

# holds COMMAND...: nothing is wrong but that the made-up ledger has no objects.
holds() {
	run --separate-stderr "$@"
	[ -z "$stderr" ] && [ "$status" -eq 1 ] || { echo "$stderr"; return 1; }
	if grep -v '^absent objects ' <<<"$output" | grep -E '^(FAILED|absent) '
	then
		return 1
	fi
}

# ledger_of: of the last report, what is about the ledger, and not the files of
# its node, which a bundle does not have.
ledger_of() {
	grep -Ev '^(state|node|bundle) |^not checked: .*(node|consensus/)' \
	    <<<"$output"
}

@test "a bundle is judged as its directory is, and leaves nothing behind" {
	holds ehr-audit -C A
	ledger_of >dir
	holds ehr-audit --bundle b.tar
	ledger_of | diff dir -
	holds ehr-audit b.tar
	[[ $output == *"bundle        1 checked, 0 failed"* ]]
	[[ $output == *"node          0 checked, 0 failed"* ]]
	run sh -c 'ehr-audit --json - <b.tar'
	[ "$(tail -n 1 <<<"$output" | jq .counts.blocks.checked)" = 4 ]
	holds ehr-audit A
	[ -z "$(ls -A T)" ]
}

@test "damage in the directory is found in its bundle, too" {
	block=A/.ehr/blocks/000000/000000002.gz
	printf x | dd of=$block bs=1 seek=90 conv=notrunc 2>/dev/null
	ehr-sync -C A bundle create bad.tar
	finds "FAILED blocks blocks/000000/000000002.gz" ehr-audit bad.tar
	[[ $output == *"FAILED bundle bundle: it says that its last block is"* ]]
	[[ $output == *"not checked: logs, tiles and checkpoints"* ]]
	run ehr-audit -C A
	[[ $output == *"FAILED blocks blocks/000000/000000002.gz"* ]]
}

@test "a bundle that was cut, altered, or is none" {
	head -c -3000 b.tar >cut.tar
	finds "FAILED bundle bundle: " ehr-audit cut.tar
	cp b.tar bit.tar
	printf x | dd of=bit.tar bs=1 seek=200 conv=notrunc 2>/dev/null
	run ehr-audit bit.tar
	[ "$status" -eq 3 ]
	refused 3 ehr-audit policy
	refused 1 ehr-audit nothing
	refused 2 ehr-audit -C A b.tar
	refused 2 ehr-audit --bundle b.tar b.tar
	[ -z "$(ls -A T)" ]
}

@test "what came after a block is no ledger to audit" {
	ehr-sync -C A bundle create --since 2 new.tar
	refused 1 ehr-audit new.tar
	[[ $stderr == *"it begins after block 2"* ]]
}

@test "what could not be checked is told, and a checkpoint or policy closes it" {
	run ehr-audit -C A
	[[ $output == *"not checked: whether blocks were cut off at the end"* ]]
	for o in "--checkpoint checkpoint" "--policy policy" \
	    "--checkpoint checkpoint --policy policy"; do
		for what in "-C A" b.tar; do
			holds ehr-audit $what $o
			[[ $output != *"cut off at the end"* ]]
		done
	done
	run ehr-audit -C A --json
	[[ $(tail -n 1 <<<"$output" | jq -r '.unchecked[0]') == *"cut off"* ]]
}

@test "a ledger that was cut is clean without a checkpoint, and not with one" {
	rm -r A/.ehr/blocks/*/*{3,4}.gz A/.ehr/state.db* \
	    A/.ehr/{logs,tiles,checkpoints}/*
	finds "this node has signed a tree of 600" ehr-audit -C A
	rm A/.ehr/consensus/signed
	holds ehr-audit -C A
	ehr-log-merkle -C A --roll
	finds "the ledger was cut" ehr-audit -C A --checkpoint checkpoint
	ehr-sync -C A bundle create cut.tar
	holds ehr-audit cut.tar
	finds "the ledger was cut" ehr-audit cut.tar --checkpoint checkpoint
}

@test "a ledger that was replaced, and a checkpoint of another one" {
	people
	ehr-init -C O --name other --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	finds "FAILED checkpoints the checkpoint that was given" \
	    ehr-audit -C O --checkpoint checkpoint
	finds "absent checkpoints" ehr-audit -C O --policy policy
	ehr-log-merkle -C O --policy >theirs
	finds "FAILED checkpoints" ehr-audit -C A --policy theirs
}

@test "a checkpoint that nobody signed, one that is altered, and none at all" {
	head -n 4 checkpoint >bare
	run ehr-audit -C A --checkpoint bare
	[ "$status" -eq 1 ]
	sed '2s/.*/7/' checkpoint >moved
	finds "FAILED checkpoints" ehr-audit -C A --checkpoint moved
	finds "FAILED checkpoints" ehr-audit -C A --checkpoint moved --policy policy
	grep -v '^— hospital' checkpoint >alone
	holds ehr-audit -C A --checkpoint alone
	finds "FAILED checkpoints" ehr-audit -C A --checkpoint alone --policy policy
	rm -r A/.ehr/checkpoints/* A/.ehr/tiles/checkpoint
	finds "absent checkpoints" ehr-audit -C A --policy policy
	: >empty
	refused 3 ehr-audit -C A --checkpoint empty
	refused 3 ehr-audit -C A --policy empty
	refused 1 ehr-audit -C A --policy nothing
}
