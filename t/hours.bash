# hours: commands that run at a time which the test sets, so that it can have
# hours of its own.  A .bats file loads it after lib.
#
# shellcheck shell=bash

# The library that sets the clock of one process, or nothing.
case $EHR_BIN in
*/asan/*) faketime= ;;	# both must come first
*) faketime=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' | head -n 1) ;;
esac

# need_hours: skip, in setup, where there is none.
need_hours() {
	[ -n "$faketime" ] || skip "no clock can be set here for one process"
}

# then_at TIME COMMAND...: its clock, and that of all that it starts, begins at
# TIME, YYYY-MM-DDTHH:MM:SSZ.  Files keep their own times.
then_at() {
	local -x LD_PRELOAD=$faketime FAKETIME_FMT=%s FAKETIME
	local -x FAKETIME_DONT_FAKE_MONOTONIC=1

	FAKETIME=@$(env -u LD_PRELOAD date -d "$1" +%s)
	"${@:2}"
}
