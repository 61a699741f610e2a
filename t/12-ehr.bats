# ehr: runs the other commands, and lists them.

load lib

# fake NAME: a command in PATH that says how it was called.
fake() {
	mkdir -p fakes
	printf '#!/bin/sh\nprintf "%%s\\n" "${0##*/}" "$@"\n' >"fakes/$1"
	chmod +x "fakes/$1"
}

@test "a command is run, with its arguments as they are and its status" {
	fake ehr-frobnicate
	export PATH=$PWD/fakes:$PATH
	silent ehr frobnicate -x --y 'a b' '' -- -h
	[ "$output" = "$(printf '%s\n' ehr-frobnicate -x --y 'a b' '' -- -h)" ]
	printf '#!/bin/sh\nexit 75\n' >fakes/ehr-frobnicate
	run ehr frobnicate
	[ "$status" -eq 75 ]
}

@test "options before the command become the command's" {
	fake ehr-frobnicate
	export PATH=$PWD/fakes:$PATH
	silent ehr -C 'some dir' -i k --passphrase-file=p -q frobnicate -x 1
	[ "$output" = "$(printf '%s\n' ehr-frobnicate -C 'some dir' -i k \
	    --passphrase-file=p -q -x 1)" ]
	silent ehr -v -- frobnicate -x
	[ "$output" = "$(printf '%s\n' ehr-frobnicate -v -x)" ]
}

@test "the command beside this ehr comes before one in PATH" {
	fake ehr-keygen
	cp "$(command -v ehr)" "$(command -v ehr-keygen)" .
	mv ehr-keygen ehr-beside
	PATH=$PWD/fakes:$PATH run ehr keygen --version
	[[ $output == "ehr-keygen "[0-9]* ]]
	PATH=$PWD/fakes:/usr/bin:/bin run ./ehr keygen
	[ "$output" = ehr-keygen ]
	PATH=/usr/bin:/bin run ./ehr beside --version
	[[ $output == "ehr-keygen "[0-9]* ]]
	# Through a link it is still beside the real one.
	mkdir links
	ln -s ../ehr links/ehr
	PATH=/usr/bin:/bin run links/ehr beside --version
	[[ $output == "ehr-keygen "[0-9]* ]]
}

@test "an unknown command: status 2, and near names" {
	said() { [ "$stderr" = "ehr: no command $1; see ehr(1)" ]; }
	refused 2 ehr autorize
	said '"autorize"; did you mean authorize'
	refused 2 ehr synch
	said '"synch"; did you mean sync'
	refused 2 ehr lgo-merkle
	said '"lgo-merkle"; did you mean log-merkle'
	refused 2 ehr q
	said '"q"; did you mean query'
	refused 2 ehr se
	said '"se"; did you mean serve'
	refused 2 ehr elephants
	said '"elephants"'
	refused 2 ehr ""
	refused 2 ehr ../bin/ls
	refused 2 ehr -- -x
	refused 2 ehr "$(printf '%0100d' 0)"
	refused 2 ehr $'a\e[31m'
	[[ $stderr != *$'\e'* ]]
}

@test "what cannot be run is status 4" {
	cp "$(command -v ehr)" .
	: >ehr-broken
	refused 4 ./ehr broken
	[[ $stderr == *ehr-broken*"Permission denied"* ]]
}

@test "bad options of its own" {
	refused 2 ehr --frob add
	refused 2 ehr -C
	refused 2 ehr --json
	silent ehr --version
	[[ $output == "ehr "[0-9]* ]]
	silent ehr -h
	[[ $output == "usage: ehr "* ]]
	full() { ehr >/dev/full; }
	refused 4 full
}

@test "alone, it lists every command that there is, once, in a line" {
	silent ehr
	echo "$output" >list
	awk '{ print $1 }' list | sort >listed
	[ -z "$(uniq -d listed)" ]
	for c in "$top"/cmd/ehr-*.c; do
		c=${c##*/ehr-}
		grep -qx "${c%.c}" listed || { echo "no ${c%.c}"; return 1; }
	done
	[ "$(awk 'length > 79 || NF < 3' list | wc -l)" -eq 0 ]
}

@test "help opens the page" {
	fake man
	export PATH=$PWD/fakes:$PATH
	silent ehr help
	[ "$output" = $'man\nehr' ]
	silent ehr help log-merkle
	[ "$output" = $'man\nehr-log-merkle' ]
	refused 2 ehr help -k
	refused 2 ehr help ../x
	mv fakes/man fakes/woman
	refused 4 env PATH="$EHR_BIN" ehr help
}
