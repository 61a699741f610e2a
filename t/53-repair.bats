# ehr-log-merkle --check, continued: segments, tiles and checkpoints are made
# right again; blocks that a checkpoint knows of are missed; a fork is an alarm;
# and what two of three peers say together is not believed.

load lib
load four
load check
load hours
load bundle

day=2026-03-02
many=${bin%/bin}/t/many

# Made once: four hospitals, three records in a segment, a block that has closed
# the hour, a checkpoint that all have signed.
setup_file() {
	[ -n "$faketime" ] || return 0
	cd "$BATS_FILE_TMPDIR" || return 1
	export HOME=$PWD
	local d

	then_at "$day"T10:00:00Z four
	then_at "$day"T10:05:00Z two_users
	then_at "$day"T10:06:00Z reach 1
	then_at "$day"T10:10:00Z three_records
	then_at "$day"T10:11:00Z ehr-sync -C A
	then_at "$day"T10:12:00Z reach 2
	then_at "$day"T11:00:01Z reach 3
	for d in A B C D; do ehr-sync -C $d; done
	for d in A B C D; do ehr-log-merkle -C $d --roll; done
	for d in A B C D; do ehr-log-merkle -C $d --check; done
	for d in A B C D; do ehr-log-merkle -C $d --check; done
}

two_users() {
	local u

	for u in u0 u1; do ehr-keygen -n "User $u" --no-passphrase -o $u.key; done
	ehr-user -C A add --role doctor u0.key.card -i admin.key
	ehr-user -C A add u1.key.card -i admin.key
	for u in B C D; do cp A/.ehr/pending/* $u/.ehr/pending/; done
}

handle_of() {
	sed -n 's/^name //p' "$1.key.card"
}

three_records() {
	local n

	for n in 1 2 3; do echo "value $n" >f$n; done
	ls f[123] | ehr-add -C A -i u0.key -p "$(handle_of u1)" -d x -l other - |
	    ehr-authorize -C A -i u1.key --to "$(handle_of u0)" -
}

setup() {
	need_hours
	tmp
	cp -a "$BATS_FILE_TMPDIR"/{A,B,C,D,*.key,*.card} .
	# They are copies, and have to find out what they have signed.
	for d in A B C D; do ehr-log-merkle -C $d --renew; done
}

# stored DIR: what a repair must bring back, to the byte.
stored() {
	snapshot "$1/.ehr" | grep -E '^(blocks|logs|tiles/tile)/'
}

# Ways to damage a file: each changes FILE, of which there is a copy in keep.
damage() {
	local size

	size=$(stat -c %s keep)
	case $1 in
	first) flip "$2" 0 ;;
	middle) flip "$2" $((size / 2)) ;;
	last) flip "$2" $((size - 1)) ;;
	cut) truncate -s -1 "$2" ;;
	half) truncate -s $((size / 2)) "$2" ;;
	empty) : >"$2" ;;
	longer) echo >>"$2" ;;
	zeros) head -c "$size" /dev/zero >"$2" ;;
	gone) rm "$2" ;;
	other) cp A/.ehr/genesis "$2" ;;
	esac
}
every="first middle last cut half empty longer zeros gone other"

@test "a segment that is damaged, cut, emptied, removed" {
	local how n=0 seg

	for seg in A/.ehr/objects/seg/*; do
		for how in $every; do
			rm -rf A && cp -a "$BATS_FILE_TMPDIR/A" .
			cp "$seg" keep
			damage $how "$seg"
			checked 10 A || { echo "$how"; return 1; }
			# What it held is here again, and what it was is kept.
			ehr-audit -C A >audit || { echo $how; cat audit; return 1; }
			[ $how = gone ] || [ -n "$(ls A/.ehr/quarantine)" ]
		done
		n=$((n + 1))
	done
	[ $n -ge 1 ]
}

@test "tiles that are damaged, cut, emptied, removed, too many" {
	local how f n=0

	stored A >before
	for f in $(find A/.ehr/tiles/tile -type f); do
		for how in $every; do
			cp "$f" keep
			damage $how "$f"
			checked 10 A || { echo "$f $how"; return 1; }
			[[ $stderr == *"repaired: "*"${f#A/.ehr/}"* ]]
			stored A | diff before -
		done
		n=$((n + 1))
	done
	[ $n -ge 2 ]
	mkdir -p A/.ehr/tiles/tile/3
	cp keep A/.ehr/tiles/tile/3/000
	checked 10 A
	stored A | diff before -
	[ -e A/.ehr/quarantine/000 ]
}

@test "tiles of a tree with whole ones" {
	[ -x "$many" ] || skip "no $many: make units"
	rm -r A
	"$many" 300 A
	ehr-log-merkle -C A --roll
	stored A >before
	grep -q 'tiles/tile/0/000 ' before
	grep -q 'tiles/tile/1/' before
	for f in 0/000 entries/000 1/000.p/1; do
		for how in middle half gone other; do
			cp A/.ehr/tiles/tile/$f keep
			damage $how A/.ehr/tiles/tile/$f
			run --separate-stderr ehr-log-merkle -C A --check
			expect 10 "$f $how"
			stored A | diff before -
		done
	done
	# Of the records of this ledger there is nothing but the names.
	run ehr-audit -C A
	run ! grep -v '^absent objects' <<<"$(grep -E '^(FAILED|absent)' \
	    <<<"$output")"
}

# names FILE: who has signed that checkpoint.
names() {
	sed -n 's/^— \([^ ]*\) .*/\1/p' "$1" | sort -u
}

