# ehr-add: files become a record that waits for its patient.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
	printf 'one\n' >f
}

# add FILE...: as Kun, for Bill.
add() {
	as kun ehr-add -p bill@example.org -d 'a description' -l other "$@"
}

# same RECORD DIR: authorized, it comes out as DIR, byte for byte.
same() {
	as bill ehr-authorize "$1" >/dev/null
	block A
	as kun ehr-show "$1" -o back
	diff -r "$2" back
}

@test "it prints an id, waits for its patient, and is not on the ledger" {
	silent add f
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	r=$output
	run ! block A
	[ "$(as bill ehr-authorize --list | cut -f 1)" = "$r" ]
	run ! as kun ehr-query
	refused 1 as kun ehr-show "$r" -o out
	refused 1 as lea ehr-show "$r" -o out
	# Its id is the hash of what the doctor signed.
	sed -n '/^ehr.v1 record/,/^— /p' A/.ehr/staging/*.seg >manifest
	[ "$(sha256sum <manifest)" = "$r  -" ]
	silent ehr-verify -C A manifest
	[ "$output" = "signed by $(handle kun)" ]
	grep -qx "patient $(handle bill)" manifest
	grep -qx "label other" manifest
}

@test "nothing of files and description lies there in the clear" {
	echo 'the secret content' >'the secret name'
	add -d 'the secret words' 'the secret name' >/dev/null
	run ! grep -ra 'secret' A/.ehr/staging A/.ehr/objects A/.ehr/pending
}

@test "files of 0 and 1 byte, with blanks, umlauts and odd characters" {
	mkdir in
	: >in/empty
	printf x >in/one
	printf '\0\377\n' >in/bytes
	for n in ' ' 'a b' ' lead' 'trail ' 'Größe.txt' '病历' '🩺' "quo'te\"s" \
	    'back\slash' '*' '$(x)' '-rf' '%s%n' '~' 'META.json' 'a:b|c'; do
		printf '%s' "$n" >"in/$n"
	done
	r=$(add in/*)
	same "$r" in
}

@test "many files in one record" {
	mkdir in
	for ((i = 0; i < 1000; i++)); do echo $i >in/$i; done
	r=$(add in/*)
	same "$r" in
	[ "$(as kun ehr-show --list "$r" | wc -l)" -eq 1000 ]
}

@test "files with one name get their paths; the same file twice is refused" {
	mkdir -p in/mon/lab in/tue
	echo 1 >in/mon/lab/r
	echo 2 >in/tue/r
	echo 3 >in/s
	cd in
	r=$(ehr-add -C ../A -i "$K/kun.key" -p bill@example.org -l other \
	    ./mon//lab/r tue/../tue/r s)
	mkdir -p ../want/mon/lab ../want/tue/tue
	cd ..
	cp in/mon/lab/r want/mon/lab/r
	cp in/tue/r want/tue/tue/r
	cp in/s want/s
	as bill ehr-authorize "$r" >/dev/null
	block A
	as kun ehr-show "$r" -o back
	diff -r want back
	unchanged 2 add f f
	unchanged 2 add f ./f
	mkdir -p x y/x
	echo 4 >x/x
	echo 5 >y/x/x
	unchanged 2 add x/x ./x/x
}

@test "what cannot be a name in a record" {
	: >$'new\nline'
	unchanged 3 add $'new\nline'
	: >$'\377'
	unchanged 3 add $'\377'
	: >$'esc\e[31m'
	unchanged 3 add $'esc\e[31m'
	[[ $stderr != *$'\e'* ]]
}

@test "what is no file, or not there" {
	unchanged 1 add nofile
	[[ $stderr == *"nofile: no such file"* ]]
	unchanged 1 add f nofile
	mkdir d
	unchanged 3 add d
	unchanged 3 add f d/
	mkfifo pipe
	unchanged 3 add pipe
	unchanged 3 add /dev/zero
	ln -s nowhere link
	unchanged 1 add link
	unchanged 3 add ''
}

@test "a file that cannot be read half-way" {
	# Its first page cannot be read.
	run --separate-stderr add /proc/self/mem
	[ "$status" -eq 3 ] || [ "$status" -eq 4 ]
	unchanged "$status" add f /proc/self/mem
}

# stopped PID FILE: while it reads that file, and has a part of it.
stopped() {
	local fd pos until=$((SECONDS + 30))

	while [ $SECONDS -lt $until ]; do
		for fd in /proc/$1/fd/*; do
			[[ $fd -ef $2 ]] && read -r _ pos \
			    <"/proc/$1/fdinfo/${fd##*/}" || continue
			[ "$pos" -gt 0 ] || continue
			kill -STOP "$1"
			[[ $fd -ef $2 ]]
			return
		done
	done 2>/dev/null
	return 1
}

