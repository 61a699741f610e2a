# ehr-user: users, their roles, their keys.

load lib

setup_file() {
	people
	ehr-keygen -n "Mia Extra" -e mia@example.org --born 1990-01-02 \
	    --phone 555-0101 --sex female --no-passphrase -o "$K/mia.key"
}

setup() {
	tmp
	ledger1
}

# roles WHO: that person's roles on the ledger.
roles() {
	ehr-user -C A list | sed -n "s/^$(handle "$1")	//p"
}

# waiting: how many transactions wait.
waiting() {
	cat A/.ehr/pending/*.seg 2>/dev/null | grep -c '^ehr.v1 [a-z-]* [0-9a-f]*$' || :
}

@test "a new user waits for a block, then is there" {
	silent as ada ehr-user add "$K/mia.key.card"
	[ "$output" = "$(handle mia)" ]
	[ -z "$(roles mia)" ]
	block A
	[ "$(roles mia)" = patient ]
}

@test "many at once, as arguments or on stdin, in one block" {
	for i in 1 2 3 4 5 6; do
		ehr-keygen -n "N $i" -e "n$i@example.org" --no-passphrase -o $i.key
	done
	silent as ada ehr-user add --role doctor [12].key.card
	[ "$output" = "$(sed -n 's/^name //p' 1.key.card 2.key.card)" ]
	ls [34].key.card >list
	silent as ada ehr-user add - <list
	[ "${#lines[@]}" -eq 2 ]
	printf '%s\0' [56].key.card >list
	silent as ada ehr-user add -z - <list
	[ "${#lines[@]}" -eq 2 ]
	block A
	[ "$(ehr-user -C A list | wc -l)" -eq 11 ]
	[ "$(ehr-user -C A list | grep -c doctor)" -eq 4 ]
}

@test "when one of many fails, the others are made" {
	run --separate-stderr as ada ehr-user add nofile "$K/mia.key.card" \
	    "$K/bill.key.card" "$K/a.key" "$K/tim.key.card"
	expect 3 add
	[ "$output" = "$(handle mia)"$'\n'"$(handle tim)" ]
	[ "${#stderr_lines[@]}" -eq 3 ]
	block A
	[ "$(roles tim)" = patient ]
}

@test "the list, for people and for programs, with names for who may see them" {
	silent ehr-user -C A list
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[0]} =~ ^u[0-9a-f]{16}$'\t'[a-z]+$ ]]
	silent as ada ehr-user list
	grep -qxF "$(handle kun)"$'\tdoctor\tKun Example\tkun@example.org' \
	    <<<"$output"
	# Who is no administrator sees only the own particulars.
	silent as bill ehr-user list
	grep -qxF "$(handle bill)"$'\tpatient\tBill Example\tbill@example.org' \
	    <<<"$output"
	grep -qxF "$(handle anne)"$'\tpatient\t\t' <<<"$output"
	as ada ehr-user list --json >json
	jq -es --arg u "$(handle kun)" 'any(.[]; .user == $u and
	    .roles == ["doctor"] and .name == "Kun Example" and
	    .email == "kun@example.org")' json
	[ "$(ehr-user -C A list --json | jq -r .user)" = \
	    "$(ehr-user -C A list | cut -f 1)" ]
	refused 2 ehr-user -C A list more
}

@test "particulars never reach the ledger in the clear" {
	as ada ehr-user add "$K/mia.key.card" >/dev/null
	block A
	find A/.ehr -type f | while read -r f; do
		case $f in *.gz) zcat "$f" ;; *) cat "$f" ;; esac
	done >all
	for secret in Mia Extra mia@example 1990-01-02 555-0101 female; do
		run ! grep -a "$secret" all
	done
}

@test "an e-mail address that is taken, whatever its case, waiting or not" {
	ehr-keygen -n Other -e Bill@Example.ORG --no-passphrase -o other.key
	unchanged 1 as ada ehr-user add other.key.card
	[[ $stderr == *"other.key.card: the e-mail address is taken" ]]
	as ada ehr-user add "$K/mia.key.card" >/dev/null
	ehr-keygen -n Other -e MIA@example.org --no-passphrase -o mia2.key
	unchanged 1 as ada ehr-user add mia2.key.card
	[[ $stderr == *taken* ]]
}

@test "an e-mail address that is malformed" {
	sed 's/^email .*/email bill at example.org/' "$K/mia.key.card" |
	    sed '/^$/q' | sed '$d' >text
	ehr-sign -i "$K/mia.key" <text >bad.card
	unchanged 3 as ada ehr-user add bad.card
	[[ $stderr == *"bad.card: "*"not an e-mail address" ]]
}

