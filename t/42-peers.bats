# ehr-sync over several peers: learned from one, compared, left when they are
# bad, and remembered.

load lib
load four

# Made once: four hospitals with three blocks, each reached by its directory.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD EHR_PASSPHRASE_FILE=$PWD/pw

	four
	three_blocks
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,pw,*.key,*.card} .
	export EHR_PASSPHRASE_FILE=$PWD/pw
	ledger=$(sed -n 's/^	id = //p' A/.ehr/config)
	mkdir -p "$HOME/.config/ehr"
	printf '[net]\n\treach = ehr-serve -C %%s\n' >"$HOME/.config/ehr/config"
}

# told DIR NAME ADDRESS: what DIR tells others of that node.
told() {
	printf '[peer "%s"]\n\taddress = %s\n' "$2" "$3" >>"$1/.ehr/config"
}

# as_d DIR: a copy without blocks that is hospital-d and knows only A.
as_d() {
	silent ehr-sync clone 'ehr-serve -C A' "$1" --node-key d.key \
	    --ledger "$ledger"
}

@test "from one peer a newcomer learns the others, and fetches from all" {
	told A hospital-b B
	told A hospital-c C
	told A hospital-d D
	rm -rf D
	run --separate-stderr ehr-sync clone -v 'ehr-serve -C A' D \
	    --node-key d.key --ledger "$ledger"
	expect 0
	[[ $stderr == *"hospital-a: pulled "* ]]
	[[ $stderr == *"hospital-b: pulled "* ]]
	[[ $stderr == *"hospital-c: pulled "* ]]
	[[ $stderr != *"hospital-d: pulled "* ]]
	at 3 A D
	sed '1d;$d' D/.ehr/peers >peers
	printf 'address %s\n' 'hospital-b B' 'hospital-c C' | cmp - peers
	# They are peers from now on, also of those who ask it.
	silent ehr-sync -C D status
	[ "$(grep -c '^hospital-[abc]	3	' <<<"$output")" -eq 3 ]
	silent ehr-sync clone 'ehr-serve -C D' X
	sed 1d X/.ehr/peers | grep -qx 'address hospital-c C'
	enroll D
	silent ehr-sync -C D
	[ "$(find C/.ehr/pending -name '*.seg' | wc -l)" -eq 1 ]
}

@test "addresses that nobody may be called by are not" {
	told A hospital-b '$(touch pwned)'
	told A hospital-c '-oProxyCommand=touch pwned'
	told A hospital-e C
	rm -rf D
	as_d D
	[ ! -e pwned ]
	# hospital-e is no node; nothing is kept of it.
	run ! grep -q hospital D/.ehr/peers
	at 3 A D
}

@test "where an address leads to another node, it is not kept" {
	told A hospital-b C
	rm -rf D
	run --separate-stderr ehr-sync clone 'ehr-serve -C A' D \
	    --node-key d.key --ledger "$ledger"
	expect 0
	[[ $stderr == *"hospital-b: its command reaches hospital-c"* ]]
	run ! grep -q hospital-b D/.ehr/peers
	at 3 A D
}

@test "nobody is called who is not in the configuration, if that is wanted" {
	told A hospital-b B
	printf '[net]\n\treach = ""\n' >"$HOME/.config/ehr/config"
	rm -rf D
	as_d D
	silent ehr-sync -C D status
	[ "$(grep -c '^hospital' <<<"$output")" -eq 2 ]
	printf '[net]\n\treach = ehr-serve\n' >"$HOME/.config/ehr/config"
	refused 3 ehr-sync -C D
	[[ $stderr == *"net.reach has no %s"* ]]
}

