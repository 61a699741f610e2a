# ehr-sync bundle: a ledger, or what is new of it, on a stick.

load lib
load bundle

setup_file() {
	people
	made=$BATS_FILE_TMPDIR/made
	mkdir "$made" && cd "$made"
	ledger1
	cp -r A old
	cp -r A B
	# Of one node there is one directory: B is nobody's.
	rm -r B/.ehr/{node.key,secret,consensus/*}
	sed -i '/^\[node\]/,/name/d' B/.ehr/config
	for i in 1 2 3; do echo "value $i" >f$i; done
	ls f* | as kun ehr-add -p bill@example.org -d many -l other - >ids
	head -c 3000000 /dev/urandom >large
	record bill large >>ids
	as bill ehr-authorize - <ids >/dev/null
	block A
	as kun ehr-show --list "$(head -n 1 ids)" >/dev/null
	block A
	ehr-log-merkle -C A --roll
	record anne f1 >waits
	as ada ehr-user add "$K/tim.key.card" >/dev/null
	ehr-sync -C A bundle create whole.tar
	ehr-sync -C A bundle create --since 2 new.tar
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR"/made/{A,B,ids,waits,whole.tar,new.tar} .
}

# same DIR DIR: the same blocks, and each has all that they name.
same() {
	cmp <(ehr-block -C "$1" list) <(ehr-block -C "$2" list) &&
	    ehr-audit -C "$1" >/dev/null && ehr-audit -C "$2" >/dev/null
}

# not_taken STATUS TEXT FILE: refused with one line that says so, and B is as
# it was.
not_taken() {
	contents B >before
	refused "$1" ehr-sync -C B bundle apply "$3" || return 1
	[[ $stderr == *"$2"* ]] || { echo "$stderr"; return 1; }
	contents B | diff before -
}

@test "a copy that is behind takes all that is new, and it is durable" {
	run ehr-sync -C B bundle apply -v new.tar
	[ "$status" -eq 0 ]
	[[ $output =~ took\ 2\ blocks,\ 10\ objects\ \([0-9]+\ bytes\) ]]
	[[ $output == *", 1 staged records, 1 transactions" ]]
	same A B
	as kun ehr-add -p bill@example.org -d x -l other ids >/dev/null
	for d in A B; do
		ehr-show -C $d -i "$K/bill.key" "$(tail -n 1 ids)" --list
	done >/dev/null
	grep -q . B/.ehr/staging/* && grep -q . B/.ehr/pending/*
	[ -z "$(ls -A B/.ehr/tmp)" ]
}

@test "a whole bundle too, over a pipe, and twice does nothing more" {
	ehr-sync -C A bundle create - | ehr-sync -C B bundle apply -
	same A B
	contents B >before
	silent ehr-sync -C B bundle apply whole.tar
	contents B | diff before -
}

@test "the same directory gives the same bytes; tar reads them" {
	ehr-sync -C A bundle create again.tar
	cmp whole.tar again.tar
	[ "$(stat -c %a again.tar)" = 600 ]
	mkdir out && tar xf whole.tar -C out
	cmp out/genesis A/.ehr/genesis
	diff -r out/blocks A/.ehr/blocks
	diff -r out/objects A/.ehr/objects
	diff -r out/logs A/.ehr/logs
	! tar tf whole.tar | grep -E 'key|secret|config|state|consensus'
	[ "$(head -c -2048 whole.tar | sha256sum | cut -c 1-64)" = \
	    "$(tar xOf whole.tar end)" ]
	sum=$(tail -c 2048 whole.tar | head -c 512 | sha256sum | cut -c 1-64)
	grep -qx "$sum" "$top/share/man/man5/ehr-bundle.5"
}

@test "what tar makes of the same files is a bundle too" {
	mkdir out && tar xf whole.tar -C out
	pack out whole.tar >mine.tar
	silent ehr-sync -C B bundle apply mine.tar
	same A B
}

@test "a bundle of another ledger, and one with a gap" {
	rm -r A
	ehr-init -C A --name other --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	ehr-sync -C A bundle create other.tar
	not_taken 1 "of another ledger" other.tar
	cp -r "$BATS_FILE_TMPDIR/made/A" C
	ehr-sync -C C bundle create --since 3 gap.tar
	not_taken 1 "begins after block 3, and the last one here is 2" gap.tar
	refused 1 ehr-sync -C C bundle create --since 9 late.tar
	[ ! -e late.tar ]
}

@test "cut, longer, or with any bit changed: refused, and nothing is taken" {
	size=$(stat -c %s new.tar)
	for at in 0 1 511 512 1024 $((size / 2)) $((size - 1)); do
		head -c $at new.tar >bad.tar
		not_taken 3 bundle bad.tar
	done
	{ cat new.tar; echo; } >bad.tar
	not_taken 3 "cut or altered" bad.tar
	for at in 0 100 156 300 520 700 2000 $((size / 2)) $((size - 2048)) \
	    $((size - 1536)) $((size - 1000)) $((size - 1)); do
		cp new.tar bad.tar
		byte=$(od -An -tu1 -j $at -N 1 bad.tar | tr -d ' ')
		printf "$(printf '\\%03o' $((byte ^ 1)))" |
		    dd of=bad.tar bs=1 seek=$at conv=notrunc 2>/dev/null
		not_taken 3 bundle bad.tar
	done
}

@test "hostile entries: links, devices, other names, order, doubles" {
	mkdir out && tar xf new.tar -C out && cd out
	bad() {
		tar cf - -b 1 --format=ustar --no-recursion "${@:2}" |
		    head -c -1024 >../bad.tar
		(cd .. && seal bad.tar whole.tar && not_taken 3 "$1" bad.tar)
	}
	ln -s /etc/passwd blocks/link
	bad "no regular file" bundle genesis blocks/link
	rm blocks/link && ln genesis blocks/hard
	bad "no regular file" bundle genesis blocks/hard
	mkfifo blocks/fifo
	bad "no regular file" bundle genesis blocks/fifo
	bad "no regular file" bundle genesis blocks
	rm -rf blocks/*
	tar xf ../new.tar blocks
	echo x >evil
	bad "name that no bundle has" bundle genesis evil
	bad "name that no bundle has" bundle genesis -P ../ids
	bad "name that no bundle has" bundle genesis -P "$PWD/evil"
	bad "name that no bundle has" bundle genesis --transform s,evil,blocks/../x, evil
	bad "name that no bundle has" bundle genesis --transform s,evil,config, evil
	bad "name that no bundle has" bundle genesis --transform s,evil,blocks/.x, evil
	bad "not in order" genesis bundle
	bad "not in order" bundle
	bad "not in order" bundle blocks/000000/000000003.gz
	bad "not in order" bundle genesis blocks/000000/000000004.gz \
	    blocks/000000/000000003.gz
	cp bundle a
	bad "not in order" bundle genesis --transform s,^a$,logs/a, \
	    --hard-dereference a a
	truncate -s 70000 big
	bad "too long" bundle genesis --transform s,big,checkpoints/x, big
	[ ! -e ../B/.ehr/evil ]
}

@test "a block that does not verify: those before it came, and no more" {
	mkdir out && tar xf new.tar -C out
	cp out/blocks/000000/00000000{3,4}.gz .
	cp 000000003.gz out/blocks/000000/000000004.gz
	pack out whole.tar >bad.tar
	refused 3 ehr-sync -C B bundle apply bad.tar
	[[ $stderr == *"its block 4 is not what it is named"* ]]
	[ "$(ehr-block -C B list | wc -l)" -eq 3 ]
	rm out/blocks/000000/000000004.gz
	pack out whole.tar >bad.tar
	refused 1 ehr-sync -C B bundle apply bad.tar
	ehr-sync -C B bundle apply new.tar
	same A B
}

@test "an object with other bytes is not taken" {
	mkdir out && tar xf new.tar -C out
	big=$(find out/objects -type f -size +1M)
	echo x >>"$big"
	pack out whole.tar >bad.tar
	refused 3 ehr-sync -C B bundle apply bad.tar
	[[ $stderr == *"1 of its objects are damaged"* ]]
	[ ! -e "B/.ehr/${big#out/}" ]
	run ehr-audit -C B
	[[ $output == *"absent objects ${big##*/}"* ]]
	ehr-sync -C B bundle apply new.tar
	same A B
}