@test "a user who is registered already" {
	unchanged 1 as ada ehr-user add "$K/bill.key.card"
	[[ $stderr == *"is enrolled already" ]]
}

@test "a role that there is not" {
	unchanged 1 as ada ehr-user add --role nurse "$K/mia.key.card"
	[[ $stderr == *'no role "nurse"'* ]]
	unchanged 1 as ada ehr-user role grant nurse "$(handle kun)"
	unchanged 1 as ada ehr-user role revoke doctor "$(handle bill)"
}

@test "who may not: a doctor, a patient, a stranger, a node" {
	unchanged 1 as kun ehr-user add "$K/mia.key.card"
	[[ $stderr == *'"manage-users" is missing'* ]]
	unchanged 1 as bill ehr-user add "$K/mia.key.card"
	unchanged 1 as tim ehr-user add "$K/mia.key.card"
	[[ $stderr == *"not a user of this ledger"* ]]
	unchanged 1 as a ehr-user add "$K/mia.key.card"
	unchanged 1 as kun ehr-user role grant administrator "$(handle kun)"
	unchanged 1 as kun ehr-user role define boss manage-users
	[[ $stderr == *'"manage-system" is missing'* ]]
}

@test "cards that are altered, cut, a node's, or none" {
	sed 's/Mia/Eve/' "$K/mia.key.card" >altered
	unchanged 1 as ada ehr-user add altered
	[[ $stderr == *"altered: "*"does not verify"* ]]
	for n in 0 1 100 300; do
		head -c $n "$K/mia.key.card" >cut
		unchanged 3 as ada ehr-user add cut
	done
	unchanged 1 as ada ehr-user add "$K/a.key.card"
	[[ $stderr == *"card of a node"* ]]
	unchanged 3 as ada ehr-user add .
	head -c 20000 /dev/zero >zeros
	unchanged 3 as ada ehr-user add zeros
}

@test "another's card under one's own handle is no card" {
	# Tim's handle in a card that Mia's key signs.
	sed -n '/^$/q;p' "$K/mia.key.card" |
	    sed "s/^name .*/name $(handle tim)/" >text
	sed "s/^name .*/name $(handle tim)/" "$K/mia.key" >tim2.key
	chmod 600 tim2.key
	ehr-sign -i tim2.key <text >forged
	run --separate-stderr as ada ehr-user add forged
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	block A && return 1
	[ -z "$(roles tim)" ]
}

@test "a key that has a passphrase: wrong, none, too open" {
	pw
	pw wrong "not the passphrase"
	ehr-keygen -n Ruth -e ruth@example.org --passphrase-file pw -o ruth.key
	as ada ehr-user add --role administrator ruth.key.card >/dev/null
	block A
	add() { ehr-user -C A add "$K/mia.key.card" -i ruth.key "$@"; }
	unchanged 1 add --passphrase-file wrong
	[[ $stderr == *ruth.key*passphrase* ]]
	unchanged 1 add --passphrase-file nofile
	: >empty
	chmod 600 empty
	unchanged 1 add --passphrase-file empty
	unchanged 1 setsid -w ehr-user -C A add "$K/mia.key.card" -i ruth.key
	[[ $stderr == *--passphrase-file* ]]
	chmod 644 ruth.key
	unchanged 1 add --passphrase-file pw
	[[ $stderr == *"chmod 600"* ]]
	chmod 600 ruth.key
	silent add --passphrase-file pw
	ehr-user -C A list -i ruth.key --passphrase-file pw | grep -q Ruth
}

@test "roles: define, list, grant, revoke" {
	silent as ada ehr-user role define nurse fill view-own
	[ -z "$output" ]
	silent as ada ehr-user role define empty
	block A
	ehr-user -C A role list >list
	diff list - <<-'END'
	administrator	manage-system,manage-users
	doctor	fill,library
	empty	none
	nurse	fill,view-own
	patient	authorize,view-own
	END
	ehr-user -C A role list --json >json
	jq -es 'any(.[]; .role == "nurse" and .key_generation == 0 and
	    .permissions == ["fill", "view-own"])' json
	jq -es 'any(.[]; .role == "empty" and .permissions == [])' json
	silent as ada ehr-user role grant nurse anne@example.org "$(handle kun)"
	[ -z "$output" ]
	block A
	[ "$(roles anne)" = nurse,patient ]
	[ "$(roles kun)" = doctor,nurse ]
	silent as ada ehr-user role revoke nurse ANNE@example.org
	silent as ada ehr-user role define nurse view-own,fill,library
	block A
	[ "$(roles anne)" = patient ]
	ehr-user -C A role list | grep -qx $'nurse\tfill,library,view-own'
}

