#!/usr/bin/env bats
# What a newcomer is told to type: README's first session, and the demo.

load lib

@test "README's first session works as it is printed" {
	lines=$(awk '/^A first session/ { on = 1 } /^INSTALL tells/ { on = 0 }
	    on && /^\t/' "$top/README")
	[ "$(printf '%s\n' "$lines" | wc -l)" -ge 10 ]
	pw
	mkdir share && cp -R "$top/share/samples" share/
	EHR_PASSPHRASE_FILE=$PWD/pw run sh -e -c "$lines"
	expect 0
	[[ $output == *"penicillin allergy"* ]]
	[[ $output == *clean* ]]
}

# demo SAMPLES: play it; the ledgers go to ./demo.
demo() {
	EHR_SHARED=$1 EHR_DEMO=$PWD/demo run sh -c 'cd "$1" &&
	    sh contrib/demo/run' sh "$top"
	expect 0
	[[ $output == *"All as it should be"* ]]
	[ -d demo/A/.ehr ]
}

@test "the demo plays with its own samples" {
	demo "$PWD/none"
}

@test "the demo plays with the published samples" {
	[ -d "$shared/samples" ] || skip "no samples beside the tree"
	demo "$shared"
}
