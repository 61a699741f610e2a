# four: four hospitals, A to D, as four directories joined by pipes.  A .bats
# file loads it after lib.
#
# shellcheck shell=bash

# four [OPTION...]: make them, with these options of ehr-init; the
# administrator's key is admin.key.  A passphrase would only cost time here, so
# that who is given pw does not read it.
four() {
	local a b ledger

	pw
	for a in a b c d; do
		ehr-keygen --node -n hospital-$a --no-passphrase -o $a.key
	done
	ehr-keygen -n "Ruth O" -e ruth@example.org --no-passphrase \
	    -o admin.key
	ledger=$(ehr-init -C A --name za-ehr --node-key a.key \
	    --admin admin.key.card --node b.key.card --node c.key.card \
	    --node d.key.card --interval 0 "$@") || return 1
	for a in B C D; do
		ehr-sync clone 'ehr-serve -C A' $a --node-key ${a,}.key \
		    --ledger "$ledger" || return 1
	done
	for a in A B C D; do
		for b in A B C D; do
			[ $a = $b ] || peer $a $b "ehr-serve -C $b" || return 1
		done
	done
}

# peer FROM TO COMMAND: how FROM reaches TO.
peer() {
	ehr-node -C "$1" peer "hospital-${2,}" "$3"
}

# enroll DIR...: one new user, whose transaction waits in these directories.
enroll() {
	local dir user

	user=u$(find . -maxdepth 1 -name 'u*.key' | wc -l)
	ehr-keygen -n "User $user" --no-passphrase -o $user.key
	ehr-user -C "$1" add $user.key.card -i admin.key >/dev/null || return 1
	for dir in "${@:2}"; do
		cp "$1"/.ehr/pending/* "$dir"/.ehr/pending/
	done
}

# doctor_and_patient: Kun M and Bill, of whom A has the enrolment; their ids in
# kun and bill.
doctor_and_patient() {
	ehr-keygen -n 'Kun M' --no-passphrase -o kun.key
	ehr-keygen -n Bill --no-passphrase -o bill.key
	ehr-user -C A add --role doctor kun.key.card -i admin.key >kun
	ehr-user -C A add bill.key.card -i admin.key >bill
}

# handed_on: the others have what waits at A, and its objects, as after a sync.
handed_on() {
	local d

	for d in B C D; do
		cp A/.ehr/pending/* $d/.ehr/pending/
		cp -r A/.ehr/objects/. $d/.ehr/objects/
	done
}

# height DIR: of its last block.
height() {
	local last

	last=$(ehr-block -C "$1" list -n 1) || return 1
	echo "${last%% *}" | grep . || echo 0
}

# grown HEIGHT [DIR...]: is one of these (all) above it?
grown() {
	local want=$1 dir

	shift
	[ $# -gt 0 ] || set -- A B C D
	for dir do
		[ "$(height "$dir")" -le "$want" ] || return 0
	done
	return 1
}

# at HEIGHT [DIR...]: are these (all) there, with the same blocks?
at() {
	local want=$1 dir

	shift
	[ $# -gt 0 ] || set -- A B C D
	for dir do
		[ "$(height "$dir")" = "$want" ] || {
			echo "$dir is at $(height "$dir"), not $want"
			return 1
		}
		ehr-block -C "$dir" list | cmp - <(ehr-block -C "$1" list) ||
		    return 1
	done
}

# All are at one height, and nothing waits for a block.
level() {
	! compgen -G '?/.ehr/pending/*' >/dev/null && at "$(height A)"
}

# speaker HEIGHT: the directory of who speaks there in view 0.
speaker() {
	set -- $(($1 % 4)) A B C D
	shift "$1"
	echo "$2"
}

# reach HEIGHT [DIR...]: each makes its attempt in turn, again and again, until
# all of them are at that height.
reach() {
	local want=$1 dir n=0

	shift
	[ $# -gt 0 ] || set -- A B C D
	while ! at "$want" "$@" >/dev/null; do
		for dir do
			ehr-dbft -C "$dir" --once >>said 2>&1 ||
			    [ $? -eq 75 ] || { cat said; return 1; }
		done
		n=$((n + 1))
		[ $n -lt 60 ] || {
			echo "no block $want"
			cat said
			at "$want" "$@"
			return 1
		}
		[ $n -lt 2 ] || sleep 0.2
	done
}

# three_blocks: all of them have three, with a new user each.
three_blocks() {
	local n

	for n in 1 2 3; do
		enroll A B C D
		reach $n
	done
	at 3
}

# follow DIR...: as services; their pids go to pid.DIR, what they print to
# DIR.out, what they say to DIR.err.
follow() {
	local d

	for d do
		ehr-dbft -C $d --follow >>$d.out 2>>$d.err 3>&- &
		echo $! >pid.$d
	done
}

# unfollow DIR...: they are to stop, in an orderly way.
unfollow() {
	local d

	for d do kill -TERM "$(cat pid.$d)"; done
	for d do until_ok 20 not_running "$(cat pid.$d)" || return 1; done
}

not_running() {
	! kill -0 "$1" 2>/dev/null
}

# What a test has started and stopped is to end with it.
kill_all() {
	local p

	for p in $(cat pid.* stopped 2>/dev/null); do
		kill -CONT "$p" && kill -KILL "$p"
	done 2>/dev/null || true
}

# honest DIR...: no journal holds two votes of one height, view and step.
honest() {
	local dir

	for dir do
		grep -E '^[0-9]+ [^ ]+ (prepare|commit|change-view) ' \
		    "$dir/.ehr/consensus/journal" | cut -d' ' -f1,3,4 | sort |
		    uniq -d | grep . && { echo "$dir has voted twice"; return 1; }
	done
	return 0
}

# What is true whatever happened: no vote twice, one chain, nothing damaged.
same_after_all() {
	local d

	honest A B C D
	for d in A B C D; do
		ehr-sync -C $d
	done
	at "$(height A)"
	for d in A B C D; do
		ehr-audit -C $d >audit 2>&1 || { cat audit; return 1; }
	done
}

# waits DIR N: so many transactions wait there.
waits() {
	[ "$(find "$1/.ehr/pending" -name '*.seg' -exec cat {} + |
	    grep -c '^ehr.v1 .* [0-9a-f]\{64\}$')" -eq "$2" ]
}
