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

@test "a label that there is not, an author, a state rebuilt, JSON to its end" {
	refused 1 as kun ehr-query -l lab
	refused 1 as kun ehr-query -a nobody@example.org
	refused 2 as kun ehr-query --limit x
	as kun ehr-query >one
	rm -f A/.ehr/state.db*
	as kun ehr-query | cmp one -
	as kun ehr-query --json >json
	[ "$(jq -r .record json)" = "$(cut -f 1 one)" ]
	jq -es --arg b "$(handle bill)" 'all(.[]; .height >= 1 and
	    (.time | endswith("Z")) and .files[0].type == "text/plain" and
	    .files[0].size == 2) and any(.[]; .patient == $b)' json
	# Newest first; from and until are times of the records.
	[ "$(cut -f 2 one)" = "$(cut -f 2 one | sort -r)" ]
	t=$(sed -n 2p one | cut -f 2)
	[ "$(count kun --since "$t")" -ge 2 ]
	[ "$(count kun --until "$t")" -le 2 ]
	[ $(($(count kun --since "$t") + $(count kun --until "$t"))) -eq 4 ]
}

@test "a record that is sealed for others, or not here, is counted" {
	r=$(as kun ehr-query penicillin | cut -f 1)
	body=$(ehr-verify -C A "$r" | sed -n 's/^body \([0-9a-f]*\) .*/\1/p')
	mv A/.ehr/objects/seg seg
	mkdir A/.ehr/objects/seg
	o=A/.ehr/objects/${body:0:2}/$body
	[ ! -e "$o" ] || mv "$o" .
	rm -f A/.ehr/state.db*
	run --separate-stderr as kun ehr-query
	[[ $stderr == *" more could not be looked into"* ]]
	run --separate-stderr as kun ehr-query -q
	[ -z "$stderr" ]
}
