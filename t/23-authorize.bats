# ehr-authorize: a patient decides.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
	echo content >f
}

# opens WHO RECORD: may that person read it?
opens() {
	as "$1" ehr-show "$2" >/dev/null 2>&1
}

@test "a patient sees only the own waiting records" {
	r=$(record bill f)
	record anne f >/dev/null
	silent as bill ehr-authorize --list
	[ "${#lines[@]}" -eq 1 ]
	IFS=$'\t' read -r id time author label text <<<"$output"
	[ "$id" = "$r" ] && [ "$author" = "$(handle kun)" ]
	[ "$label" = other ] && [ "$text" = "about bill" ]
	[ "$(as bill ehr-authorize --list --json | jq -r .description)" = "about bill" ]
	refused 1 as kun ehr-authorize --list
}

@test "authorized: prints a transaction, and after a block it is on the ledger" {
	r=$(record bill f)
	silent as bill ehr-authorize "$r"
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	block A
	[ -z "$(as bill ehr-authorize --list)" ]
	opens kun "$r"
	opens lea "$r"
	opens bill "$r"
	run ! opens anne "$r"
}

@test "only the patient decides, and only once" {
	r=$(record bill f)
	unchanged 1 as anne ehr-authorize "$r"
	unchanged 1 as kun ehr-authorize "$r"
	unchanged 1 as tim ehr-authorize "$r"
	as bill ehr-authorize "$r" >/dev/null
	block A
	unchanged 1 as bill ehr-authorize "$r"
	unchanged 1 as bill ehr-authorize --reject "$r"
}

@test "rejected: it is gone, and cannot be authorized" {
	r=$(record bill f)
	silent as bill ehr-authorize --reject "$r"
	block A
	[ -z "$(as bill ehr-authorize --list)" ]
	refused 1 as bill ehr-authorize "$r"
	run ! opens kun "$r"
	ehr-audit -C A >/dev/null
}

@test "for named readers only; then granted, then withdrawn" {
	r=$(record bill f)
	as bill ehr-authorize --to "$(handle kun)" "$r" >/dev/null
	block A
	opens kun "$r"
	run ! opens lea "$r"
	as bill ehr-authorize --to "$(handle lea)" "$r" >/dev/null
	block A
	opens lea "$r"
	as bill ehr-authorize --withdraw "$(handle kun)" "$r" >/dev/null
	block A
	run ! opens kun "$r"
	opens lea "$r"
	refused 1 as bill ehr-authorize --withdraw "$(handle kun)" "$r"
	refused 1 as anne ehr-authorize --to "$(handle anne)" "$r"
	refused 1 as bill ehr-authorize --to u0123456789abcdef "$r"
	refused 1 as bill ehr-authorize --to role:patient "$r"
	ehr-audit -C A >/dev/null
}

@test "a doctor who comes later gets the role's key; one who leaves does not" {
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	block A
	ehr-keygen -n "Mia New" -e mia@example.org --no-passphrase -o "$K/mia$$.key"
	as ada ehr-user add --role doctor "$K/mia$$.key.card" >/dev/null
	block A
	run ! ehr-show -C A -i "$K/mia$$.key" "$r"
	as lea ehr-query >/dev/null		# any member's next command
	block A
	ehr-show -C A -i "$K/mia$$.key" "$r" >/dev/null
	as ada ehr-user role revoke doctor "$(handle "mia$$")"
	block A
	run ! ehr-show -C A -i "$K/mia$$.key" "$r"
	as kun ehr-query >/dev/null		# replaces the key
	block A
	r2=$(record bill f)
	as bill ehr-authorize "$r2" >/dev/null
	block A
	opens lea "$r2"
	opens lea "$r"
	run ! ehr-show -C A -i "$K/mia$$.key" "$r2"
}

@test "erased: the content is gone, the mark stays" {
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	block A
	refused 1 as anne ehr-authorize --erase patient-request "$r"
	refused 1 as bill ehr-authorize --erase because "$r"
	as bill ehr-authorize --erase patient-request "$r" >/dev/null
	block A
	run ! opens kun "$r"
	run ! opens bill "$r"
	silent ehr-verify -C A "$r"
	[[ $output == *erased* ]]
	silent ehr-audit -C A
	[[ $output == *"2 erased by authority"* ]]
	rm -f A/.ehr/state.db*			# and a rebuilt state agrees
	run ! opens kun "$r"
	ehr-audit -C A >/dev/null
}