@test "roles: what is refused" {
	unchanged 1 as ada ehr-user role grant doctor "$(handle kun)"
	[[ $stderr == *"the user has the role" ]]
	unchanged 1 as ada ehr-user role revoke administrator ada@example.org
	[[ $stderr == *"nobody would be left"* ]]
	unchanged 1 as ada ehr-user role define administrator manage-users
	[[ $stderr == *"managing permission"* ]]
	unchanged 1 as ada ehr-user role grant doctor nobody@example.org
	[[ $stderr == *"nobody@example.org: no such user"* ]]
	unchanged 1 as ada ehr-user role grant doctor uffffffffffffffff
	unchanged 1 as ada ehr-user role grant doctor 'Kun M'
	unchanged 2 as ada ehr-user role define nurse flying
	unchanged 2 as ada ehr-user role define 'No Name' fill
	unchanged 2 as ada ehr-user role frob
	unchanged 2 as ada ehr-user role grant
	unchanged 2 as ada ehr-user role grant doctor
	unchanged 2 as ada ehr-user frob
	unchanged 2 as ada ehr-user
	unchanged 2 as ada ehr-user add
	empty() { as ada ehr-user add - </dev/null; }
	unchanged 1 empty
}

@test "who may enrol may not hand out more than that" {
	as ada ehr-user role define clerk manage-users
	as ada ehr-user add --role patient "$K/mia.key.card" >/dev/null
	block A
	as ada ehr-user role grant clerk "$(handle mia)"
	block A
	unchanged 1 as mia ehr-user role grant administrator "$(handle mia)"
	[[ $stderr == *'"manage-system" is missing'* ]]
	unchanged 1 as mia ehr-user add --role administrator "$K/tim.key.card"
	silent as mia ehr-user add --role clerk "$K/tim.key.card"
}

@test "two changes that depend on each other, before any block" {
	as ada ehr-user role define nurse fill
	silent as ada ehr-user role grant nurse "$(handle anne)"
	unchanged 1 as ada ehr-user role grant nurse "$(handle anne)"
	block A
	[ "$(roles anne)" = nurse,patient ]
}

@test "new keys for oneself: the old key signs, then only the new" {
	ehr-keygen --replaces "$K/bill.key" -n "Bill Example" \
	    --no-passphrase -o bill2.key
	unchanged 1 ehr-user -C A rekey bill2.key.card -i bill2.key
	[[ $stderr == *"is not this one" ]]
	unchanged 1 as anne ehr-user rekey bill2.key.card
	r=$(record bill "$K/a.key.card")
	silent as bill ehr-user rekey bill2.key.card
	[ "$output" = "$(handle bill)" ]
	# Until the block neither key signs: one is going, one may not come.
	unchanged 1 as bill ehr-authorize "$r"
	[[ $stderr == *"wait for a block" ]]
	unchanged 1 ehr-authorize -C A -i bill2.key "$r"
	block A
	unchanged 1 as bill ehr-authorize "$r"
	[[ $stderr == *"is not this one" ]]
	silent ehr-authorize -C A -i bill2.key "$r"
	unchanged 1 ehr-user -C A rekey bill2.key.card -i bill2.key
	[[ $stderr == *"on the ledger already"* ]]
	block A
	ehr-audit -C A >/dev/null
}

@test "what a key signed that was replaced since comes in no block" {
	ehr-keygen --replaces "$K/anne.key" -n Anne --no-passphrase -o anne2.key
	as anne ehr-user rekey anne2.key.card >/dev/null
	block A
	# It was fine when it came, and waited too long.
	printf 'ehr.v1 reject %s\ntime 2026-01-01T00:00:00.000Z\nauthor %s\nrecord %064d\n' \
	    "$(ledger_id A)" "$(handle anne)" 0 | ehr-sign -i "$K/anne.key" >old
	wait_in A pending old
	run ! block A
	as bill ehr-user list >/dev/null
	silent as ada ehr-user add "$K/tim.key.card"
	block A
	zcat "$(find A/.ehr/blocks -name '*.gz' | sort | tail -n 1)" >last
	grep -q enroll last
	run ! grep reject last
	ehr-audit -C A >/dev/null
	# The same with her new key is as it should be.
	sed -n '/^$/q;p' old | ehr-sign -i anne2.key >new
	wait_in A pending new
	block A
	ehr-verify -q -C A "$(sha256sum <new | cut -c 1-64)"
}

