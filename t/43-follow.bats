# ehr-sync --follow: connections that are kept.

load lib
load four

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD EHR_PASSPHRASE_FILE=$PWD/pw

	four
	doctor_and_patient
	handed_on
	reach 1
	ehr-query -C A -i kun.key nothing || true
	rm -f A/.ehr/pending/*
}

setup() {
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,pw,bill,*.key,*.card} .
	export EHR_PASSPHRASE_FILE=$PWD/pw
	# Nothing is to come of looking now and then.
	printf '[net]\n\tpoll = 0\n' >>A/.ehr/config
}

teardown() {
	[ ! -s pid ] || end_it
}

# follow_a [OPTION...]: A follows its peers.
follow_a() {
	ehr-sync -C A --follow "$@" 2>said 3>&- &
	echo $! >pid
	until_ok 20 locked || { cat said; return 1; }
}

locked() {
	local by

	[ -e A/.ehr/sync.lock ] && read -r by <A/.ehr/sync.lock && [ "$by" = "$(<pid)" ]
}

end_it() {
	local p

	p=$(<pid)
	kill -TERM "$p" 2>/dev/null || true
	until_ok 20 gone "$p"
	rm -f pid
}

gone() { ! kill -0 "$1" 2>/dev/null; }

staged() {
	find "$1/.ehr/staging" -name '*.seg' -exec cat {} + | grep -aq "$2"
}
all_well() { ! grep -q '^bad' A/.ehr/peers; }
has_said() { grep -q "$1" said; }

@test "what arrives goes to all peers at once, each once" {
	follow_a
	enroll A
	for d in B C D; do
		until_ok 20 waits $d 1
	done
	echo 'a result' >r.txt
	id=$(ehr-add -C A -i kun.key -p "$(<bill)" -d 'a result' \
	    -l laboratory r.txt)
	for d in B C D; do
		until_ok 20 staged $d "$(<bill)"
		until_ok 20 waits $d 2
	done
	enroll A
	for d in B C D; do
		until_ok 20 waits $d 3
	done
	end_it
	[ ! -s said ]
}

@test "what comes from one peer goes to the others; blocks too" {
	mkdir else
	cp -a ?.key [A-D] pw admin.key else
	printf '[net]\n\tpoll = 1\n' >>A/.ehr/config
	for d in B C D; do
		for e in B C D; do
			[ $d = $e ] || ehr-node -C $d peer --remove \
			    hospital-${e,}
		done
		ehr-node -C $d peer --remove hospital-a
	done
	follow_a
	enroll B
	for d in A C D; do
		until_ok 30 waits $d 1
	done
	# A block that another copy of A has given to C.
	(
		cd else
		enroll A B C D
		reach 2
		peer A C "ehr-serve -C ../C"
		ehr-sync -C A --push hospital-c
	)
	until_ok 30 at 2
	end_it
	[ ! -s said ]
}

@test "while it follows, nobody else syncs; it ends in order" {
	follow_a
	refused 75 ehr-sync -C A
	[[ $stderr == *"sync.lock: locked by process $(<pid)" ]]
	p=$(<pid)
	kill -TERM "$p"
	wait "$p"
	rm pid
	silent ehr-sync -C A
}

@test "a peer that is away is called again, and told of once" {
	cat >b <<-'END'
	#!/bin/sh
	[ -e b.up ] || exit 7
	exec ehr-serve -C B
	END
	chmod +x b
	ehr-node -C A peer hospital-b ./b
	follow_a
	until_ok 20 has_said 'hospital-b: no answer'
	enroll A
	until_ok 20 waits C 1
	touch b.up
	until_ok 60 has_said 'hospital-b: it is there again'
	until_ok 20 waits B 1
	end_it
	[ "$(grep -c 'no answer' said)" -eq 1 ]
	[ "$(wc -l <said)" -eq 2 ]
}

@test "one that is silent from the first keeps nothing from the others" {
	ehr-node -C A peer hospital-b 'echo $$ >pid.silent; exec sleep 1000'
	printf '[net]\n\ttimeout = 1000\n' >>A/.ehr/config
	mkdir else
	cp -a ?.key [A-D] pw admin.key else
	# A block that only C has when A begins, and a transaction of D.
	(
		cd else
		ehr-node -C A peer hospital-b "ehr-serve -C B"
		enroll A B C D
		reach 2
		peer A C "ehr-serve -C ../C"
		ehr-sync -C A --push hospital-c
	)
	enroll D
	follow_a
	until_ok 20 test -s pid.silent
	until_ok 60 at 2 A C D
	for d in A C; do
		until_ok 20 waits $d 1
	done
	enroll A
	for d in C D; do
		until_ok 20 waits $d 2
	done
	quiet=$(<pid.silent)
	kill -0 "$quiet"
	[ ! -s said ]
	end_it
	run ! kill -0 "$quiet"
}

@test "a peer that dies is called again" {
	ehr-node -C A peer hospital-b 'echo $$ >pid.b; exec ehr-serve -C B'
	follow_a
	until_ok 20 test -s pid.b
	sleep 0.3
	first=$(<pid.b)
	kill -KILL "$first"
	other() { [ "$(cat pid.b)" != "$first" ]; }
	until_ok 30 other
	enroll A
	until_ok 20 waits B 1
	end_it
}

@test "a peer that has fallen silent is missed" {
	ehr-node -C A peer hospital-b 'echo $$ >pid.b; exec ehr-serve -C B'
	printf '[net]\n\tkeepalive = 1\n\tmisses = 2\n\tforgive = 100\n' >>A/.ehr/config
	follow_a
	until_ok 20 test -s pid.b
	# Asked again and again, who answers is not missed.
	sleep 4
	[ ! -s said ]
	stopped=$(<pid.b)
	kill -STOP "$stopped"
	until_ok 30 has_said 'it has not answered for 2 times 1 s'
	until_ok 20 grep -q '^bad hospital-b .*has not answered' A/.ehr/peers
	kill -CONT "$stopped" 2>/dev/null || true
	until_ok 30 has_said 'hospital-b: it is there again'
	until_ok 20 all_well
	# Begun again, it is called as soon as it is forgiven.
	kill -STOP "$(<pid.b)"
	until_ok 20 grep -q '^bad hospital-b ' A/.ehr/peers
	end_it
	follow_a
	enroll A
	until_ok 60 waits B 1
	end_it
}

@test "who is wrong is left, and gets another chance" {
	cat >b <<-'END'
	#!/bin/sh
	echo >>b.called
	[ -e b.well ] || { printf zzzzzzzz; exec cat >/dev/null; }
	exec ehr-serve -C B
	END
	chmod +x b
	ehr-node -C A peer hospital-b ./b
	printf '[net]\n\tforgive = 3\n' >>A/.ehr/config
	follow_a
	until_ok 20 test -s b.called
	touch b.well
	enroll A
	until_ok 20 waits C 1
	until_ok 30 waits B 1
	end_it
}

@test "who was good at first and is wrong then is remembered" {
	cat >b <<-'END'
	#!/bin/sh
	echo >>b.called
	echo $$ >pid.b
	[ ! -e b.ill ] || { printf zzzzzzzz; exec cat >/dev/null; }
	exec ehr-serve -C B
	END
	chmod +x b
	ehr-node -C A peer hospital-b ./b
	printf '[net]\n\tforgive = 1000\n' >>A/.ehr/config
	follow_a
	enroll A
	until_ok 20 waits B 1
	run ! grep -q '^bad' A/.ehr/peers
	touch b.ill
	kill -KILL "$(<pid.b)"
	until_ok 20 grep -q '^bad hospital-b .*not the protocol' A/.ehr/peers
	# Begun again, it is not called; with nothing remembered, it is.
	rm b.ill b.called
	end_it
	follow_a
	enroll A
	until_ok 20 waits C 2
	[ ! -e b.called ]
	rm A/.ehr/peers
	kill -HUP "$(<pid)"
	until_ok 20 waits B 2
	end_it
}

@test "a signal has it read its configuration again" {
	ehr-node -C A peer --remove hospital-b
	follow_a
	enroll A
	until_ok 20 waits C 1
	run ! waits B 1
	ehr-node -C A peer hospital-b 'ehr-serve -C B'
	kill -HUP "$(<pid)"
	until_ok 30 waits B 1
	end_it
}

@test "what cannot be followed" {
	refused 2 ehr-sync -C A --follow --push
	refused 2 ehr-sync -C A status --follow
	refused 1 ehr-sync -C nowhere --follow
	refused 1 ehr-sync -C A --follow hospital-x
	printf '[net]\n\tmisses = 0\n' >>A/.ehr/config
	refused 3 ehr-sync -C A --follow
	ehr-init -C Z --name other --node-key d.key --admin admin.key.card >id
	refused 1 ehr-sync -C Z --follow
	[[ $stderr == *"no peers"* ]]
}
