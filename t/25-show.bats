# ehr-show: opens a record, and leaves a mark of it.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
	mkdir in
	printf 'one\n' >in/one
	printf 'two two\n' >'in/Bünde 2.txt'
	: >in/empty
	id=$(record bill in/*)
	as bill ehr-authorize "$id" >/dev/null
	block A
}

# marks: how many times the record was opened, as the ledger will have it.
marks() {
	block A || :
	as bill ehr-authorize --history "$id" | cut -f 3 | grep -c access || :
}

@test "the files come out byte for byte, mode 0600" {
	silent as kun ehr-show "$id" -o out
	[ -z "$output" ]
	diff -r in out
	[ -z "$(find out -type f ! -perm 600)" ]
	silent as bill ehr-show "$id" -o mine
	diff -r in mine
}

@test "one file to stdout, by name; the only one without" {
	silent as kun ehr-show "$id" -n 'Bünde 2.txt'
	[ "$output" = "two two" ]
	refused 2 as kun ehr-show "$id"
	refused 1 as kun ehr-show "$id" -n three
	only=$(record bill in/one)
	as bill ehr-authorize "$only" >/dev/null
	block A
	[ "$(as kun ehr-show "$only")" = one ]
}

@test "a list of names and sizes" {
	silent as kun ehr-show --list "$id"
	[ "${#lines[@]}" -eq 3 ]
	[[ $output == *$'8\tBünde 2.txt'* ]]
}

@test "each opening leaves a mark, before a byte is out" {
	as kun ehr-show "$id" -n one >/dev/null
	as lea ehr-show "$id" -n one >/dev/null
	[ "$(marks)" -eq 2 ]
	as bill ehr-authorize --history "$id" | grep "$(handle lea)" |
	    grep -q access
}

@test "without a place for the mark, nothing is released" {
	need unshare
	rm -rf A/.ehr/pending
	: >A/.ehr/pending
	run --separate-stderr as kun ehr-show "$id" -n one
	[ "$status" -ne 0 ]
	[ -z "$output" ]
}

@test "another patient, an unknown user: nothing written, no mark" {
	contents A >before
	refused 1 as anne ehr-show "$id" -o out
	[ ! -e out ] || [ -z "$(ls -A out)" ]
	refused 1 as tim ehr-show "$id" -n one
	contents A | diff before -
}

@test "nothing is overwritten but with -f, and nothing half-written stays" {
	mkdir out
	echo precious >out/one
	refused 1 as kun ehr-show "$id" -o out
	[ "$(cat out/one)" = precious ]
	[ "$(ls -A out)" = one ]
	silent as kun ehr-show "$id" -o out -f
	diff -r in out
}

@test "a damaged body: exit 3, nothing written" {
	body=$(ehr-verify -C A "$id" | sed -n 's/^body \([0-9a-f]*\) .*/\1/p')
	file=A/.ehr/objects/${body:0:2}/$body
	printf x | dd of="$file" bs=1 seek=300 conv=notrunc 2>/dev/null
	refused 3 as kun ehr-show "$id" -o out
	[ -z "$(ls -A out 2>/dev/null)" ]
}

@test "ids that are none" {
	refused 1 as kun ehr-show "$(printf '%064d' 0)" -o out
	refused 1 as kun ehr-show short -o out
	refused 2 as kun ehr-show -o out
}

@test "stock age and tar open what is given out sealed" {
	need age
	ehr-keygen export -i "$K/kun.key" >kun.age 2>/dev/null
	as kun ehr-show --sealed "$id" >rec.age
	mkdir x
	age -d -i kun.age rec.age | tar xzf - -C x
	diff -r in x/files
	[ "$(jq -r .description x/META.json)" = "about bill" ]
	ehr-keygen export -i "$K/anne.key" >anne.age 2>/dev/null
	run ! age -d -i anne.age -o no rec.age
}

@test "a full disk is an error, not a shorter file" {
	run sh -c "ehr-show -C A -i '$K/kun.key' $id -n one >/dev/full"
	[ "$status" -eq 4 ]
}
