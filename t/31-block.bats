# ehr-block: blocks, one by one.

load lib
load four

setup_file() {
	export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	tmp
	four
	for h in 1 2 3; do
		enroll A B C D
		reach $h
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR/w" || return 1
	HOME=$BATS_FILE_TMPDIR/home
}

@test "list: a line for each block, newest last" {
	silent ehr-block -C A list
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} =~ ^1\ [0-9a-f]{64}\ [0-9TZ:.-]{24}\ 1\ hospital-b$ ]]
	[[ ${lines[2]} =~ ^3\  ]]
	silent ehr-block -C A -n 2 list
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} =~ ^2\  ]]
	silent ehr-block -C A -n 9 list
	[ "${#lines[@]}" -eq 3 ]
}

@test "list --json: the same as objects" {
	silent ehr-block -C A --json list
	[ "$(jq -r '"\(.height) \(.id) \(.time) \(.txs) \(.proposer)"' \
	    <<<"$output")" = "$(ehr-block -C A list)" ]
	[ "$(jq -r .size <<<"$output" | tail -n 1)" = 3 ]
}

@test "show: what the file holds, by height, id, and lines of list" {
	local id

	silent ehr-block -C A show 2
	zcat A/.ehr/blocks/000000/000000002.gz | cmp - <(ehr-block -C A show 2)
	id=$(ehr-block -C A list | sed -n 's/^2 \([^ ]*\) .*/\1/p')
	ehr-block -C B show "$id" | cmp - <(ehr-block -C A show 2)
	ehr-block -C A list | ehr-block -C A show 3 |
	    cmp - <(ehr-block -C A show 3)
	ehr-block -C A list | ehr-block -C A show - |
	    cmp - <(ehr-block -C A show 1 2 3)
	ehr-block -C A list | cut -d' ' -f2 | ehr-block -C A show - |
	    cmp - <(ehr-block -C A show 1 2 3)
}

@test "show: what there is not" {
	refused 1 ehr-block -C A show 4
	refused 1 ehr-block -C A show 0
	refused 1 ehr-block -C A show 02
	refused 1 ehr-block -C A show "$(printf %064d 7)"
	refused 2 ehr-block -C A show
	refused 2 ehr-block -C A --json show 1
	refused 2 ehr-block -C A show -n 1 1
	refused 2 ehr-block -C A frob
	refused 2 ehr-block -C A
	refused 2 ehr-block -C A list 1
}

@test "make: a candidate, only if something waits" {
	refused 1 ehr-block -C A make
	enroll A
	ehr-block -C A make >content
	grep -qx 'height 4' content
	grep -qx 'proposer hospital-a' content
	grep -q '^tx [0-9]' content
	! grep -q '^certificate' content
	# It changed nothing.
	[ "$(height A)" = 3 ]
	rm A/.ehr/pending/*
}

@test "apply: a certified block, as text or as a file" {
	rm -rf new
	ehr-sync clone 'ehr-serve -C A' new --ledger "$(ehr-block -C A show 1 |
	    sed -n '1s/.* //p')" 2>/dev/null || true
	[ "$(height new)" = 3 ]
	# Back to the beginning.
	rm -r new/.ehr/state.db* new/.ehr/blocks/*
	[ "$(height new)" = 0 ]
	refused 75 ehr-block -C new apply <A/.ehr/blocks/000000/000000002.gz
	silent ehr-block -C new apply <A/.ehr/blocks/000000/000000001.gz
	silent ehr-block -C new apply <A/.ehr/blocks/000000/000000001.gz
	silent ehr-block -C new apply < <(ehr-block -C A show 2)
	[ "$(height new)" = 2 ]
	# A bit altered, a signature missing, an end cut off.
	ehr-block -C A show 3 >three
	sed '/^— hospital-d/d; /^— hospital-c/d' three >few
	sed 's/^txs 1/txs 2/' three >altered
	head -c -10 three >short
	for f in few altered short /dev/null; do
		run --separate-stderr ehr-block -C new apply <$f
		[ "$status" -eq 3 ] || [ "$status" -eq 1 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[ "$(height new)" = 2 ]
	done
	silent ehr-block -C new apply <three
	[ "$(height new)" = 3 ]
}

@test "a full disk shows" {
	[ -c /dev/full ] || skip "no /dev/full"
	run bash -c 'ehr-block -C A list >/dev/full'
	[ "$status" -eq 4 ]
	run bash -c 'ehr-block -C A show 1 >/dev/full'
	[ "$status" -eq 4 ]
}