@test "history: who did what with a record" {
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	block A
	opens lea "$r"
	block A
	silent as bill ehr-authorize --history "$r"
	[[ ${lines[0]} == *$'\t'"$(handle bill)"$'\tauthorize\t'* ]]
	[[ ${lines[1]} == *$'\t'"$(handle lea)"$'\taccess\t'* ]]
	refused 1 as anne ehr-authorize --history "$r"
}

@test "in a pipe, many at once" {
	mkdir in
	for i in $(seq 300); do echo "$i" >"in/$i"; done
	find in -type f | as kun ehr-add -p bill@example.org -d many -l other - |
	    as bill ehr-authorize - >txs
	[ "$(sort -u txs | wc -l)" -eq 300 ]
	block A
	[ "$(as kun ehr-query many | wc -l)" -eq 300 ]
}

@test "one bad id costs one line; the others are decided" {
	r=$(record bill f)
	printf '%s\nnonsense\n' "$r" >ids
	run --separate-stderr as bill ehr-authorize - <ids
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ] && [ "${#stderr_lines[@]}" -eq 1 ]
	block A
	opens kun "$r"
}

@test "after a change of keys old records open still" {
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	block A
	ehr-keygen --replaces "$K/bill.key" --no-passphrase -o new.key
	ehr-user -C A rekey new.key.card -i "$K/bill.key" >/dev/null
	block A
	ehr-show -C A -i new.key "$r" >/dev/null
	r2=$(record bill f)
	ehr-authorize -C A -i new.key "$r2" >/dev/null
	refused 1 as bill ehr-authorize "$r2"
	block A
	ehr-show -C A -i new.key "$r2" >/dev/null
}

@test "killed at any moment: what was acknowledged is there" {
	mkdir in
	for i in $(seq 20); do echo "$i" >"in/$i"; done
	find in -type f | as kun ehr-add -p bill@example.org -d x -l other - >ids
	: >done
	while read -r id; do
		as bill ehr-authorize "$id" >one &
		pid=$!
		sleep "0.0$((RANDOM % 60 + 10))"
		kill -9 $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
		cat one >>done
	done <ids
	while read -r tx; do
		ehr-verify -C A "$tx" >/dev/null
	done <done
	ehr-audit -C A >/dev/null
	block A || :
	ehr-audit -C A >/dev/null
}

@test "a wrong call" {
	refused 2 as bill ehr-authorize
	refused 2 as bill ehr-authorize --list --reject
	refused 2 ehr-authorize -C A --list
}

@test "readers by e-mail address, or as a role that is to have no library" {
	r=$(record bill f)
	unchanged 1 as bill ehr-authorize --to role:patient "$r"
	[[ $stderr == *"role:patient"* ]]
	unchanged 1 as bill ehr-authorize --to role:nobody "$r"
	unchanged 1 as bill ehr-authorize --to nobody@example.org "$r"
	unchanged 1 as bill ehr-authorize --to 'Lea' "$r"
	silent as bill ehr-authorize --to LEA@example.org "$r"
	block A
	opens lea "$r"
	run ! opens kun "$r"		# its author, who was not named
	silent ehr-verify -C A "$r"
	[[ $output == *$'\n'"readers $(handle lea)"$'\n'* ]]
	unchanged 1 as bill ehr-authorize --withdraw kun@example.org "$r"
	[[ $stderr == *"is not admitted"* ]]
	silent as bill ehr-authorize --withdraw lea@example.org "$r"
	block A
	silent ehr-verify -C A "$r"
	[[ $output == *$'\n'"readers none"$'\n'* ]]
	opens bill "$r"
}

@test "history and list as JSON" {
	r=$(record bill f)
	as bill ehr-authorize --list --json >json
	jq -e --arg r "$r" --arg k "$(handle kun)" '.record == $r and
	    .author == $k and .label == "other" and
	    .description == "about bill" and (.time | endswith("Z"))' json
	tx=$(as bill ehr-authorize "$r")
	silent as bill ehr-authorize --list --json
	[ "${#lines[@]}" -eq 1 ]	# it waits until the block
	block A
	as bill ehr-authorize --history --json "$r" >json
	jq -e --arg t "$tx" --arg b "$(handle bill)" '.transaction == $t and
	    .author == $b and .kind == "authorize"' json
	refused 1 as kun ehr-authorize --history "$r"
	refused 1 as bill ehr-authorize --history "$(printf '%064d' 0)"
}