@test "a file that gets shorter, or longer, while it is read" {
	head -c 30M /dev/urandom >large
	contents A >before
	for change in 'truncate -s 25M' 'truncate -s 35M' 'touch -d yesterday'; do
		cp large changing
		ehr-add -C A -i "$K/kun.key" -p bill@example.org -d changing \
		    -l other changing >out 2>err &
		stopped $! changing
		$change changing
		kill -CONT $!
		status=0
		wait $! || status=$?
		[ $status -eq 3 ]
		[ ! -s out ] && [ "$(wc -l <err)" -eq 1 ]
		grep -q changing err
	done
	contents A | diff before -
}

@test "who may not: a patient, an administrator, a stranger, a node" {
	unchanged 1 as bill ehr-add -p bill@example.org -l other f
	[[ $stderr == *'"fill" is missing'* ]]
	unchanged 1 as ada ehr-add -p bill@example.org -l other f
	unchanged 1 as tim ehr-add -p bill@example.org -l other f
	unchanged 1 as a ehr-add -p bill@example.org -l other f
}

@test "for whom: unknown, malformed, or no patient" {
	unchanged 1 as kun ehr-add -p tim@example.org -l other f
	[[ $stderr == *"tim@example.org: no such user"* ]]
	unchanged 1 as kun ehr-add -p uffffffffffffffff -l other f
	unchanged 1 as kun ehr-add -p 'Bill Example' -l other f
	unchanged 1 as kun ehr-add -p lea@example.org -l other f
	[[ $stderr == *"not a patient"* ]]
	unchanged 1 as kun ehr-add -p "$(handle ada)" -l other f
	silent as kun ehr-add -p BILL@Example.Org -l other f
	silent as kun ehr-add -p "$(handle anne)" -l other f
}

@test "labels and descriptions" {
	for l in consultation discharge document imaging immunization \
	    laboratory other pathology prescription procedure referral \
	    vital-signs; do
		silent as kun ehr-add -p bill@example.org -l $l f
	done
	unchanged 1 as kun ehr-add -p bill@example.org -l Other f
	[[ $stderr == *ehr-add*label* ]]
	unchanged 1 as kun ehr-add -p bill@example.org -l '' f
	silent add -d "$(printf '%01024d' 0)" f
	unchanged 3 add -d "$(printf '%01025d' 0)" f
	unchanged 3 add -d $'two\nlines' f
	unchanged 3 add -d $'\377' f
	silent add -d '' f
	silent add -d 'Größe 病历 "quoted" \n' f
	as bill ehr-authorize --list | grep -qF 'Größe 病历 "quoted" \n'
}

@test "each file that stdin names is a record, in their order" {
	for i in 1 2 3 4 5; do echo "file $i" >"$i"; done
	printf '%s\n' 3 '' 1 5 >list
	silent add - <list
	[ "${#lines[@]}" -eq 3 ]
	as bill ehr-authorize - <<<"$output" >/dev/null
	block A
	[ "$(as kun ehr-show "${lines[0]}")" = "file 3" ]
	[ "$(as kun ehr-show "${lines[2]}")" = "file 5" ]
	: >$'new\nline'
	printf '%s\0' '2' '4' >list
	silent add -z - <list
	[ "${#lines[@]}" -eq 2 ]
}

@test "some of many fail: a line for each, the others are made" {
	for i in 1 2 3; do echo "$i" >"$i"; done
	mkdir d
	printf '%s\n' 1 nofile 2 d 3 >list
	run --separate-stderr add - <list
	expect 3 add
	[ "${#lines[@]}" -eq 3 ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[0]} == *nofile* ]]
	[ "$(as bill ehr-authorize --list | cut -f 1)" = "$output" ]
}

@test "stdin that names nothing, is no list, or ends in a long line" {
	nothing() { add - </dev/null; }
	unchanged 1 nothing
	nuls() { printf 'f\0\n' | add -; }
	unchanged 3 nuls
	long() { head -c 5000 /dev/zero | tr '\0' x | add -; }
	unchanged 3 long
}

@test "bad calls" {
	refused 2 add
	refused 2 as kun ehr-add -l other f
	refused 2 as kun ehr-add -p bill@example.org f
	refused 2 ehr-add -C A -p bill@example.org -l other f
	refused 2 add --frob f
	refused 1 ehr-add -C nowhere -i "$K/kun.key" -p x -l other f
}

@test "a passphrase: right, wrong, none" {
	pw
	pw wrong "not the passphrase"
	ehr-keygen -n Max -e max@example.org --passphrase-file pw -o max.key
	as ada ehr-user add --role doctor max.key.card >/dev/null
	block A
	try() { ehr-add -C A -i max.key -p bill@example.org -l other f "$@"; }
	unchanged 1 try --passphrase-file wrong
	[[ $stderr == *max.key*passphrase* ]]
	EHR_PASSPHRASE_FILE=wrong unchanged 1 try
	silent try --passphrase-file pw
}

