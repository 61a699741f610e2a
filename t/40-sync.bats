# ehr-sync: clone, pull, push, status; peers that are away, wrong or killed.

load lib

# Made once, each test works on a copy: a ledger of four hospitals, of which
# only A has a directory, with two users who wait for a block; and in ready/
# all four, with these users and the doctors' role key on the ledger.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD EHR_PASSPHRASE_FILE=$PWD/pw
	pw
	for n in a b c d e; do
		ehr-keygen --node -n hospital-$n --no-passphrase -o $n.key
	done
	for u in ada kun bill; do
		ehr-keygen -n $u -e $u@example.org -o $u.key
	done
	ehr-init -C A --name za-ehr --node-key a.key --admin ada.key.card \
	    --node b.key.card --node c.key.card --node d.key.card >ledger
	ehr-user -C A add --role doctor kun.key.card -i ada.key >kun
	ehr-user -C A add bill.key.card -i ada.key >bill
	ledger=$(<ledger)
	mkdir ready
	cp -a A ready/
	cd ready || return 1
	cp ../{bill,*.key} .
	join
	block
	ehr-query -C A -i kun.key nothing || true
	block
	rm -f bill ./*.key made
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,pw,ledger,kun,bill,*.key,*.card} .
	export EHR_PASSPHRASE_FILE=$PWD/pw
	ledger=$(<ledger)
}

# ready: all four, and nothing waits.
ready() {
	rm -rf A
	cp -a "$BATS_FILE_TMPDIR"/ready/* .
}

# clone NODE DIR [SOURCE]: as that node, silently.
clone() {
	silent ehr-sync clone "ehr-serve -C ${3:-A}" "$2" \
	    --node-key "$1.key" --ledger "$ledger"
	[ -z "$output" ]
}

# join: B, C and D too, and each reaches the others.
join() {
	local x y

	clone b B
	clone c C
	clone d D
	for x in A B C D; do
		for y in A B C D; do
			[ $x = $y ] || ehr-node -C $x peer "hospital-${y,}" \
			    "ehr-serve -C $y"
		done
	done
}

# make: one more block, by whose turn it is.
make() {
	local by=(A B C D) n

	n=$(height A)
	ehr-sync -C A
	ehr-dbft -C "${by[(n + 1) % 4]}" --once >made
	[ -s made ]
}

# block: one more, on all four.
block() {
	make
	ehr-sync -C A
}

height() { find "$1/.ehr/blocks" -name '*.gz' | wc -l; }
waiting() {
	find "$1/.ehr/pending" -name '*.seg' -exec cat {} + |
	    grep -c '^ehr.v1 .* [0-9a-f]\{64\}$' || true
}
staged() {
	find "$1/.ehr/staging" -name '*.seg' -exec cat {} + |
	    grep -ac '^ehr.v1 record [0-9a-f]\{64\}$' || true
}

# stage DIR TEXT: a record by Kun for Bill; its id.
stage() {
	echo "$2" >"$2.txt"
	ehr-add -C "$1" -i kun.key -p "$(<bill)" -d "$2" -l laboratory \
	    "$2.txt"
}

# fake LINE [LINE]: a command that answers with these messages.
fake() {
	local line

	for line do
		printf '%04x%s\n0000' $((${#line} + 5)) "$line" >>fake.out
	done
	echo 'cat fake.out; cat >/dev/null'
}

# A version line that says these things of itself.
version() { # LEDGER TIME NODE
	echo "version 1 $1 0 $1 $2 $3 0123456789abcdef0123456789abcdef"
}
other() { tr 0-9a-f 1-9a-f0 <<<"$ledger"; }
now() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }

@test "a clone is the ledger, the secret, the key, and the way back" {
	clone b B
	cmp A/.ehr/genesis B/.ehr/genesis
	cmp A/.ehr/secret B/.ehr/secret
	cmp b.key B/.ehr/node.key
	[ "$(stat -c %a B/.ehr/node.key B/.ehr/secret | sort -u)" = 600 ]
	grep -qx '	command = ehr-serve -C A' B/.ehr/config
	grep -qx '\[peer "hospital-a"\]' B/.ehr/config
	# What waited came too, with what it names.
	[ "$(waiting B)" -eq 2 ]
	silent ehr-sync -C B
	ehr-audit -C B
}

@test "without --ledger the id is printed" {
	silent ehr-sync clone 'ehr-serve -C A' B --node-key b.key
	[ "$output" = "$ledger" ]
}

@test "a clone of a clone, of a ledger with blocks and records" {
	ready
	stage A "a first record" >id
	ehr-authorize -C A -i bill.key "$(<id)"
	block
	rm -rf D
	clone d D C
	[ "$(height D)" -eq 3 ]
	for d in A C D; do
		ehr-query -C $d -i kun.key first | grep -q "$(<id)"
		ehr-show -C $d -i kun.key "$(<id)" -o out-$d
		cmp "a first record.txt" "out-$d/a first record.txt"
		ehr-audit -C $d
	done
}

@test "clone refuses: a ledger that is there, another one, a user's key" {
	clone b B
	snapshot B >before
	refused 1 ehr-sync clone 'ehr-serve -C A' B --node-key b.key
	[[ $stderr == *"B/.ehr: exists already"* ]]
	snapshot B | cmp - before
	refused 1 ehr-sync clone 'ehr-serve -C A' X --ledger "$(other)"
	[[ $stderr == *"source: ledger $(other) meets another"* ]]
	refused 1 ehr-sync clone 'ehr-serve -C A' X --node-key kun.key
	[[ $stderr == *"not a node"* ]]
	refused 1 ehr-sync clone 'ehr-serve -C A' X --node-key none.key
	refused 2 ehr-sync clone 'ehr-serve -C A' X --ledger 1234
	refused 2 ehr-sync clone 'ehr-serve -C A'
	refused 2 ehr-sync clone 'ehr-serve -C A' X Y
	refused 2 ehr-sync clone -C A 'ehr-serve -C A' X
	[ ! -e X ]
}

@test "clone refuses the key of one node under the name of another" {
	ehr-keygen --node -n hospital-b --no-passphrase -o thief.key
	refused 1 ehr-sync clone 'ehr-serve -C A' X --node-key thief.key
	[[ $stderr == *"does not have the key of hospital-b"* ]]
	[ ! -e X ]
}

@test "what does not answer is 75, and says how it ended" {
	refused 75 ehr-sync clone 'exit 5' X
	[[ $stderr == *"source: no answer: its command ended with status 5"* ]]
	refused 75 ehr-sync clone true X
	run --separate-stderr ehr-sync clone no-such-command X
	expect 75
	[[ $stderr == *"status 127"* ]]
	[ ! -e X ]
}

@test "what is not ehr-serve is 3, and leaves nothing" {
	refused 3 ehr-sync clone 'echo hello; cat' X
	refused 3 ehr-sync clone 'head -c 1000 /dev/zero; cat' X
	refused 3 ehr-sync clone "$(fake 'ok')" X
	[ ! -e X ]
}

@test "a clone of a wrong clock, and of another genesis than it says" {
	# The real genesis, a wrong clock.
	g=$(printf '%04x' $(($(stat -c %s A/.ehr/genesis) + 4)))
	fake "$(version "$ledger" 2020-01-01T00:00:00.000Z -)" "ok chain" >cmd
	{ printf '0007ok\n%s' "$g"; cat A/.ehr/genesis; printf 0000; } >>fake.out
	refused 1 ehr-sync clone "$(<cmd)" X
	[[ $stderr == *"source: the clocks are "*" ms apart"* ]]
	# The right clock, another ledger's id.
	rm -f fake.out
	fake "$(version "$(other)" "$(now)" -)" "ok chain" >cmd
	{ printf '0007ok\n%s' "$g"; cat A/.ehr/genesis; printf 0000; } >>fake.out
	refused 3 ehr-sync clone "$(<cmd)" X
	[[ $stderr == *"genesis is that of another ledger"* ]]
	[ ! -e X ]
}

@test "a clone that breaks off goes on with ehr-sync" {
	ready
	for i in 1 2 3; do
		stage A "record $i" >>ids
	done
	ehr-authorize -C A -i bill.key - <ids
	block
	# What ends after so many bytes, as a cut line does.
	cat >cut <<-'END'
	#!/bin/sh
	rm -f fifo
	mkfifo fifo
	exec 3<&0
	ehr-serve -C A <&3 3<&- >fifo &
	exec dd if=fifo bs=1 count="$1" status=none 3<&- </dev/null
	END
	chmod +x cut
	n=0
	for cut in 300 700 1600 2200 3000 4000 6000 9000; do
		rm -rf X
		run --separate-stderr ehr-sync clone \
		    "./cut $cut" X --node-key d.key
		if [ -e X/.ehr ]; then
			expect 75
			[[ $stderr == *"ehr-sync -C X goes on from here" ]]
			ehr-node -C X peer hospital-a 'ehr-serve -C A'
			silent ehr-sync -C X
			[ "$(height X)" -eq "$(height A)" ]
			cmp A/.ehr/secret X/.ehr/secret
			ehr-audit -C X
			n=$((n + 1))
		else
			[ "$status" -ne 0 ]
		fi
	done
	[ $n -ge 3 ]
}

@test "a copy that is no node gets the chain, and objects where they are public" {
	join
	block
	silent ehr-sync clone 'ehr-serve -C A' M --ledger "$ledger"
	[ "$(height M)" -eq 1 ]
	[ ! -e M/.ehr/secret ]
	[ ! -e M/.ehr/node.key ]
	ehr-sync -C M status >status
	[ "$(grep -c '^wanted' status)" -ge 2 ]
	silent ehr-sync -C M
	printf '[serve]\n\tpublic = true\n' >>A/.ehr/config
	silent ehr-sync -C M
	ehr-sync -C M status >status
	run ! grep '^wanted' status
	ehr-audit -C M
}

@test "a node that is not admitted yet gets the chain, and the rest later" {
	join
	block
	run --separate-stderr ehr-sync clone 'ehr-serve -C A' E \
	    --node-key e.key --ledger "$ledger"
	expect 0
	[[ $stderr == *"hospital-e is not known as a node there"* ]]
	[ "$(height E)" -eq 1 ]
	[ ! -e E/.ehr/secret ]
	refused 1 ehr-sync -C E
	[[ $stderr == *"does not know hospital-e as a node"* ]]
	silent ehr-sync -C E --pull
	ehr-node -C A admit e.key.card -i ada.key
	block
	silent ehr-sync -C E
	cmp A/.ehr/secret E/.ehr/secret
	ehr-audit -C E
}

@test "pending transactions go where they are needed, each with its objects" {
	join
	silent ehr-sync -C A
	for d in B C D; do
		[ "$(waiting $d)" -eq 2 ]
	done
	snapshot B/.ehr/pending >before
	silent ehr-sync -C A
	silent ehr-sync -C B
	snapshot B/.ehr/pending | cmp - before
	make
	silent ehr-sync -C A
	for d in A B C D; do
		[ "$(height $d)" -eq 1 ]
		[ "$(waiting $d)" -eq 0 ]
		ehr-audit -C $d
	done
}

@test "what one peer has reaches the others in one run" {
	ready
	stage B "seen at b" >id
	silent ehr-sync -C A
	for d in A C D; do
		ehr-authorize -C $d -i bill.key --list | grep -q "$(<id)"
	done
}

@test "at the end of a pipe, --push waits for what comes before" {
	ready
	stage A "through a pipe" >id
	ehr-sync -C A
	{ sleep 0.3; cat id; } | ehr-authorize -C A -i bill.key - |
	    ehr-sync -C A --push hospital-b >passed
	[ -s passed ]
	[ "$(waiting B)" -eq 1 ]
	[ "$(waiting C)" -eq 0 ]
}

@test "--pull takes only, --push gives only" {
	ready
	stage A "at a" >id-a
	stage B "at b" >id-b
	silent ehr-sync -C A --pull hospital-b </dev/null
	ehr-authorize -C A -i bill.key --list | grep -q "$(<id-b)"
	run ! grep -q "$(<id-a)" <(ehr-authorize -C B -i bill.key --list)
	stage B "more at b" >id-c
	silent ehr-sync -C A --push hospital-b </dev/null
	ehr-authorize -C B -i bill.key --list | grep -q "$(<id-a)"
	run ! grep -q "$(<id-c)" <(ehr-authorize -C A -i bill.key --list)
}

@test "some peers away is a line each, all away is 75" {
	join
	ehr-node -C A peer hospital-c 'exit 3'
	run --separate-stderr ehr-sync -C A
	expect 0
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"hospital-c: no answer: its command ended with status 3" ]]
	[ "$(waiting B)" -eq 2 ]
	ehr-node -C A peer hospital-b false
	ehr-node -C A peer hospital-d false
	run --separate-stderr ehr-sync -C A
	expect 75
	[ "${#stderr_lines[@]}" -eq 3 ]
}

@test "no peer, an unknown peer, a wrong call" {
	refused 1 ehr-sync -C A
	[[ $stderr == *"no peers"* ]]
	join
	refused 1 ehr-sync -C A hospital-x
	[[ $stderr == *"no peer hospital-x"* ]]
	refused 2 ehr-sync -C A --pull --push
	refused 2 ehr-sync -C A --ledger "$ledger"
	refused 2 ehr-sync -C A status --push
	refused 1 ehr-sync -C nowhere
	run ehr-sync -h
	expect 0
	[[ $output == usage:* ]]
}

@test "only one at a time" {
	join
	exec 9>A/.ehr/sync.lock
	flock 9
	refused 75 ehr-sync -C A 9>&-
	[[ $stderr == *sync.lock* ]]
	exec 9>&-
	silent ehr-sync -C A
	# A lock file that a dead one left does not matter.
	echo 999999 >A/.ehr/sync.lock
	silent ehr-sync -C A
}

@test "another ledger behind a peer's command is refused, by both" {
	join
	ehr-init -C Z --name other --node-key d.key --admin ada.key.card >other
	ehr-node -C A peer hospital-d 'ehr-serve -v -C Z'
	run --separate-stderr ehr-sync -C A hospital-d
	expect 1
	[[ $stderr == *"ehr-serve: "*"ledger $ledger meets another ledger, $(<other)"* ]]
	[[ $stderr == *"ehr-sync: hospital-d: ledger $ledger meets another"* ]]
}

@test "a peer with a wrong clock is refused, by us" {
	ehr-node -C A peer hospital-b "$(fake "$(version "$ledger" \
	    2020-01-01T00:00:00.000Z hospital-b)")"
	refused 1 ehr-sync -C A
	[[ $stderr == *"hospital-b: the clocks are "* ]]
}

@test "a peer of another version" {
	ehr-node -C A peer hospital-b "$(fake 'version 7 with news')"
	refused 1 ehr-sync -C A
	[[ $stderr == *"protocol version 7 meets version 1"* ]]
}

@test "a peer under the name of another node" {
	join
	ehr-node -C A peer hospital-b 'ehr-serve -C C'
	refused 1 ehr-sync -C A hospital-b
	[[ $stderr == *"hospital-b: its command reaches hospital-c"* ]]
}

@test "a peer that says to be a node and cannot show it gets nothing private" {
	ready
	stage A "private" >id
	# D's directory, but not D's key.
	ehr-keygen --node -n hospital-d --no-passphrase -o thief.key
	cp thief.key D/.ehr/node.key
	refused 1 ehr-sync -C A hospital-d
	[[ $stderr == *"hospital-d: it does not have the key of hospital-d"* ]]
	rm D/.ehr/node.key
	refused 1 ehr-sync -C A hospital-d
	[[ $stderr == *"hospital-d: it has not shown to be a node"* ]]
	run ! grep -rq "$(<id)" D/.ehr/staging
	[ "$(find D/.ehr/staging -type f | wc -l)" -eq 0 ]
}

@test "a read-only peer: pulled from, not pushed to" {
	ready
	stage A "here" >id-a
	stage B "there" >id-b
	ehr-node -C A peer hospital-b 'ehr-serve --read-only -C B'
	silent ehr-sync -C A hospital-b
	ehr-authorize -C A -i bill.key --list | grep -q "$(<id-b)"
	run ! grep -q "$(<id-a)" <(ehr-authorize -C B -i bill.key --list)
	refused 1 ehr-sync -C A --push hospital-b </dev/null
	[[ $stderr == *"hospital-b: takes nothing: it is read-only"* ]]
}

@test "status says where each is, in text and in JSON" {
	join
	make
	ehr-node -C A peer hospital-c 'exit 9'
	run --separate-stderr ehr-sync -C A status
	expect 0
	head=$(zcat A/.ehr/blocks/000000/000000001.gz | sed '/^$/,$d' |
	    sha256sum | cut -d' ' -f1)
	[ "${lines[0]}" = "hospital-a	1	$head" ]
	[[ ${lines[1]} == "hospital-b	"[01]"	"* ]]
	[[ ${lines[2]} == "hospital-c	-	hospital-c: no answer"* ]]
	ehr-sync -C A status --json >json
	jq -se 'any(.peer == "hospital-a" and .height == 1)' json
	jq -se 'any(.peer == "hospital-c" and .error)' json
	rm -rf A/.ehr/objects/??
	rm -f A/.ehr/state.db*
	ehr-sync -C A status hospital-b >text
	[ "$(grep -c '^wanted	[0-9a-f]\{64\}$' text)" -ge 2 ]
	ehr-sync -C A status --json hospital-b |
	    jq -se 'any(.wanted)'
	silent ehr-sync -C A --pull hospital-b
	run ! grep '^wanted' <(ehr-sync -C A status hospital-b)
	ehr-node -C A peer hospital-b false
	ehr-node -C A peer hospital-d false
	run --separate-stderr ehr-sync -C A status
	expect 75
}

@test "a damaged object is not handed on; another peer has it" {
	ready
	stage A "to be damaged" >id
	ehr-sync -C A
	ehr-authorize -C A -i bill.key "$(<id)"
	ehr-sync -C A
	make
	ehr-sync -C A --pull
	id=$(sqlite3 -readonly A/.ehr/state.db "SELECT lower(hex(header))
	    FROM record WHERE id=x'$(<id)'")
	object=A/.ehr/objects/${id:0:2}/$id
	chmod u+w "$object"
	printf ! | dd of="$object" bs=1 seek=100 conv=notrunc status=none
	rm -rf D
	clone d D
	ehr-sync -C D status | grep -qx "wanted	$id"
	ehr-node -C D peer hospital-b 'ehr-serve -C B'
	silent ehr-sync -C D --pull hospital-b
	run ! grep '^wanted' <(ehr-sync -C D status hospital-b)
	ehr-audit -C D
}

@test "a large record streams through small memory" {
	ready
	head -c 60000000 /dev/urandom >large
	ehr-add -C A -i kun.key -p "$(<bill)" -d large -l imaging large >id
	# The most that either end had, in kilobytes, as the kernel saw it.
	cat >peak.c <<-'END'
	#include <stdio.h>
	#include <sys/resource.h>
	#include <sys/wait.h>
	#include <unistd.h>
	int main(int argc, char **argv) {
		struct rusage u;
		FILE *f;
		int st;
		if (argc < 3) return 2;
		if (fork() == 0) { execvp(argv[2], argv + 2); _exit(127); }
		wait(&st);
		getrusage(RUSAGE_CHILDREN, &u);
		f = fopen(argv[1], "w");
		if (f == NULL) return 4;
		fprintf(f, "%ld\n", u.ru_maxrss);
		fclose(f);
		return WEXITSTATUS(st);
	}
	END
	gcc -o peak peak.c
	ehr-node -C A peer hospital-b './peak served ehr-serve -C B'
	./peak called ehr-sync -C A hospital-b
	ehr-authorize -C B -i bill.key --list | grep -q "$(<id)"
	body=$(find A/.ehr/objects/?? -type f -size +50M)
	cmp "$body" "B/${body#A/}"
	[[ $EHR_BIN == *asan* ]] || {
		[ "$(<served)" -lt 65536 ]
		[ "$(<called)" -lt 65536 ]
	}
}

@test "killed at any moment, either end, nothing is lost" {
	ready
	for i in $(seq 12); do
		stage A "at a $i" >>ids
		stage B "at b $i" >>ids
		ehr-authorize -C A -i bill.key "$(tail -n 2 ids | head -n 1)"
		end=$((i % 2))
		rm -f pid
		ehr-node -C A peer hospital-b \
		    'echo $$ >pid; exec ehr-serve -C B'
		ehr-sync -C A hospital-b 2>/dev/null &
		ours=$!
		sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
		if [ $end -eq 0 ]; then
			kill -KILL $ours 2>/dev/null || true
		elif [ -s pid ]; then
			kill -KILL "$(<pid)" 2>/dev/null || true
		fi
		wait $ours || true
	done
	ehr-node -C A peer hospital-b 'ehr-serve -C B'
	silent ehr-sync -C A
	for d in A B C D; do
		[ "$(staged $d)" -eq 24 ]
		[ "$(waiting $d)" -eq 12 ]
	done
	make
	silent ehr-sync -C A
	for d in A B C D; do
		[ "$(waiting $d)" -eq 0 ]
		ehr-authorize -C $d -i bill.key --list >list
		[ "$(wc -l <list)" -eq 12 ]
		ehr-query -C $d -i kun.key >>list
		while read -r id; do
			grep -q "$id" list
		done <ids
		ehr-audit -C $d
	done
}
