# ehr-audit extracts what happened: as CSV, NDJSON and FHIR, of what it has
# verified.

load lib
load bundle

setup_file() { packed; }

setup() { copied; }

# read_as FORMAT FILE: its entries, by a reader that is not ours.
read_as() {
	python3 "$top/t/extract.py" "$@"
}

# logged DIR: the same from the hourly logs.
logged() {
	local user author time digest kind

	ehr-log-merkle -C "$1" --roll
	tail -q -n +4 "$1"/.ehr/logs/* |
	    while read -r user author time digest kind _; do
		echo "$kind $author $user $digest"
	done
}

# without_record: entries as "logged" has them.
without_record() {
	cut -d ' ' -f 1-3,5
}

# column NAME: of the CSV on stdin, by a reader that is not ours.
column() {
	python3 -c 'import csv, sys
for r in csv.DictReader(open(0, newline="")): print(r[sys.argv[1]])' "$1"
}

# is KIND TEST: the one entry of that kind in "all" passes this test of jq.
is() {
	jq -es "map(select(.kind == \"$1\")) | length == 1 and (.[0] | $2)" \
	    all >/dev/null || { jq -c "select(.kind == \"$1\")" all; false; }
}

@test "each format says of each transaction what the hourly logs say" {
	logged A >want
	[ "$(cut -d ' ' -f 1 want | sort -u | wc -l)" -eq 15 ]
	for format in csv ndjson fhir; do
		silent ehr-audit -C A --format $format -o out
		[ "${lines[-1]}" = clean ]
		read_as $format out >$format.entries
		without_record <$format.entries | diff want -
	done
	cmp csv.entries ndjson.entries
	cmp csv.entries fhir.entries
}

@test "a directory and a bundle give the same bytes, on stdout and in a file" {
	for format in csv ndjson fhir; do
		ehr-audit -C A --format $format >want
		ehr-audit good.tar --format $format 2>said | cmp want -
		[ ! -s said ]
		silent ehr-audit good.tar --format $format -o file
		cmp want file
		[ "$(stat -c %a file)" = 600 ]
		ehr-audit - --format $format -o - <good.tar | cmp want -
	done
}

@test "roles are those of the moment; record, doctor, label and readers" {
	ehr-audit -C A --format ndjson >all
	# Anne was a nurse, for a while; and got another key.
	anne=$(handle anne)
	[ "$(jq -c "select(.author == \"$anne\") | .roles" all)" = \
	    '["patient"]' ]
	[ "$(jq -r 'select(.kind == "role-define") | .detail' all)" = \
	    "nurse fill" ]
	is access '.label == "other" and .doctor == .author and
	    .roles == ["doctor"]'
	is grant ".readers == [\"$(handle lea)\"]"
	is reject '.doctor == null and .record != null and .label == null'
	is erase '.detail == "patient-request"'
	is vote '.author == "hospital-a" and .readers == ["hospital-a"] and
	    .roles == []'
	# Bill is a nurse, too, whose permissions need quotes.
	as ada ehr-user role define nurse authorize,fill
	as ada ehr-user role grant nurse "$(handle bill)" >/dev/null
	block A
	as bill ehr-authorize --reject "$(<"$BATS_FILE_TMPDIR/waits")"
	block A
	ehr-audit -C A >/dev/null --format csv -o out
	read_as csv out >/dev/null
	[ "$(column roles <out | tail -n 1)" = "nurse patient" ]
	column detail <out | grep -qx "nurse authorize,fill"
	grep -q ',"nurse authorize,fill",' out
}

@test "patient and actor, by handle, address and node" {
	ehr-audit -C A --format csv -o all >/dev/null
	for by in "$(handle bill)" bill@example.org; do
		silent ehr-audit -C A -p "$by"
		printf '%s\n' "$output" | tail -n +2 | tr -d '\r' >got
		awk -F, -v h="$(handle bill)" '$8 == h' all | tr -d '\r' |
		    diff - got
	done
	[ "$(wc -l <got)" -eq 9 ]
	ehr-audit -C A --actor kun@example.org | tail -n +2 >got
	awk -F, -v h="$(handle kun)" '$6 == h || $5 == "authorize"' all |
	    diff - got
	grep -q ,access, got
	ehr-audit -C A --patient bill@example.org -a "$(handle kun)" |
	    column kind >got
	printf '%s\n' authorize authorize authorize access | diff - got
	ehr-audit good.tar --actor hospital-a | column kind | diff - <(echo vote)
}

@test "since is included, until is not" {
	ehr-audit -C A --format csv -o all >/dev/null
	at=$(column recorded <all | uniq | sed -n 3p)
	next=$(column recorded <all | uniq | sed -n 4p)
	ehr-audit -C A --since "$at" | column recorded | head -n 1 |
	    diff - <(echo "$at")
	ehr-audit -C A --until "$at" | column recorded >before
	! grep -q "$at" before
	ehr-audit -C A --since "$at" --until "$next" | column recorded |
	    uniq | diff - <(echo "$at")
	# What is in one part, is not in the other; and none is lost.
	ehr-audit -C A --since "$at" | column recorded | cat before - |
	    diff - <(column recorded <all)
	day=${at%T*}
	ehr-audit -C A --since "$day" | cmp all -
	ehr-audit -C A --since "${day}_00" | cmp all -
	ehr-audit -C A --until "$day" | column seq | cmp - /dev/null
}

@test "nothing happened: no failure, and an extract without entries" {
	for format in csv ndjson fhir; do
		silent ehr-audit -C A --since 2999-01-01 --format $format
		printf '%s' "$output${output:+$'\r\n'}" >out
		read_as $format out | cmp - /dev/null
	done
	ehr-init -C new --name new --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	ehr-audit -C new --format fhir >out
	read_as fhir out | cmp - /dev/null
}

@test "who is not on the ledger, and options that do not go together" {
	refused 1 ehr-audit -C A -p u0123456789abcdef
	refused 1 ehr-audit -C A -p nobody@example.org
	refused 1 ehr-audit -C A --actor hospital-x
	refused 1 ehr-audit -C A --actor '=1+1'
	refused 1 ehr-audit good.tar -p bill@example.org
	[[ $stderr == *"give the handle"* ]]
	refused 2 ehr-audit -C A --format xml
	refused 2 ehr-audit -C A --since yesterday
	refused 2 ehr-audit -C A --until 2026-13-01
	refused 2 ehr-audit -C A --json --format ndjson
	silent ehr-audit -C A --json --format ndjson -o out
	[ "$(jq .clean <<<"$output")" = true ]
	[ "$(jq .kind out | wc -l)" -eq "$(jq .counts.transactions.checked \
	    <<<"$output")" ]
	run ehr-audit -C A -p u0123456789abcdef -o none
	[ "$status" -eq 1 ]
	[ ! -e none ]
	run ehr-audit -C A --format csv -o no/such/folder
	[ "$status" -eq 4 ]
	run sh -c 'ehr-audit -C A --format csv >/dev/full'
	[ "$status" -eq 4 ]
}

@test "a damaged ledger: what was verified, a status, and why" {
	ehr-audit -C A --format csv -o all >/dev/null
	flip A/.ehr/blocks/000000/000000004.gz 100
	run --separate-stderr ehr-audit -C A --format csv
	expect 1
	[[ $stderr == *"FAILED blocks blocks/000000/000000004.gz"* ]]
	[[ ${stderr_lines[-1]} == *"NOT CLEAN"*"up to 3,"* ]]
	printf '%s\n' "$output" | tr -d '\r' >got
	awk -F, 'NR == 1 || $2 < 4' all | tr -d '\r' | diff - got
	[ "$(wc -l <got)" -gt 5 ]
	run --separate-stderr ehr-audit -C A --format fhir -o out
	expect 1
	[[ ${lines[-1]} == "NOT CLEAN" ]]
	read_as fhir out | wc -l | grep -qx $(($(wc -l <got) - 1))
	# Damage elsewhere takes nothing away.
	cp "$BATS_FILE_TMPDIR/A/.ehr/blocks/000000/000000004.gz" \
	    A/.ehr/blocks/000000
	flip "$(ls -S A/.ehr/objects/seg/*.seg | head -n 1)" 300
	run --separate-stderr ehr-audit -C A --format csv -o got
	expect 1
	cmp all got
}

@test "an extract in the place of another is whole, or the old one stays" {
	echo old >out
	(ulimit -f 0; ehr-audit -C A --format csv -o out) >said 2>&1 &&
	    return 1
	[ "$(<out)" = old ]
	[ -z "$(find . -maxdepth 1 -name '.tmp*')" ]
	ehr-audit -C A --format csv -o out >/dev/null
	read_as csv out >/dev/null
}

@test "the manual's recipes count the same" {
	page=$top/share/man/man5/ehr-extract.5
	cp good.tar ledger.tar
	recipe() {
		awk -v r="$1" '/^\.\\" recipe/ { on = ($3 == r); next }
		    on && /^\.Ed/ { exit } on && !/^\./' "$page"
	}
	sh -e -c "$(recipe count)" >count
	sh -e -c "$(recipe fhir)" >fhir
	[ "$(wc -l <fhir)" -eq 1 ]
	cat fhir fhir | diff count -
}
