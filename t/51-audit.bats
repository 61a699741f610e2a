# ehr-audit: a complete check, offline; what is wrong is named.

load lib

setup_file() {
	people
	made=$BATS_FILE_TMPDIR/made
	mkdir "$made" && cd "$made"
	ledger1
	for i in $(seq 20); do echo "value $i" >f$i; done
	ls f* | as kun ehr-add -p bill@example.org -d many -l other - >ids
	as bill ehr-authorize - <ids >/dev/null
	block A
	as kun ehr-show --list "$(head -n 1 ids)" >/dev/null
	block A
	ehr-log-merkle -C A --roll
	as kun ehr-add -p anne@example.org -d waits -l other f1 >staged
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR/made/A" "$BATS_FILE_TMPDIR/made/ids" .
}

# finds TEXT...: the audit is not clean, and each text is in what it says.
finds() {
	local text

	run ehr-audit -C A
	[ "$status" -eq 1 ] || { echo "status $status"; echo "$output"; return 1; }
	for text do
		[[ $output == *"$text"* ]] || { echo "$output"; return 1; }
	done
}

@test "a good ledger is clean, and the audit changes nothing" {
	contents A >before
	silent ehr-audit -C A
	[ "${lines[-1]}" = clean ]
	[[ $output == *"blocks        4 checked, 0 failed"* ]]
	contents A | diff before -
}

@test "state.db is not needed and not believed" {
	rm -f A/.ehr/state.db*
	ehr-audit -C A
	head -c 4096 /dev/urandom >A/.ehr/state.db
	run ehr-audit -C A
	[ "${lines[-1]}" = clean ] || [[ $output == *state* ]]
}

@test "JSON: a line for each finding, and the counts" {
	silent ehr-audit -C A --json
	[ "$(jq -r .clean <<<"$output")" = true ]
	[ "$(jq -r .counts.transactions.failed <<<"$output")" = 0 ]
	flip "$(ls -S A/.ehr/objects/seg/*.seg | head -n 1)"
	run ehr-audit -C A --json
	[ "$status" -eq 1 ]
	[ "$(jq -r 'select(.finding) | .class' <<<"${lines[0]}")" = objects ]
}

@test "a flipped bit in a block's file names the block" {
	flip A/.ehr/blocks/000000/000000003.gz
	finds "FAILED blocks blocks/000000/000000003.gz"
}

@test "bits all over a block's file" {
	size=$(stat -c %s A/.ehr/blocks/000000/000000004.gz)
	for ((at = 0; at < size; at += size / 12)); do
		flip A/.ehr/blocks/000000/000000004.gz $at
		finds 000000004
		flip A/.ehr/blocks/000000/000000004.gz $at
	done
	ehr-audit -C A >/dev/null
}

@test "a missing block, and what comes after it cannot be judged" {
	rm A/.ehr/blocks/000000/000000002.gz
	finds "absent blocks blocks/000000/000000002.gz" \
	    "blocks 3 to 4 could not be checked"
}

@test "a block in another's place" {
	cp A/.ehr/blocks/000000/000000002.gz A/.ehr/blocks/000000/000000003.gz
	finds 000000003
}

@test "a block that is cut, and one with bytes after its end" {
	cp A/.ehr/blocks/000000/000000003.gz keep
	truncate -s -1 A/.ehr/blocks/000000/000000003.gz
	finds 000000003
	cp keep A/.ehr/blocks/000000/000000003.gz
	echo >>A/.ehr/blocks/000000/000000003.gz
	finds 000000003
}

@test "a flipped bit in a record names the record" {
	flip "$(ls -S A/.ehr/objects/seg/*.seg | head -n 1)"
	finds "FAILED objects objects/seg/" "of record"
}

@test "a record's object that is gone" {
	rm A/.ehr/objects/seg/*.seg
	finds "absent objects" "of record" "it is not here"
}

@test "an altered, a missing and a foreign log" {
	log=$(ls A/.ehr/logs/* | head -n 1)
	cp "$log" keep
	sed -i 's/ authorize / authorise /' "$log"
	finds "FAILED logs logs/"
	cp keep "$log"
	cp "$log" A/.ehr/logs/1999-01-01_00
	finds "FAILED logs logs/1999-01-01_00"
}

@test "a staged record and a waiting transaction that were altered" {
	flip A/.ehr/staging/*.seg
	finds "FAILED staged staging/"
}

@test "an altered genesis is another ledger: not even opened" {
	flip A/.ehr/genesis 30
	run ehr-audit -C A
	[ "$status" -ne 0 ] && [ "$status" -ne 1 ]
}

@test "what was erased by authority is counted, not missed" {
	as bill ehr-authorize --erase patient-request "$(head -n 1 ids)"
	block A
	silent ehr-audit -C A
	[[ $output == *"2 erased by authority"* ]]
}

@test "a full disk for the report is an error" {
	run sh -c 'ehr-audit -C A >/dev/full'
	[ "$status" -eq 4 ]
}
