# What becomes of votes when a disk is full or fails: a vote is durable and
# repeated, or it was never sent.

load lib
load four
load wires

setup_file() {
	relay_made
}

teardown() {
	local p

	: >stop
	for p in $(cat pid.* ns 2>/dev/null); do
		kill -KILL "$p" 2>/dev/null || true
	done
}

# small SIZE FILE: C's FILE, a folder or not, is on a disk of that size, which
# only commands run with `there` see, and the others' commands for C.
small() {
	local d

	mkdir disk
	unshare -m sh -c "mount -t tmpfs -o size=$1 none disk &&
cp -a $2 disk/it && mount --bind disk/it $2 && : >mounted &&
exec sleep 600" 3>&- &
	echo $! >ns
	until_ok 10 test -e mounted
	for d in A B D; do
		peer $d C "exec $BATS_FILE_TMPDIR/relay wires/$d-C \
nsenter -t $(<ns) -m --wdns=$PWD ehr-serve -C C"
	done
}

there() {
	nsenter -t "$(<ns)" -m --wdns="$PWD" "$@"
}

# fill PAGES: leave no more than so many pages of that disk free.
fill() {
	there sh -c 'dd if=/dev/zero of=disk/fill bs=64k 2>/dev/null
dd if=/dev/zero of=disk/fill bs=4k oflag=append conv=notrunc 2>/dev/null
truncate -s -$(($0 * 4096)) disk/fill' "$1"
}

unfill() {
	there rm disk/fill
}

# unsmall FILE: it is on an ordinary disk again.
unsmall() {
	local d

	there cp -a "$1" back
	kill -KILL "$(<ns)"
	rm -rf ns "$1"
	mv back "$1"
	for d in A B D; do wired $d C; done
}

# service: C's ehr-dbft, which a manager starts again whenever it ends.
service() {
	while [ ! -e stop ]; do
		nsenter -t "$(<ns)" -m --wdns="$PWD" \
		    ehr-dbft -C C --follow >>C.out 2>>C.err &
		echo $! >pid.C
		wait $! || true
		sleep 0.2
	done 3>&-
}

service_ended() {
	kill -TERM "$(<pid.C)" 2>/dev/null || true
	not_running "$(<pid.service)"
}

# signs_after HEIGHT: has C signed a block above it?
signs_after() {
	local h

	for h in $(seq $(($1 + 1)) "$(height A)"); do
		! ehr-block -C A show "$h" | grep -q '^— hospital-c ' || return 0
	done
	return 1
}

# full PAGES: that disk is full for a while, in which the others make blocks and
# C has its turn; then it is not, and C signs again.
full() {
	local h i

	enroll A
	until_ok 20 grown "$(height A)" A B D
	fill "$1"
	for i in 1 2 3 4; do
		h=$(height A)
		enroll A
		until_ok 20 grown $h A B D
	done
	unfill
	h=$(height A)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		enroll A
		until_ok 20 grown $((h + i - 1)) A B D
		! signs_after $h || return 0
	done
	signs_after $h
}

# begin SIZE FILE, end FILE: around the time in which FILE is on a small disk.
begin() {
	unshare -m true 2>/dev/null || skip "no mount namespaces here"
	four --timeout 400
	wire
	small "$@"
	follow A B D
	service &
	echo $! >pid.service
}

end() {
	: >stop
	until_ok 20 service_ended
	unfollow A B D
	unsmall "$1"
	sort C.err | uniq -c
	same_after_all
	truthful
}

@test "the disk is full: what is sent is kept, and then it votes again" {
	local k

	begin 8m C/.ehr
	for k in 0 2 4 8; do full $k; done
	end C/.ehr
	grep -q 'No space left\|disk is full' C.err
}

@test "the journal's disk is full: the same" {
	begin 64k C/.ehr/consensus/journal
	# The last page of the file takes some more votes.
	full 0
	full 0
	full 1
	end C/.ehr/consensus/journal
	grep 'consensus/journal: No space left' C.err
}

