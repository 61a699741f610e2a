# check: what ehr-log-merkle --check answered and wrote down.  A .bats file loads
# it after lib.
#
# shellcheck shell=bash

# checked STATUS DIR: the check ends so; and the next one finds nothing.
checked() {
	run --separate-stderr ehr-log-merkle -C "$2" --check
	expect "$1" --check || return 1
	[ "$1" -eq 0 ] || [ "$1" -eq 12 ] ||
	    (silent ehr-log-merkle -C "$2" --check)
}

# events DIR KIND: how many of them were written down.
events() {
	cut -d ' ' -f 2 "$1/.ehr/events" 2>/dev/null | grep -cx "$2"
}