@test "a record of a doctor with new keys must be added again" {
	r=$(record bill "$K/a.key.card")
	ehr-keygen --replaces "$K/kun.key" -n Kun --no-passphrase -o kun2.key
	as kun ehr-user rekey kun2.key.card >/dev/null
	block A
	unchanged 1 as bill ehr-authorize "$r"
	[[ $stderr == *"signature of $(handle kun) does not verify"* ]]
	unchanged 1 record bill "$K/a.key.card"
	[[ $stderr == *"is not this one" ]]
	r=$(ehr-add -C A -i kun2.key -p "$(handle bill)" -l other "$K/a.key.card")
	silent as bill ehr-authorize "$r"
	block A
	# What the old keys opened, the new file opens.
	silent ehr-query -C A -i kun2.key
	[ "${#lines[@]}" -eq 1 ]
}

@test "new keys for another, by an administrator" {
	ehr-keygen --replaces "$K/anne.key" -n Anne --no-passphrase -o anne2.key
	unchanged 1 as kun ehr-user rekey anne2.key.card
	silent as ada ehr-user rekey anne2.key.card
	block A
	ehr-authorize -C A -i anne2.key --list
	unchanged 1 as ada ehr-user rekey "$K/mia.key.card"
	[[ $stderr == *mia.key.card*"not known to this ledger"* ]]
}

@test "somebody else's ledger is not used, unless trusted" {
	chown -R 65534 A/.ehr 2>/dev/null || skip "cannot give files away"
	unchanged 1 as ada ehr-user add "$K/mia.key.card"
	[[ $stderr == *"belongs to user 65534"* ]]
	refused 1 ehr-user -C A list
	EHR_SAFE_DIRECTORY=$PWD/A silent ehr-user -C A list
}

@test "no ledger, or what is left of one" {
	refused 1 ehr-user -C nowhere list
	refused 1 ehr-user list
	for n in 0 1 300; do
		cp -r A B
		head -c $n A/.ehr/genesis >B/.ehr/genesis
		refused 3 ehr-user -C B list
		rm -r B
	done
	cp -r A B
	sed -i 's/^name za-ehr/name zb-ehr/' B/.ehr/genesis
	refused 3 ehr-user -C B list
	rm B/.ehr/genesis
	refused 3 ehr-user -C B list
}

@test "stdout that cannot be written to" {
	full() { ehr-user -C A "$@" >/dev/full; }
	refused 4 full list
	refused 4 full role list
	refused 4 full list --json
	added() { as ada ehr-user add "$K/mia.key.card" >/dev/full; }
	refused 4 added
}

@test "a lock that a dead process held, and one that a living one holds" {
	echo 999999 >A/.ehr/lock
	silent as ada ehr-user add "$K/mia.key.card"
	exec 9<>A/.ehr/lock
	flock 9
	as ada ehr-user add "$K/tim.key.card" 9>&- >out &
	sleep 0.5
	[ ! -s out ]
	exec 9>&-
	wait $!
	[ "$(cat out)" = "$(handle tim)" ]
}

@test "the lock is not held while standard input is awaited" {
	mkfifo names
	as ada ehr-user add - <names >out 2>&1 &
	exec 9>names
	echo "$K/mia.key.card" >&9
	silent timeout 10 ehr-user -C A add "$K/tim.key.card" -i "$K/ada.key" 9>&-
	exec 9>&-
	wait $!
	[ "$(cat out)" = "$(handle mia)" ]
}

@test "ehr alone says who you are, and what you may do" {
	silent ehr -C A -i "$K/bill.key"
	[ "${lines[0]}" = "You are $(handle bill) on the ledger za-ehr; your roles: patient" ]
	grep -q '^authorize ' <<<"$output"
	run ! grep -E '^(add|user|node) ' <<<"$output"
	EHR_IDENTITY=$K/kun.key silent ehr -C A
	grep -q '^add ' <<<"$output"
	run ! grep -E '^(authorize|user|node) ' <<<"$output"
	EHR_DIR=$PWD/A silent ehr -i "$K/ada.key"
	grep -q '^user ' <<<"$output"
	run ! grep -E '^(authorize|add|query) ' <<<"$output"
	silent ehr -C A -i "$K/a.key"
	[ "${lines[0]}" = "You are the node hospital-a of the ledger za-ehr" ]
	silent ehr -C A -i "$K/tim.key"
	[[ ${lines[0]} == *"does not know (yet)" ]]
	run ! grep -E '^(add|authorize|user) ' <<<"$output"
	silent ehr -C A
	[ "$output" = "$(ehr)" ]
	refused 1 ehr -C nowhere
	refused 1 ehr -C A -i nofile
	refused 3 ehr -C A -i "$K/ada.key.card"
}
