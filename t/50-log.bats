# ehr-log-merkle: the hourly logs.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
}

now() {
	date -u +%Y-%m-%d_%H
}

@test "rolling is silent, twice the same, and a function of the chain" {
	silent ehr-log-merkle -C A --roll
	[ -z "$output" ]
	snapshot A/.ehr/logs >one
	ehr-log-merkle -C A --roll
	snapshot A/.ehr/logs | diff one -
	rm -r A/.ehr/logs/* A/.ehr/state.db*
	ehr-log-merkle -C A --roll
	snapshot A/.ehr/logs | diff one -
}

@test "the open hour grows with its blocks" {
	ehr-log-merkle -C A --roll
	before=$(cat A/.ehr/logs/* | wc -l)
	echo x >f
	record bill f | as bill ehr-authorize - >/dev/null
	block A
	ehr-log-merkle -C A --check
	ehr-log-merkle -C A --roll
	[ "$(cat A/.ehr/logs/* | wc -l)" -gt "$before" ]
	tail -n 1 "$(ls A/.ehr/logs/* | tail -n 1)" | grep -q ' authorize other$'
}

@test "five columns: user author time digest description" {
	ehr-log-merkle -C A --roll
	line=$(grep -h " enroll patient$" A/.ehr/logs/* | head -n 1)
	set -- $line
	[ $# -eq 6 ]
	[[ $2 == "$(handle ada)" ]]
	[[ $4 =~ ^[0-9a-f]{64}$ ]]
	ehr-verify -C A "$4"
}

@test "the root is that of RFC 6962 over the digests" {
	ehr-log-merkle -C A --roll
	hour=$(ls A/.ehr/logs | tail -n 1)
	silent ehr-log-merkle -C A --root "$hour"
	set -- $output
	[ "$1" = "$hour" ]
	# A tree of one leaf can be told by hand: SHA-256 of 0 and the leaf.
	if [ "$2" -eq 1 ]; then
		digest=$(tail -n 1 "A/.ehr/logs/$hour" | cut -d ' ' -f 4)
		[ "$3" = "$( (printf '\0'; xxd -r -p <<<"$digest") |
		    sha256sum | cut -d ' ' -f 1)" ]
	fi
	refused 1 ehr-log-merkle -C A --root 1999-01-01_00
	refused 2 ehr-log-merkle -C A --root yesterday
}

@test "the check names an altered log, and finds nothing to check before a roll" {
	refused 1 ehr-log-merkle -C A --check
	ehr-log-merkle -C A --roll
	silent ehr-log-merkle -C A --check
	log=$(ls A/.ehr/logs/* | tail -n 1)
	sed -i 's/ enroll / enrol1 /' "$log"
	run ehr-log-merkle -C A --check -n
	[ "$status" -eq 1 ]
	[[ $output == *"${log#A/.ehr/}"* ]]
}

@test "rolls at the same time do not disturb each other" {
	for i in 1 2 3 4 5 6; do
		ehr-log-merkle -C A --roll &
		pids+=($!)
	done
	wait "${pids[@]}"
	ehr-log-merkle -C A --check
}

@test "one verb, and only one" {
	refused 2 ehr-log-merkle -C A
	refused 2 ehr-log-merkle -C A --roll --check
}
