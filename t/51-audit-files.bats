# What lies in a ledger's directory cannot fool the one who reads the report.
load lib

setup() {
	tmp
	pw
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n 'Ruth O' --passphrase-file pw -o ruth.key
	ehr-init -C A --name za-ehr --node-key a.key --admin ruth.key.card >id
}

@test "a file's name cannot forge a line of the report" {
	mkdir A/.ehr/blocks/000000
	touch A/.ehr/blocks/000000/$'x\nclean\n\e[2J'
	run ehr-audit -C A
	[ "$status" -eq 1 ]
	[ "$(grep -c '^clean$' <<<"$output")" -eq 0 ]
	[[ $output != *$'\e'* ]]
	[[ $output == *'FAILED blocks blocks/000000/x?clean??[2J: is not named'* ]]
	run ehr-audit -C A --json
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == *'x\nclean\n\u001B[2J'* ]]
}

@test "an audit works on what cannot be written, and leaves it as it was" {
	ehr-user -C A list >/dev/null
	unshare --user --map-root-user --mount true 2>/dev/null ||
	    skip "no mount namespaces here"
	find A -printf '%p %s %T@\n' | sort >before
	# shellcheck disable=SC2016
	run unshare --user --map-root-user --mount sh -c '
	    mount --bind A A && mount -o remount,bind,ro A || exit 99
	    exec ehr-audit -C A'
	[ "$status" -ne 99 ] || skip "no read-only mounts here"
	[ "$status" -eq 0 ]
	[[ $output == *'state         1 checked, 0 failed'* ]]
	find A -printf '%p %s %T@\n' | sort | cmp - before
}
