# ehr-dbft with PBFT: all nodes vote, and each tells all others.

load lib
load four
load wires
load killings

setup_file() {
	relay_made
}

teardown() {
	kill_all
}

# told FROM TO KIND: at how many heights FROM has sent TO its vote.
told() {
	cat "wires/$1-$2".* | awk -v kind="$3" -v who="hospital-${1,}" '
	/^ehr\.v1 / { k = $2 }
	/^height / { h = $2 }
	$1 == "—" && $2 == who && k == kind && !seen[h]++ { n++ }
	END { print n + 0 }'
}

@test "all vote, and tell all; each puts its certificates together itself" {
	local a b h n=0

	four --timeout 60000 --engine pbft
	wire
	follow A B C D
	for h in 1 2 3 4 5 6; do
		enroll A
		until_ok 40 at $h >/dev/null
	done
	unfollow A B C D
	cat ?.err
	[ -z "$(cat ?.err)" ]
	# A block is told of by its speaker, if by anybody.
	sort -n ?.out >told
	ehr-block -C A list | cut -d' ' -f1,2 | comm -13 - told | grep . && false
	[ -z "$(uniq -d told)" ] && [ "$(wc -l <told)" -ge 4 ]
	# Who is overtaken by the block does not vote any more.
	for a in A B C D; do
		for b in A B C D; do
			[ $a != $b ] || continue
			[ "$(told $a $b prepare)" -ge 1 ]
			[ "$(told $a $b commit)" -ge 1 ]
			n=$((n + $(told $a $b commit)))
		done
	done
	echo "$n of 72 commits"
	[ $n -ge 48 ]
	# Nobody was shown a certificate of prepares.
	grep -aq '^message commit ' wires/*
	run ! grep -aq '^message prepared ' wires/*
	same_after_all
	truthful
}

@test "one is dead: blocks go on; it comes back, and signs" {
	local d h

	four --timeout 1000 --engine pbft
	for d in A B C; do peer $d D false; done
	follow A B C
	for h in 1 2 3 4 5 6; do
		enroll A
		until_ok 40 at $h A B C >/dev/null
	done
	for d in A B C; do
		peer $d D "ehr-serve -C D"
		kill -HUP "$(<pid.$d)"
	done
	follow D
	until_ok 40 at 6 >/dev/null
	for h in $(seq 7 60); do
		enroll A
		until_ok 40 at $h >/dev/null
		ehr-block -C A show $h | grep -q '^— hospital-d ' && break
	done
	ehr-block -C A show $h | grep -q '^— hospital-d '
	unfollow A B C D
	same_after_all
}

@test "two are dead: no block, and nothing is lost" {
	local d

	four --timeout 500 --engine pbft
	for d in A B; do
		peer $d C false
		peer $d D false
	done
	enroll B
	refused 75 ehr-dbft -C B --once
	[[ $stderr == *"no quorum at height 1"* ]]
	at 0
	for d in A B; do
		peer $d C "ehr-serve -C C"
		peer $d D "ehr-serve -C D"
	done
	reach 1
	honest A B C D
}

@test "in turn: without a service, each has its say when it is its turn" {
	local h

	four --timeout 500 --engine pbft
	silent ehr-dbft -C A --once
	[ -z "$output" ]
	for h in 1 2 3 4; do
		enroll A
		reach $h
	done
	ehr-dbft -C B --local status | grep -x 'engine pbft'
	ehr-dbft -C B --local status | grep '^running no: with pbft'
	ehr-dbft -C B --local --json status | jq -e '.engine == "pbft"'
	same_after_all
}

# To see one run again: KILL_SEED=N make test T=t/34-pbft.bats
@test "100 times somebody is killed: blocks go on, and all are equal" {
	killings 100 --engine pbft
}

@test "a fifth node is admitted and votes, without an election; then removed" {
	local d h ledger

	four --timeout 1000 --engine pbft
	follow A B C D
	enroll A
	until_ok 40 at 1 >/dev/null
	ehr-keygen --node -n hospital-e --no-passphrase -o e.key
	ehr-node -C A admit -i admin.key --passphrase-file pw e.key.card
	until_ok 40 at 2 >/dev/null
	ledger=$(sed -n '1s/.* //p' A/.ehr/consensus/journal)
	ehr-sync clone 'ehr-serve -C A' E --node-key e.key --ledger "$ledger"
	for d in A B C D; do
		peer $d E "ehr-serve -C E"
		peer E $d "ehr-serve -C $d"
		kill -HUP "$(<pid.$d)"
	done
	follow E
	[ "$(ehr-node -C E list | grep -c delegate)" -eq 5 ]
	for h in $(seq 3 60); do
		enroll A
		until_ok 40 at $h A B C D E >/dev/null
		[ $h -lt 7 ] || ! ehr-block -C A show $(seq 3 $h) |
		    grep -q '^— hospital-e ' || break
	done
	ehr-block -C A show $(seq 3 $h) | grep -q '^— hospital-e '
	ehr-block -C A show $(seq 3 $h) | grep -q '^proposer hospital-e'
	# Four of five are a quorum: no block has less.
	ehr-block -C A show $h | grep -c '^— ' | grep '[45]'
	ehr-sync -C E
	ehr-node -C A remove -i admin.key --passphrase-file pw hospital-e
	until_ok 40 at $((h + 1)) >/dev/null
	enroll A
	until_ok 40 at $((h + 2)) >/dev/null
	unfollow A B C D E
	honest E
	ehr-audit -C E >audit 2>&1 || { cat audit; return 1; }
	for d in A B C D; do ehr-node -C $d peer --remove hospital-e; done
	same_after_all
}

@test "what was heard is lost or damaged: it is said again" {
	local d h f

	four --timeout 1000 --engine pbft
	follow A B C D
	for h in 1 2 3 4 5 6 7 8 9; do
		enroll A
		for d in A B C D; do
			f=$d/.ehr/consensus/heard
			case $(((h + $(printf %d "'$d")) % 4)) in
			0) rm -f $f ;;
			1) : >$f ;;
			2) head -c 300000 /dev/urandom >$f ;;
			3) truncate -s -7 $f ;;
			esac
		done
		until_ok 40 at $h >/dev/null
	done
	unfollow A B C D
	[ "$(stat -c %a A/.ehr/consensus/heard)" = 600 ]
	same_after_all
}
