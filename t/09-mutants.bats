#!/usr/bin/env bats
# The simulator of the consensus must be able to fail: it notices each of the
# deliberate bugs of lib/dbft/mutant.h.

BATS_TEST_TIMEOUT=900

load lib

@test "t/sim notices every deliberate bug of the consensus core" {
	cd "$top"
	run t/sim/mutants
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^ *[0-9]' <<<"$output")" -ge 30 ]
}