@test "a checkpoint that is damaged or removed is signed again, by all" {
	local c how

	c=A/.ehr/checkpoints/${day}_10
	[ "$(names "$c" | grep -c hospital)" -eq 4 ]
	head -n 3 $c >head
	for how in $every; do
		cp $c keep
		damage $how $c
		run --separate-stderr ehr-log-merkle -C A --check
		# One that was removed cannot be told from one never made.
		[ $status -eq 10 ] || [ "$how $status" = "gone 0" ] ||
		    { echo "$how $status $stderr"; return 1; }
		[ -e $c ] || ehr-log-merkle -C A --roll
		ehr-log-merkle -C A --check
		head -n 3 $c | cmp head -
		[ "$(names "$c" | grep -c hospital)" -eq 4 ] ||
		    { echo $how; cat $c; return 1; }
		cmp $c A/.ehr/tiles/checkpoint
		ehr-audit -C A >audit || { echo $how; cat audit; return 1; }
		ehr-log-merkle -C B --renew	# they cosign one head again
	done
	# The one that readers of the tiles see is that.
	for how in $every; do
		cp A/.ehr/tiles/checkpoint keep
		damage $how A/.ehr/tiles/checkpoint
		# If it is not there at all, it was not published yet.
		[ $how = gone ] && ehr-log-merkle -C A --roll || checked 10 A
		cmp $c A/.ehr/tiles/checkpoint || { echo $how; return 1; }
	done
}

@test "blocks that only a checkpoint knows of are missed, and come again" {
	stored A >before
	# Also those that it does not count, and that ended its hour.
	for n in 123 23 3; do
		rm A/.ehr/blocks/000000/00000000[$n].gz A/.ehr/state.db*
		checked 10 A
		at 3
		stored A | diff before -
		[ -e A/.ehr/checkpoints/${day}_10 ]
	done
	# Nobody has them: an alarm, and the checkpoint stays, as a proof.
	for d in A B C D; do
		rm $d/.ehr/blocks/000000/00000000[123].gz $d/.ehr/state.db*
	done
	for d in 1 2; do
		checked 12 A
		[[ $stderr == *"alarm: "* ]]
		[ -e A/.ehr/checkpoints/${day}_10 ]
	done
}

@test "a checkpoint under the name of an hour that is not over" {
	cp A/.ehr/checkpoints/${day}_1{0,1}
	stored A >before
	checked 10 A
	[ ! -e A/.ehr/checkpoints/${day}_11 ]
	[ -e A/.ehr/quarantine/${day}_11 ]
	stored A | diff before -
}

# fork: the same four keys have certified another block 4, in the folder other.
fork() {
	mkdir other
	cp -a A B C D *.key *.card other
	then_at "$day"T11:10:00Z enroll A B C D
	then_at "$day"T11:11:00Z reach 4
	(cd other && then_at "$day"T11:20:00Z enroll A B C D &&
	    then_at "$day"T11:21:00Z reach 4)
	! cmp -s {.,other}/A/.ehr/blocks/000000/000000004.gz
}

@test "two certified histories: an alarm each time, and ours stays" {
	local d

	fork
	stored A >before
	contents other/B >other.before
	peer A B 'cd other && ehr-serve -C B'
	checked 12 A
	[[ $stderr == *"alarm: "*"000000004.gz hospital-b has another one, and both"* ]]
	[[ $stderr == *"the ledger has forked"* ]]
	# All of them, outvoting us by far: it is for people to decide.
	for d in C D; do peer A $d "cd other && ehr-serve -C $d"; done
	checked 12 A
	[[ $stderr == *"the ledger has forked"* ]]
	stored A | diff before -
	[ "$(grep -c ' alarm blocks/' A/.ehr/events)" -ge 2 ]
	contents other/B | diff other.before -
}

@test "two peers of three whose logs lie alike: an alarm, ours stays" {
	local d log=.ehr/logs/${day}_10

	stored A >before
	for d in B C; do sed -i '$d' $d/$log; done
	cmp B/$log C/$log
	checked 12 A
	[[ $stderr == *"alarm: "*"${log#.ehr/} 2 of 3 peers have another one"* ]]
	stored A | diff before -
	# Ours is damaged as theirs: it is made from the blocks, not from them.
	cp B/$log A/$log
	run --separate-stderr ehr-log-merkle -C A --check
	expect 12
	[[ $stderr == *"repaired: "*"${log#.ehr/}"* ]]
	stored A | diff before -
}

@test "two peers of three that give other bytes: the third is believed" {
	local o d

	for o in $(cd A && find .ehr/objects -type f); do
		rm A/$o
		for d in B C; do
			[ ! -e $d/$o ] || echo lie >$d/$o
			for s in $d/.ehr/objects/seg/*; do
				[ ! -e "$s" ] || flip "$s" 200
			done
		done
		checked 10 A
		ehr-audit -C A >/dev/null
	done
}