@test "another chain of the same ledger is refused" {
	ehr-keygen -n x --no-passphrase -o x.key
	as ada ehr-user add x.key.card >/dev/null
	cp -r "$BATS_FILE_TMPDIR/made/old" C
	ehr-user -C C -i "$K/ada.key" add x.key.card >/dev/null
	ehr-dbft -C C --once >/dev/null
	ehr-sync -C C bundle create fork.tar
	ehr-sync -C B bundle apply new.tar
	not_taken 3 "another one than ours" fork.tar
}

@test "killed at any moment, what it left does no harm" {
	for ms in 002 005 01 02 04 08; do
		rm -rf B && cp -r "$BATS_FILE_TMPDIR/made/B" B
		ended 0.$ms ehr-sync -C B bundle apply new.tar
		ehr-sync -C B bundle apply new.tar
		same A B
		[ -z "$(find B/.ehr/tmp -name '.tmp-bundle-*')" ]
	done
}

# no_copy STATUS TEXT [OPTION...]: a clone with these is refused, with a line
# that says so, and nothing is there.
no_copy() {
	refused "$1" ehr-sync clone N "${@:3}" || return 1
	[[ $stderr == *"$2"* ]] || { echo "$stderr"; return 1; }
	[ ! -e N ] || [ -z "$(ls -A N)" ]
}