@test "authorized before any doctor had a key: a note, and later it helps" {
	rm -rf A
	ehr-init -C A --name x --node-key "$K/a.key" --interval 0 \
	    --admin "$K/ada.key.card" >/dev/null
	as ada ehr-user add --role doctor "$K"/{kun,lea}.key.card >/dev/null
	as ada ehr-user add "$K/bill.key.card" >/dev/null
	as ada ehr-user role define helper fill
	block A
	# Kun as a helper makes no key for the doctors.
	as ada ehr-user role revoke doctor "$(handle kun)"
	as ada ehr-user role grant helper "$(handle kun)"
	block A
	r=$(record bill f)
	run --separate-stderr as bill ehr-authorize "$r"
	[ "$status" -eq 0 ]
	[[ $stderr == *"has no key yet"*"--to"* ]]
	block A
	opens kun "$r"
	refused 75 as bill ehr-authorize --to role:doctor "$r"
	run ! opens lea "$r"		# and makes the key
	block A
	silent as bill ehr-authorize --to role:doctor "$r"
	block A
	opens lea "$r"
}

@test "the last doctors leave: who comes then makes a new key" {
	ehr-keygen -n Zoe -e zoe@example.org --no-passphrase -o zoe.key
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	as ada ehr-user add --role doctor zoe.key.card >/dev/null
	block A
	as ada ehr-user role revoke doctor "$(handle kun)" "$(handle lea)"
	block A
	# Nobody is left who could seal the old key for her.
	run ! ehr-show -C A -i zoe.key "$r"
	block A
	ehr-user -C A role list --json | jq -es 'any(.[]; .role == "doctor" and
	    .key_generation == 2)'
	run ! ehr-show -C A -i zoe.key "$r"
	silent as bill ehr-authorize --to role:doctor "$r"
	block A
	[ "$(ehr-show -C A -i zoe.key "$r")" = content ]
	ehr-audit -C A >/dev/null
}

# signed WHO KIND LINE...: a transaction, signed.
signed() {
	{
		echo "ehr.v1 $2 $(ledger_id A)"
		echo "time 2026-01-01T00:00:00.000Z"
		echo "author $(handle "$1")"
		printf '%s\n' "${@:3}"
	} | ehr-sign -i "$K/$1.key"
}

# part RECORD header|body: the object.
part() {
	ehr-verify -C A "$1" | sed -n "s/^$2 \([0-9a-f]*\) .*/\1/p"
}

@test "nobody names another's object, to have it erased" {
	mine=$(record bill f)
	hers=$(record anne f)
	as bill ehr-authorize "$mine" >/dev/null
	as anne ehr-authorize "$hers" >/dev/null
	block A
	for p in header body; do
		# Bill grants with her object as his header, and then with
		# another: the first would be deleted.
		signed bill grant "record $mine" "header $(part "$hers" $p)" \
		    "reader role:doctor" >tx
		wait_in A pending tx
		signed bill grant "record $mine" "header $(printf '%064d' 1)" \
		    "reader role:doctor" >tx2
		wait_in A pending tx2
	done
	# A doctor does the same with the key of the role.
	signed kun role-key "role doctor" "generation 1" "members 2" \
	    "$(ehr-user -C A list >/dev/null; sqlite3 -readonly A/.ehr/state.db \
	    "SELECT 'seal ' || seal FROM role WHERE name='doctor'")" \
	    "object $(part "$hers" body)" >tx3
	wait_in A pending tx3
	as ada ehr-user add "$K/tim.key.card" >/dev/null
	block A
	zcat "$(find A/.ehr/blocks -name '*.gz' | sort | tail -n 1)" >last
	run ! grep -q "$(part "$hers" body)" last
	run ! grep -q "$(part "$hers" header)" last
	grep -q enroll last
	opens anne "$hers"
	opens kun "$hers"
}

@test "a decision on a record that another patient's command names is refused" {
	hers=$(record anne f)
	sed -n '/^ehr.v1 record/,/^— /p' A/.ehr/staging/*.seg >manifest
	# Bill rejects what is Anne's; she can still take it.
	signed bill reject "record $hers" >tx
	wait_in A pending tx
	block A
	[ "$(as anne ehr-authorize --list | cut -f 1)" = "$hers" ]
	silent as anne ehr-authorize "$hers"
	block A
	opens anne "$hers"
	ehr-audit -C A >/dev/null
}
