# ehr-verify: says what holds.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
}

@test "a note by somebody of the ledger; of nobody; altered" {
	echo hello | ehr-sign -i "$K/kun.key" >note
	silent ehr-verify -C A note
	[ "$output" = "signed by $(handle kun)" ]
	silent ehr-verify -C A <note
	echo hello | ehr-sign -i "$K/tim.key" >foreign
	refused 1 ehr-verify -C A foreign
	sed 's/hello/hallo/' note >altered
	refused 1 ehr-verify -C A altered
	head -n 1 note >cut
	refused 3 ehr-verify -C A cut
	silent ehr-verify -C A -q note
	[ -z "$output" ]
}

@test "heights, blocks as ids, and files of them" {
	silent ehr-verify -C A 1
	[[ $output == "block 1 "* ]]
	[[ $output == *"certified by hospital-a (1 of 1 delegates needed)"* ]]
	id=$(cut -d ' ' -f 3 <<<"${lines[0]}")
	silent ehr-verify -C A "$id" A/.ehr/blocks/000000/000000001.gz
	zcat A/.ehr/blocks/000000/000000001.gz | ehr-verify -C A
	refused 1 ehr-verify -C A 99
	zcat A/.ehr/blocks/000000/000000001.gz | sed 's/^proposer hospital-a/proposer hospital-b/' >altered
	run ehr-verify -C A altered
	[ "$status" -ne 0 ]
	silent ehr-verify -C A 0
}

@test "a transaction that waits, and on the ledger; a record" {
	echo x >f
	r=$(record bill f)
	silent ehr-verify -C A "$r"
	[[ $output == *"waits for patient $(handle bill)"* ]]
	tx=$(as bill ehr-authorize "$r")
	silent ehr-verify -C A "$tx"
	[[ $output == *"waits for a block"* ]]
	block A
	silent ehr-verify -C A "$tx"
	[[ $output == *"authorize"*"signed by $(handle bill)"* ]]
	[[ $output == *"number "*" on the ledger"* ]]
	silent ehr-verify -C A "$r"
	[[ $output == *"record $r authorized, patient $(handle bill)"* ]]
	[[ $output == *"body "*" is here, undamaged"* ]]
}

@test "a record whose content is gone or damaged" {
	head -c 2000 /dev/urandom >f
	r=$(record bill f)
	as bill ehr-authorize "$r" >/dev/null
	block A
	body=$(ehr-verify -C A "$r" | sed -n 's/^body \([0-9a-f]*\) .*/\1/p')
	file=A/.ehr/objects/${body:0:2}/$body
	[ -f "$file" ]
	printf x | dd of="$file" bs=1 seek=100 conv=notrunc 2>/dev/null
	refused 3 ehr-verify -C A "$r"
	rm "$file"
	refused 1 ehr-verify -C A "$r"
}

@test "cards and the genesis" {
	silent ehr-verify -C A "$K/tim.key.card"
	[ "$output" = "card of $(handle tim), signed with its own key" ]
	silent ehr-verify -C A A/.ehr/genesis
	sed 's/Tim/Tom/' "$K/tim.key.card" >altered
	refused 1 ehr-verify -C A altered
}

@test "nothing of that name; many at once keep going" {
	refused 1 ehr-verify -C A "$(printf '%064d' 0)"
	refused 1 ehr-verify -C A nonsense
	printf '1\nnonsense\n2\n' >list
	run --separate-stderr ehr-verify -C A - <list
	[ "$status" -eq 1 ]
	[[ $output == *"block 1 "*"block 2 "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a block from ahead: not now" {
	cp -r A B
	echo x >f
	for i in 1 2; do
		record bill f | as bill ehr-authorize - >/dev/null
		block A
	done
	last=$(find A/.ehr/blocks -name '*.gz' | sort | tail -n 1)
	refused 75 ehr-verify -C B "$last"
	silent ehr-verify -C A "$last"
}

@test "files that are cut or have more after their end" {
	cp "$K/kun.key.card" card
	cp A/.ehr/genesis .
	zcat A/.ehr/blocks/000000/000000001.gz >block
	cp A/.ehr/blocks/000000/000000001.gz block.gz
	for f in card genesis block block.gz; do
		silent ehr-verify -C A $f
		truncate -s -1 $f
		run --separate-stderr ehr-verify -C A $f
		[ "$status" -eq 3 ] || [ "$status" -eq 1 ]
		[ "${#stderr_lines[@]}" -eq 1 ] && [ -z "$output" ]
	done
	: >empty
	refused 3 ehr-verify -C A empty
	refused 3 ehr-verify -C A .
	refused 3 ehr-verify -C A /dev/zero
	head -c 3M /dev/zero | tr '\0' '\n' >lines
	refused 3 ehr-verify -C A lines
}