# is_copy DIR: of A; and nothing else is there.
is_copy() {
	same A "$1" && [ "$(ls -A "$1")" = .ehr ] &&
	    [ -z "$(ls -A "$1/.ehr/tmp")" ]
}

@test "a new copy from a bundle, in the place of a peer" {
	[ "$(ehr-sync clone --bundle whole.tar N)" = "$(ledger_id A)" ]
	is_copy N
	grep -q . N/.ehr/staging/* && grep -q . N/.ehr/pending/*
	run ! ls N/.ehr/node.key
	mkdir O
	silent ehr-sync clone --bundle - O --ledger "$(ledger_id A)" <whole.tar
	[ -z "$output" ]
	is_copy O
	refused 1 ehr-sync clone --bundle whole.tar O
	[[ $stderr == *"O/.ehr: exists already" ]]
	# What is newer comes from a peer.
	block A
	printf '[serve]\n\tpublic = true\n' >>A/.ehr/config
	ehr-node -C N peer hospital-a 'ehr-serve -C A'
	ehr-sync -C N --pull
	same A N
	# Of a ledger that has no block yet.
	ehr-init -C E --name other --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	ehr-sync -C E bundle create - | ehr-sync clone --bundle - F
	[ "$(ledger_id F)" = "$(ledger_id E)" ]
}

@test "a node made from a bundle goes on from its peers" {
	ehr-keygen --node -n hospital-b --no-passphrase -o "$K/b.key"
	as ada ehr-node admit "$K/b.key.card" >/dev/null
	block A
	ehr-sync -C A bundle create now.tar
	silent ehr-sync clone --bundle now.tar N --node-key "$K/b.key" \
	    --ledger "$(ledger_id A)"
	cmp N/.ehr/node.key "$K/b.key"
	ehr-keygen -n x --no-passphrase -o "$K/x.key"
	as ada ehr-user add "$K/x.key.card" >/dev/null
	ehr-node -C N peer hospital-a 'ehr-serve -C A'
	silent ehr-sync -C N
	same A N
	cmp A/.ehr/secret N/.ehr/secret
	grep -q "$(handle x)" N/.ehr/pending/*
}

@test "no copy from what is cut, altered, not whole, or of another ledger" {
	size=$(stat -c %s whole.tar)
	for at in 0 511 1024 $((size / 2)) $((size - 1)); do
		head -c $at whole.tar >bad.tar
		no_copy 3 bundle --bundle bad.tar
	done
	for at in 0 700 2000 $((size / 2)) $((size - 1000)); do
		cp whole.tar bad.tar
		flip bad.tar $at
		no_copy 3 bundle --bundle bad.tar
	done
	no_copy 1 "is not whole, but begins after block 2" --bundle new.tar
	no_copy 1 "of another ledger, $(ledger_id A)" --bundle whole.tar \
	    --ledger "$(sha256sum <ids | cut -c 1-64)"
	no_copy 1 "not a node" --bundle whole.tar --node-key "$K/bill.key"
	no_copy 1 "no such file" --bundle nothing
	refused 2 ehr-sync clone --bundle whole.tar N M
	refused 2 ehr-sync clone --bundle whole.tar
	refused 2 ehr-sync -C A --bundle whole.tar
	refused 2 ehr-sync -C A bundle apply whole.tar --bundle whole.tar
	# What was there stays, and nothing comes to it.
	mkdir N && cp ids N
	head -c 2000 whole.tar >bad.tar
	refused 3 ehr-sync clone --bundle bad.tar N
	[ "$(ls -A N)" = ids ]
	run flock N ehr-sync clone --bundle whole.tar N
	expect 75
	[ "$(ls -A N)" = ids ]
}

@test "no copy from a bundle with a block that does not verify" {
	mkdir out && tar xf whole.tar -C out
	cp out/blocks/000000/00000000{3,4}.gz .
	cp 000000003.gz out/blocks/000000/000000004.gz
	pack out whole.tar >bad.tar
	no_copy 3 "its block 4 is not what it is named" --bundle bad.tar
	# A certificate that nobody signed.
	gunzip <000000004.gz | sed 's/^\(— hospital-a \)..../\1AAAA/' |
	    gzip -n >out/blocks/000000/000000004.gz
	! cmp -s 000000004.gz out/blocks/000000/000000004.gz
	pack out whole.tar >bad.tar
	no_copy 3 bundle --bundle bad.tar
}

@test "an object that a bundle has damaged is told of, and comes from a peer" {
	mkdir out && tar xf whole.tar -C out
	big=$(find out/objects -type f -size +1M)
	echo x >>"$big"
	pack out whole.tar >bad.tar
	run --separate-stderr ehr-sync clone --bundle bad.tar N
	expect 3 clone
	[[ $stderr == *"1 of its objects are damaged"* ]]
	printf '[serve]\n\tpublic = true\n' >>A/.ehr/config
	ehr-node -C N peer hospital-a 'ehr-serve -C A'
	ehr-sync -C N
	same A N
}

@test "a clone that is killed at any moment leaves all of it or nothing" {
	for ms in 002 005 01 015 02 03 04 06 08 12; do
		rm -rf N
		ended 0.$ms ehr-sync clone --bundle whole.tar N
		[ -e N/.ehr ] || ehr-sync clone --bundle whole.tar N
		is_copy N
	done
}

@test "a file that cannot be written, and one that is not there" {
	refused 4 ehr-sync -C A bundle create /nowhere/x
	run sh -c 'ehr-sync -C A bundle create - >/dev/full'
	[ "$status" -eq 4 ]
	# A device is not replaced by a file: here, a pipe in its place.
	mkfifo pipe
	refused 4 ehr-sync -C A bundle create pipe
	[ -p pipe ]
	refused 1 ehr-sync -C B bundle apply nothing
	refused 2 ehr-sync -C B bundle apply
	refused 2 ehr-sync -C B bundle take new.tar
	refused 2 ehr-sync -C B bundle apply new.tar --since 1
	refused 2 ehr-sync -C B --since 1
}