@test "who is wrong is left, remembered for a while, and forgiven" {
	# B's block 3 is another file's, with a name of its own.
	cp B/.ehr/blocks/000000/000000002.gz B/.ehr/blocks/000000/000000003.gz
	rm -rf X
	silent ehr-sync clone 'ehr-serve -C A' X --ledger "$ledger"
	rm -rf X/.ehr/blocks/* X/.ehr/state.db*
	# C comes when B was asked for headers.
	ehr-node -C X peer --remove hospital-a
	ehr-node -C X peer hospital-b 'ehr-serve -v -C B 2>said'
	ehr-node -C X peer hospital-c 'until grep -q headers said; do '\
'sleep 0.1; done; exec ehr-serve -C C'
	run --separate-stderr ehr-sync -C X --pull
	expect 3
	[[ $stderr == *"hospital-b: header 2 came for header 3" ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	at 3 A X
	grep -q '^bad hospital-b 20.*T.*Z hospital-b: ' X/.ehr/peers
	# It is not asked; and it is when it is named.
	ehr-node -C X peer hospital-c 'ehr-serve -C C'
	rm -rf X/.ehr/blocks/* X/.ehr/state.db*
	silent ehr-sync -C X --pull
	at 3 A X
	rm -rf X/.ehr/blocks/* X/.ehr/state.db*
	run --separate-stderr ehr-sync -C X --pull hospital-b
	expect 3
	# And when there is nobody else.
	ehr-node -C X peer --remove hospital-c
	run --separate-stderr ehr-sync -C X --pull
	expect 3
	# Put right, it is no longer bad once it was asked.
	cp A/.ehr/blocks/000000/000000003.gz B/.ehr/blocks/000000/
	silent ehr-sync -C X --pull
	run ! grep -q '^bad' X/.ehr/peers
	at 3 A X
}

@test "a peer that is silent costs its time-out, not the others theirs" {
	ehr-node -C D peer hospital-b 'cat >/dev/null'
	ehr-node -C D peer hospital-c 'sleep 100'
	printf '[net]\n\ttimeout = 2\n' >>D/.ehr/config
	enroll A B C
	reach 4 A B C
	start=$SECONDS
	run --separate-stderr ehr-sync -C D
	expect 0
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ $stderr == *"hospital-b: it does not answer"* ]]
	[[ $stderr == *"hospital-c: it does not answer"* ]]
	at 4 A D
	[ $((SECONDS - start)) -lt 60 ]
	grep -q '^bad hospital-c ' D/.ehr/peers
	# For a while it is not asked.
	silent ehr-sync -C D
}

@test "while one is silent, the others get what there is for them, and from it" {
	# C says nothing until A has what D had.
	ehr-node -C D peer hospital-c 'until find A/.ehr/pending -name '\
'"*.seg" | grep -q .; do sleep 0.1; done; exec ehr-serve -C C'
	printf '[net]\n\ttimeout = 12\n' >>D/.ehr/config
	enroll D
	enroll C
	silent ehr-sync -C D
	# What it had reaches those who had their turn.
	for d in A B C D; do
		waits $d 2
	done
}

@test "peers that are behind, and one that is ahead" {
	cp -a D old
	enroll A B C
	reach 4 A B C
	rm -rf X
	silent ehr-sync clone 'ehr-serve -C old' X --ledger "$ledger"
	at 3 old X
	ehr-node -C X peer hospital-a 'ehr-serve -C A'
	silent ehr-sync -C X --pull
	at 4 A X
}

@test "a peer whose head is another block than the certified one" {
	cat >liar <<-'END'
	#!/bin/bash
	ehr-serve -C B | {
		read -r version one ledger height head rest
		echo "$version $one $ledger $height $1 $rest"
		cat
	}
	END
	chmod +x liar
	wrong=$(printf '%064d' 7)
	rm -rf X
	silent ehr-sync clone 'ehr-serve -C A' X --ledger "$ledger"
	rm -rf X/.ehr/blocks/* X/.ehr/state.db*
	ehr-node -C X peer hospital-b "./liar $wrong"
	run --separate-stderr ehr-sync -C X --pull
	expect 3
	[[ $stderr == *"hospital-b: its block 3 is another one than the certified"* ]]
	at 3 A X
	# Also when nothing is missing here.
	run --separate-stderr ehr-sync -C X --pull hospital-b
	expect 3
	[[ $stderr == *"hospital-b: its block 3 is another one than ours"* ]]
}
