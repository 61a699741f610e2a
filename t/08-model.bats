# The model of the consensus, and that it notices a missing rule.

load lib

model=$top/contrib/model

@test "no state of the model breaks agreement or signs twice" {
	need spin gcc
	run "$model/run" safe
	expect 0 run safe
	[ "$(grep -c '^ok' <<<"$output")" -eq 2 ]
}

@test "without any one of its rules the model fails" {
	need spin gcc
	run "$model/run" broken
	expect 0 run broken
	[ "$(grep -c '^ok' <<<"$output")" -eq 12 ]
}

@test "a rule that is not taken away counts as a failure of the run" {
	need spin gcc
	mkdir m
	cp "$model/run" m
	# Nothing in the copy looks at the switch any more.
	sed 's/QUORUM2/IGNORED/' "$model/dbft.pml" >m/dbft.pml
	run m/run broken
	[ "$status" -eq 1 ]
	[[ $output == *"FAIL  2 -DQUORUM2"* ]]
}

@test "each C function that the model names exists" {
	words='(round|change|inner|dbft)_[a-z_]+|(answer|sign|try)_[a-z]+'
	words="$words|proof_ok|propose|join"
	for f in $(grep -owE "$words" "$model/dbft.pml" | sort -u); do
		case $f in change_with) continue ;; esac	# the model's
		grep -qE "^$f\(" "$top"/lib/dbft/*.c ||
		    { echo "no $f in lib/dbft"; return 1; }
	done
}