@test "stock age opens what a doctor staged" {
	need age
	r=$(add f)
	body=$(ehr-verify -C A "$r" | sed -n 's/^body \([0-9a-f]*\) .*/\1/p')
	# The header follows the manifest in the segment.
	sed -n '/^age-encryption/,/^---/p' A/.ehr/staging/*.seg >rec.age
	cat "A/.ehr/objects/${body:0:2}/$body" >>rec.age
	for who in bill kun; do
		ehr-keygen export -q -i "$K/$who.key" >$who.age
		[ "$(age -d -i $who.age rec.age | tar xzO files/f)" = one ]
		age -d -i $who.age rec.age | tar xzO META.json |
		    jq -e '.description == "a description"'
	done
	ehr-keygen export -q -i "$K/lea.key" >lea.age
	run ! age -d -i lea.age -o no rec.age
}

@test "two at the same moment: both are made, nothing is lost" {
	for i in $(seq 60); do echo "$i" >"f$i"; done
	ls f? f1? f2? | add - >ids.1 &
	a=$!
	ls f3? f4? f5? f60 | as lea ehr-add -p bill@example.org -l other - >ids.2
	wait $a
	sort -u ids.1 ids.2 >ids
	[ "$(wc -l <ids)" -eq "$(cat ids.1 ids.2 | wc -l)" ]
	as bill ehr-authorize --list | cut -f 1 | sort | diff ids -
	ehr-audit -C A >/dev/null
}

@test "stdout that cannot be written to" {
	full() { add f >/dev/full; }
	refused 4 full
}

teardown() {
	umount "$BATS_TEST_TMPDIR/w/small" 2>/dev/null || :
}

@test "a full disk: one line, status 4, and what was there is whole" {
	mkdir small
	mount -t tmpfs -o size=2m tmpfs small 2>/dev/null ||
	    skip "cannot mount a file system here"
	cp -r A small/A
	head -c 4M /dev/urandom >large
	head -c 300k /dev/urandom >medium
	here() {
		ehr-add -C small/A -i "$K/kun.key" -p bill@example.org \
		    -l other "$@"
	}
	contents small/A >before
	refused 4 here large
	contents small/A | diff before -
	while r=$(here medium 2>err); do echo "$r"; done >ids
	[ "$(wc -l <err)" -eq 1 ]
	here f >>ids 2>/dev/null || :
	here f >>ids 2>/dev/null || :
	[ "$(wc -l <ids)" -gt 2 ]
	# Everything that was acknowledged is there, elsewhere, with room.
	rm -rf A
	cp -r small/A .
	as bill ehr-authorize - <ids >/dev/null
	block A
	[ "$(as kun ehr-query | wc -l)" -eq "$(wc -l <ids)" ]
	ehr-audit -C A >/dev/null
}

@test "a ledger that belongs to somebody else" {
	chown -R 65534 A/.ehr 2>/dev/null || skip "cannot give files away"
	unchanged 1 add f
}

@test "a staged record that was altered or cut goes to quarantine" {
	r=$(add f)
	s=$(add f)
	set -- A/.ehr/staging/*.seg
	[ $# -eq 2 ]
	sed -i 's/^label other/label 0ther/' "$1"
	silent as bill ehr-authorize --list
	[ "${#lines[@]}" -eq 1 ]
	[ -e "A/.ehr/quarantine/${1##*/}" ] && [ ! -e "$1" ]
	truncate -s -10 "$2"
	silent as bill ehr-authorize --list
	[ -z "$output" ]
	refused 1 as bill ehr-authorize "$r"
	refused 1 as bill ehr-authorize "$s"
	ehr-audit -C A >/dev/null
}

@test "a forged staged record is refused when it is authorized" {
	add f >/dev/null
	sed -n '/^ehr.v1 record/,/^— /p' A/.ehr/staging/*.seg >manifest
	sed -n '/^age-encryption/,/^---/p' A/.ehr/staging/*.seg >header
	# Tim signs in Kun's name; then as himself.
	sed -n '/^$/q;p' manifest >text
	sed "s/^name .*/name $(handle kun)/" "$K/tim.key" >kun2.key
	chmod 600 kun2.key
	ehr-sign -i kun2.key <text >forged
	sed "s/^author .*/author $(handle tim)/" text | ehr-sign -i "$K/tim.key" >strange
	wait_in A staging forged header
	wait_in A staging strange header
	for f in forged strange; do
		unchanged 1 as bill ehr-authorize "$(sha256sum <$f | cut -c 1-64)"
	done
}
