# A record of a gibibyte goes in and comes out, byte for byte, in a stream.

load lib

setup_file() {
	people
}

# Sanitizers have memory of their own, and time.
case ${EHR_BIN-} in
*/asan/* | */cov/*) size=100M limit=9999999 ;;
*) size=1G limit=65536 ;;
esac

# within COMMAND...: its peak of memory, in KiB, stays under the limit.
within() {
	local pid peak=0 now status=0

	"$@" &
	pid=$!
	while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' \
	    /proc/$pid/status 2>/dev/null) && [ -n "$now" ]; do
		peak=$now
		sleep 0.05
	done
	wait $pid || status=$?
	echo "$1: $peak KiB"
	[ $status -eq 0 ] && [ "$peak" -gt 0 ] && [ "$peak" -lt "$limit" ]
}

@test "a record of 1 GiB, in under 64 MiB of memory" {
	tmp
	ledger1
	# Random bytes here and there, and holes.
	for at in 0 7 99; do
		dd if=/dev/urandom of=large bs=1M count=1 seek=$at \
		    conv=notrunc 2>/dev/null
	done
	truncate -s $size large
	add() {
		exec ehr-add -C A -i "$K/kun.key" -p bill@example.org \
		    -l imaging large >id
	}
	within add
	as bill ehr-authorize "$(cat id)" >/dev/null
	block A
	mkfifo out
	cmp large out &
	pid=$!
	show() { exec ehr-show -C A -i "$K/kun.key" "$(cat id)" >out; }
	within show
	wait $pid
}
