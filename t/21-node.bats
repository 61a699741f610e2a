# ehr-node: the nodes of a ledger, their votes, and how to reach them.

load lib

setup_file() {
	people
	for n in b c d e; do
		ehr-keygen --node -n "hospital-$n" --no-passphrase -o "$K/$n.key"
	done
}

setup() {
	tmp
	ledger1
}

@test "peers: add, change, list, forget; none of it is on the ledger" {
	silent ehr-node -C A peer
	[ -z "$output" ]
	silent ehr-node -C A peer hospital-b 'ssh ehr@b "ehr-serve" # x; y'
	silent ehr-node -C A peer c-2.x ehr-serve
	silent ehr-node -C A peer
	[ "$output" = $'hospital-b\tssh ehr@b "ehr-serve" # x; y\nc-2.x\tehr-serve' ]
	ehr-node -C A peer --json >json
	jq -es '.[0] == {peer: "hospital-b",
	    command: "ssh ehr@b \"ehr-serve\" # x; y"}' json
	silent ehr-node -C A peer c-2.x 'ehr-serve -C C'
	silent ehr-node -C A peer --remove hospital-b
	silent ehr-node -C A peer
	[ "$output" = $'c-2.x\tehr-serve -C C' ]
	run ! block A
}

@test "peers: the rest of the configuration stays" {
	printf '# by hand\n[user]\n\tidentity = ~/kun.key\n' >>A/.ehr/config
	ehr-node -C A peer hospital-b ehr-serve
	ehr-node -C A peer --remove hospital-b
	grep -q '^# by hand$' A/.ehr/config
	grep -q '^	identity = ~/kun.key$' A/.ehr/config
	silent ehr-node -C A list
}

@test "peers: what is refused" {
	unchanged 1 ehr-node -C A peer --remove nobody
	unchanged 2 ehr-node -C A peer 'No Name' ehr-serve
	unchanged 2 ehr-node -C A peer hospital-b ''
	unchanged 2 ehr-node -C A peer hospital-b $'a\nb'
	unchanged 2 ehr-node -C A peer hospital-b
	unchanged 2 ehr-node -C A peer --remove
	unchanged 2 ehr-node -C A peer --remove hospital-b x
	unchanged 2 ehr-node -C A peer a b c
}

@test "a node comes, votes count, a node goes" {
	silent as ada ehr-node admit "$K/e.key.card"
	[ -z "$output" ]
	silent ehr-node -C A list
	[ "$output" = $'hospital-a\tdelegate' ]
	block A
	silent ehr-node -C A list
	[ "$output" = $'hospital-a\tdelegate\nhospital-e\tdelegate' ]
	ehr-node -C A list --json | jq -es 'length == 2 and
	    .[1] == {node: "hospital-e", status: "delegate"}'
	# It has a seat, and does not answer.
	as ada ehr-node remove hospital-e
	run --separate-stderr ehr-dbft -C A --once
	[ "$status" -eq 75 ]
}

@test "votes decide who has the seats" {
	# Seven nodes and four seats, in a ledger that no block is made of.
	for n in f g; do
		ehr-keygen --node -n "hospital-$n" --no-passphrase -o $n.key
		cp $n.key.card "$K"
	done
	ehr-init -C B --name x --node-key "$K/a.key" --delegates 4 \
	    --admin "$K/ada.key.card" --node "$K/b.key.card" \
	    --node "$K/c.key.card" --node "$K/d.key.card" \
	    --node "$K/e.key.card" --node "$K/f.key.card" \
	    --node "$K/g.key.card" >/dev/null
	ehr-node -C B list >list
	diff list - <<-END
	hospital-a	delegate
	hospital-b	delegate
	hospital-c	delegate
	hospital-d	delegate
	hospital-e	node
	hospital-f	node
	hospital-g	node
	END
	silent ehr-node -C B vote hospital-g hospital-a
	[ -z "$output" ]
	silent ehr-node -C B vote
	refused 1 ehr-node -C B vote hospital-x
	refused 1 ehr-node -C B vote 'No Name'
}

@test "many at once, on stdin" {
	ls "$K"/[de].key.card >list
	silent as ada ehr-node admit - <list
	printf 'hospital-e\0hospital-d\0' >list
	silent as ada ehr-node remove -z - <list
	block A
	ehr-node -C A list >list
	diff list - <<-END
	hospital-a	delegate
	hospital-d	removed
	hospital-e	removed
	END
}

@test "who may not" {
	unchanged 1 as kun ehr-node admit "$K/e.key.card"
	[[ $stderr == *'"manage-system" is missing'* ]]
	unchanged 1 as bill ehr-node remove hospital-a
	unchanged 1 as tim ehr-node admit "$K/e.key.card"
	unchanged 1 as e ehr-node admit "$K/e.key.card"
}

@test "names and keys that are taken, wrong cards, the last node" {
	unchanged 1 as ada ehr-node admit "$K/a.key.card"
	[[ $stderr == *"a.key.card: a node of that name exists" ]]
	unchanged 1 as ada ehr-node admit "$K/kun.key.card"
	[[ $stderr == *"card of a user"* ]]
	head -c 200 "$K/e.key.card" >cut
	unchanged 3 as ada ehr-node admit cut
	sed 's/hospital-e/hospital-x/' "$K/e.key.card" >altered
	run --separate-stderr as ada ehr-node admit altered
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ]
	unchanged 1 as ada ehr-node admit nofile
	unchanged 1 as ada ehr-node remove hospital-a
	[[ $stderr == *"it is the last node" ]]
	unchanged 1 as ada ehr-node remove hospital-x
	[[ $stderr == *"hospital-x: there is no such node" ]]
	# A name is not given out again.
	as ada ehr-node admit "$K/e.key.card"
	as ada ehr-node remove hospital-e
	block A
	ehr-keygen --node -n hospital-e --no-passphrase -o e2.key
	unchanged 1 as ada ehr-node admit e2.key.card
	[[ $stderr == *taken* ]]
	ehr-keygen --node -n hospital-f --no-passphrase -o f.key
	silent as ada ehr-node admit f.key.card
}

@test "a copy without a node key does not vote" {
	mv A/.ehr/node.key .
	unchanged 1 ehr-node -C A vote hospital-a
	cp "$K/kun.key" A/.ehr/node.key
	run --separate-stderr ehr-node -C A vote hospital-a
	[ "$status" -ne 0 ] && [ -z "$output" ]
	head -c 50 node.key >A/.ehr/node.key
	unchanged 3 ehr-node -C A vote hospital-a
	cp node.key A/.ehr/node.key
	chmod 640 A/.ehr/node.key
	unchanged 1 ehr-node -C A vote hospital-a
	chmod 600 A/.ehr/node.key
	silent ehr-node -C A vote hospital-a
}

@test "bad calls, and stdout that cannot be written to" {
	refused 2 ehr-node -C A
	refused 2 ehr-node -C A frob
	refused 2 ehr-node -C A list more
	refused 2 as ada ehr-node admit
	refused 2 as ada ehr-node remove
	refused 2 ehr-node -C A admit "$K/e.key.card"
	full() { ehr-node -C A "$@" >/dev/full; }
	refused 4 full list
	refused 4 full list --json
	ehr-node -C A peer b ehr-serve
	refused 4 full peer
}
