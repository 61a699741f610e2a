#!/usr/bin/env bats
# The simulator of the consensus must be able to fail: it notices each of the
# deliberate bugs of lib/dbft/mutant.h.

load lib

# noticed FROM TO: each of these with either engine.
noticed() {
	cd "$top"
	run t/sim/mutants 3000 "$1" "$2"
	echo "$output"
	[ "$status" -eq 0 ]
}

# lines AT_LEAST: one for each bug and engine.
lines() {
	[ "$(grep -c '^ *[0-9]' <<<"$output")" -ge "$1" ]
}

@test "t/sim notices deliberate bugs of the consensus core, and no other" {
	noticed 0 5
	lines 12
}

@test "and more of them" {
	noticed 6 11
	lines 12
}

@test "and more" {
	noticed 12 16
	lines 10
}

@test "and those that only PBFT can have" {
	noticed 17 99
	lines 4
	last=$(sed -n 's/^	[A-Z_]* = \([0-9]*\),.*/\1/p' lib/dbft/mutant.h |
	    tail -n 1)
	[[ $output == *$'\n'"$last "* ]]
}