# --- calls that fail ----------------------------------------------------------

# traced DIR [FAULT...]: put a command in $cmd that runs what follows it with
# these faults in its calls about the journal, its lock and their folder.
traced() {
	local f d=$1

	shift
	cmd="strace -qq -o trace -P consensus -P $PWD/$d/.ehr/consensus"
	for f in journal lock; do
		cmd+=" -P consensus/$f -P $PWD/$d/.ehr/consensus/$f"
	done
	for f do cmd+=" -e inject=$f"; done
}

# delegate_round [FAULT...]: a speaker tries to make a block, and the calls of a
# delegate, $d, fail in that way.  $made counts the blocks.
delegate_round() {
	local s

	h=$((h + 1))
	s=$(speaker $h)
	d=$(speaker $((h + 1)))
	enroll A B C D
	traced $d "$@"
	peer "$s" "$d" "exec $BATS_FILE_TMPDIR/relay wires/$s-$d $cmd \
ehr-serve -C $d"
	: >trace
	run --separate-stderr ehr-dbft -C "$s" --once
	[ "$status" -eq 75 ] || expect 0
	made=$((made + ${#lines[@]}))
	wired "$s" "$d"
}

# The same for the speaker, $d: it makes a block, or says why not.
speaker_round() {
	h=$((h + 1))
	d=$(speaker $h)
	enroll A B C D
	traced $d "$@"
	: >trace
	run --separate-stderr $cmd ehr-dbft -C $d --once
	[ "$status" -eq 0 ] || [ "$status" -eq 75 ] || {
		expect 4
		[ "${#stderr_lines[@]}" -eq 1 ]
	}
	made=$((made + ${#lines[@]}))
}

# each_call ROUND: every call that ROUND makes for the journal, up to the third
# of a kind, fails once; in $tried is how many.
each_call() {
	local call calls e k n

	"$1"
	reach $h
	sed 's/(.*//' trace | grep -v '^[+-]' | sort | uniq -c >calls
	tried=0 made=0
	while read -r n call; do
		[ "$n" -le 3 ] || n=3
		for k in $(seq "$n") again; do
			e=EIO
			[ $k != again ] || e=EINTR k=1
			"$1" $call:error=$e:when=$k
			! grep -q INJECTED trace || tried=$((tried + 1))
			reach $h
			keep_journals A B C D
		done
	done <calls
	cat calls
	echo "$tried faults, $made blocks"
}

# unsent: since the file mark was made, $d has sent no vote.
unsent() {
	local new

	new=$(find wires -type f -newer mark)
	[ -z "$new" ] || ! wire_votes $new | grep "^hospital-${d,} [a-z-]* $h "
}

strace_works() {
	need strace
	strace -qq -o /dev/null true 2>/dev/null || skip "no ptrace here"
}

@test "each call of a delegate for its journal fails once" {
	local d h=0 made=0 tried

	strace_works
	four --timeout 300
	wire
	each_call delegate_round
	[ "$tried" -gt 20 ] && [ "$made" -gt 20 ]
	same_after_all
	truthful
}

@test "each call of the speaker for its journal fails once" {
	local d h=0 made=0 tried

	strace_works
	four --timeout 300
	wire
	each_call speaker_round
	[ "$tried" -gt 20 ]
	same_after_all
	truthful
}

@test "when such calls go on to fail, no vote leaves" {
	local call d h=0 made=0 round

	strace_works
	four --timeout 300
	wire
	for round in delegate_round speaker_round; do
		for call in openat:error=EIO flock:error=ENOLCK read:error=EIO \
		    pwrite64:error=ENOSPC fdatasync:error=EIO; do
			touch mark
			$round $call:when=1+
			grep -q INJECTED trace
			unsent
			reach $h
		done
	done
	same_after_all
	truthful
}
