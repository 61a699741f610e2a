# ehr-query: finds what one may open.

load lib

setup_file() {
	people
	made=$BATS_FILE_TMPDIR/made
	mkdir "$made" && cd "$made"
	ledger1
	echo x >lab.txt
	add() {
		as "$1" ehr-add -p "$2@example.org" -d "$3" -l "$4" lab.txt
	}
	{
		add kun bill 'penicillin allergy confirmed' laboratory
		add kun bill 'broken toe' imaging
		add lea bill 'cough syrup' prescription
	} | as bill ehr-authorize - >/dev/null
	add kun anne 'Ünïcode in the liver' pathology |
	    as anne ehr-authorize --to "$(handle kun)" - >/dev/null
	add kun anne 'not decided' other >/dev/null
	block A
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR/made/A" .
}

# none WHO ARG...: finds nothing, and says so by its status alone, as grep.
none() {
	run --separate-stderr as "$1" ehr-query "${@:2}"
	[ "$status" -eq 1 ] && [ -z "$output$stderr" ]
}

# count WHO ARG...: how many that person finds.
count() {
	as "$1" ehr-query "${@:2}" | wc -l
}

@test "six columns: id time patient doctor label description" {
	silent as kun ehr-query penicillin
	[ "${#lines[@]}" -eq 1 ]
	IFS=$'\t' read -r id time patient doctor label text <<<"$output"
	[[ $id =~ ^[0-9a-f]{64}$ && $time == 2*Z ]]
	[ "$patient" = "$(handle bill)" ] && [ "$doctor" = "$(handle kun)" ]
	[ "$label" = laboratory ] && [ "$text" = "penicillin allergy confirmed" ]
}

@test "each sees what is open to them, and nothing else" {
	[ "$(count kun)" -eq 4 ]
	[ "$(count lea)" -eq 3 ]	# Anne admitted only Kun
	[ "$(count bill)" -eq 3 ]
	[ "$(count anne)" -eq 1 ]	# the other waits for her still
	refused 1 as tim ehr-query
}

@test "words: all of them, letter case aside, also in names of files" {
	[ "$(count kun PENICILLIN allergy)" -eq 1 ]
	[ "$(count kun lab.txt)" -eq 4 ]
	[ "$(count kun Ünïcode)" -eq 1 ]
	none kun penicillin toe
}

@test "by patient, doctor, label, time, number" {
	[ "$(count kun -p bill@example.org)" -eq 3 ]
	[ "$(count kun -p "$(handle anne)")" -eq 1 ]
	[ "$(count kun -a lea@example.org)" -eq 1 ]
	[ "$(count kun -l imaging)" -eq 1 ]
	[ "$(count kun --since "$(date -u +%Y-%m-%d -d yesterday)")" -eq 4 ]
	none kun --until 2001-01-01
	[ "$(count kun --limit 2)" -eq 2 ]
	refused 2 as kun ehr-query --since soon
	refused 1 as kun ehr-query -p nobody@example.org
}

@test "JSON has the files too" {
	silent as kun ehr-query --json penicillin
	[ "$(jq -r .description <<<"$output")" = "penicillin allergy confirmed" ]
	[ "$(jq -r '.files[0].name' <<<"$output")" = lab.txt ]
}

@test "looking is no reading: it changes nothing on the ledger" {
	contents A >before
	as lea ehr-query >/dev/null
	contents A | diff before -
}

@test "a full disk is an error" {
	run sh -c "ehr-query -C A -i '$K/kun.key' >/dev/full"
	[ "$status" -eq 4 ]
}
