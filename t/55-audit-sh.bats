# contrib/audit.sh: stock tools come to the same verdict as ehr-audit, whatever
# is done to a bundle, and name the same files.  What the rules allow it does not
# check, by design: no test here breaks only a rule.
#
# Of what is judged file by file, many are damaged at once, and each must be
# named by both.  With EHR_LONG, each byte of each file is changed, which takes
# hours; EHR_PART=K/N takes each Nth.

load lib
load bundle
load hours

many=${bin%/bin}/t/many
audit_sh=$top/contrib/audit.sh

# A verdict of audit.sh takes a second or two for good.tar, most of it to start
# programs; so what a few transactions can show is done to small.tar.
#
# good.tar: each kind of transaction, three hours, and what waits; the node has
# an RSA key.  small.tar: its first two blocks and two more, the same hours.
# cosigned.tar: two nodes, Ed25519, whose checkpoint both signed.
setup_file() {
	people
	cd "$BATS_FILE_TMPDIR"
	rm "$K"/a.key*
	ehr-keygen --node -n hospital-a -t rsa --no-passphrase -o "$K/a.key"
	at 09:50 every_kind
	at 11:05 block A
	signed_hours
	at 11:07 as ada ehr-user role revoke patient "$(handle tim)"
	ehr-sync -C A bundle create good.tar
	few
	[ ! -x "$many" ] || cosigned
}

at() { then_at "2026-03-02T$1:00Z" "${@:2}"; }

signed_hours() {
	at 11:06 ehr-log-merkle -C A --renew
	at 11:06 ehr-log-merkle -C A --roll
}

few() (
	mkdir few
	cd few
	ledger1
	at 10:50 as ada ehr-user add "$K/tim.key.card" >/dev/null
	at 10:50 block A
	at 11:04 ehr-node -C A vote hospital-a
	at 11:05 block A
	signed_hours
	ehr-sync -C A bundle create ../small.tar
)

cosigned() {
	mkdir two
	cd two
	"$many" 1 A B
	ehr-node -C A peer hospital-b "ehr-serve -C $PWD/B"
	ehr-log-merkle -C A --roll
	ehr-log-merkle -C A --check
	ehr-sync -C A bundle create ../cosigned.tar
}

setup() {
	tmp
	use good
}

# use NAME: work on that bundle, unpacked in u.
use() {
	[ -e "$BATS_FILE_TMPDIR/$1.tar" ] || skip "no $many: make units"
	cp "$BATS_FILE_TMPDIR/$1.tar" good.tar
	again
}

again() { rm -rf u && mkdir u && tar xf good.tar -C u; }

# findings: the class and place of each, once.
findings() {
	sed -nE 's/^(FAILED|absent) staged /\1 staging /
	    s/^(FAILED|absent) ([a-z]+) ([^ ]+): .*/\2 \3/p' | sort -u
}

# judge TAR: both do, and agree whether it is clean; their findings are in ours
# and theirs, the verdict in $clean.
judge() {
	local ours=0 theirs=0

	ehr-audit "$1" >ours.out 2>&1 || ours=$?
	"$audit_sh" "$1" >theirs.out 2>&1 || theirs=$?
	findings <ours.out >ours
	findings <theirs.out >theirs
	case $ours$theirs in 00 | [13][13]) ;; *)
		echo "ehr-audit: $ours, audit.sh: $theirs"
		cat ours.out theirs.out
		return 1 ;;
	esac
	clean=$((ours == 0))
}

# broken [TAR]: neither calls it clean, and they have a class in common, if they
# got so far; without TAR it is what lies in u.  Then u is as it was.
broken() {
	[ $# -gt 0 ] || pack u good.tar >bad.tar
	judge "${1:-bad.tar}" || return 1
	[ $clean = 0 ] || { echo "clean to both"; return 1; }
	[ ! -s ours ] || [ ! -s theirs ] || grep -q . <(comm -12 \
	    <(cut -d ' ' -f 1 ours | sort -u) \
	    <(cut -d ' ' -f 1 theirs | sort -u)) ||
	    { cat ours.out theirs.out; return 1; }
	again
}

# same FILE...: both find the same in u: in these files, and what may follow from
# it, objects that are absent.
same() {
	pack u good.tar >bad.tar
	judge bad.tar || return 1
	diff ours theirs || { cat ours.out theirs.out; return 1; }
	printf '%s\n' "$@" | sed '/^$/d' | sort -u |
	    diff - <(cut -d ' ' -f 2 ours | grep -vxE '[0-9a-f]{64}' | sort -u) ||
	    return 1
	again
}

# apart FOLDER...: the files of u in these that are judged one by one.
apart() { (cd u && find "$@" -type f | sort); }

# each COMMAND...: to each such file; all of them are found, and the copy of the
# checkpoint, which then is none.
each() {
	local f list

	list=$(apart objects logs tiles/tile checkpoints staging pending)
	for f in $list; do "$@" "u/$f" || return 1; done
	same $list tiles/checkpoint
}

# bit N FILE: one bit, of another byte for each N.
bit() {
	local size

	size=$(stat -c %s "$2")
	flip "$2" $(($1 % size)) $((1 << $1 % 8))
}

# For sed: change bits of base64, before "==", that say nothing.
spare='s/A==$/B==/;s/Q==$/R==/;s/g==$/h==/;s/w==$/x==/'

@test "it has 200 lines at most, and a shell without extras runs it" {
	[ "$(wc -l <"$audit_sh")" -le 200 ]
	pack u good.tar >again.tar
	judge again.tar
	[ $clean = 1 ]
	ehr-audit --json good.tar | tail -n 1 >json
	for sh in dash bash; do
		need $sh
		silent $sh "$audit_sh" good.tar
		[ "${lines[-1]}" = clean ]
		grep -qx "head $(jq -r '"\(.height) \(.head)"' json)" \
		    <<<"$output"
	done
	for k in enroll rekey role-define role-grant role-revoke role-key \
	    node-admit node-remove vote authorize reject grant withdraw access \
	    erase; do
		zcat u/blocks/*/*.gz | grep -aq "^ehr.v1 $k " || { echo $k; false; }
	done
}

@test "no bundle, and one that is not whole" {
	echo x >none
	broken none
	ehr-sync -C "$BATS_FILE_TMPDIR/A" bundle create --since 2 new.tar
	broken new.tar
	run "$audit_sh"
	[ "$status" -eq 2 ]
}

@test "blocks: altered, cut, longer, dropped, swapped, doubled, left over" {
	b=u/blocks/000000/00000000
	for n in 1 2 3 4 5 6 7; do
		bit $((n * 79 - 60)) ${b}$n.gz
		broken
	done
	use small
	truncate -s -1 ${b}2.gz && broken
	echo >>${b}2.gz && broken
	rm ${b}3.gz && broken
	rm ${b}4.gz && broken
	mv ${b}2.gz x && mv ${b}3.gz ${b}2.gz && mv x ${b}3.gz && broken
	cp ${b}2.gz ${b}3.gz && broken
	cp ${b}4.gz ${b}5.gz && broken
	cp ${b}4.gz u/blocks/000000/x && broken
}

@test "blocks whose frame is right, and whose text was altered" {
	use small
	b=u/blocks/000000/000000001.gz
	zcat $b >text
	framed $b <text
	zcat $b | cmp - text
	pack u good.tar >bad.tar
	judge bad.tar
	[ $clean = 1 ]
	sig=$(grep -abo '^— ' text | head -n 1 | cut -d : -f 1)
	for n in 30 $((sig - 80)) $((sig + 40)) $((sig + 700)); do
		cp text other
		flip other $n $((1 << n % 4))
		framed $b <other
		broken
	done
	# Bits that base64 has no use for.
	sed "/^— hospital-a /{$spare}" text >other
	framed $b <other
	broken
}

@test "files that are judged one by one: bits" {
	for n in 3 150 301; do each bit $n; done
}

@test "files that are judged one by one: cut, longer, empty" {
	each truncate -s -1
	each sh -c 'echo >>"$1"' -
	each truncate -s 0
}

@test "files that are judged one by one: gone, swapped, doubled" {
	set -- $(apart objects)
	for f; do rm "u/$f"; done
	pack u good.tar >bad.tar
	judge bad.tar
	diff ours theirs
	[ "$(wc -l <ours)" -gt 10 ]
	again
	for d in objects/[0-9a-f] logs tiles/tile; do
		set -- $(apart logs tiles/tile objects | grep "^$d")
		mv "u/$1" x && mv "u/$2" "u/$1" && mv x "u/$2"
	done
	mv u/staging/* x && mv u/pending/* u/staging/y.seg && mv x u/pending/x.seg
	cp u/logs/2026-03-02_09 u/logs/1999-01-01_00
	cp u/checkpoints/2026-03-02_10 u/checkpoints/2026-03-02_09
	cp u/tiles/tile/0/000.p/* u/tiles/tile/0/000.p/3
	cp u/tiles/tile/0/000.p/21 u/tiles/tile/0/001
	pack u good.tar >bad.tar
	judge bad.tar
	diff ours theirs
	[ "$(wc -l <ours)" -gt 9 ]
	again
	for d in objects/seg staging; do
		mkdir u/$d/a && cp u/$d/*.seg u/$d/a && broken
	done
}

@test "what need not be there, and what must: logs, tiles, checkpoints" {
	use small
	# The newest log can be an old one, whose hour went on.
	sed -i '$d' u/logs/2026-03-02_11
	same
	# Then the tiles of what came before must be here still.
	rm u/logs/2026-03-02_11
	same
	rm u/logs/2026-03-02_1?
	same
	rm u/logs/2026-03-02_10
	same logs/2026-03-02_10
	rm -r u/logs
	same
	rm -r u/tiles/tile
	same
	rm -r u/tiles/tile/0
	same tiles/tile/0/000.p/6
	rm u/checkpoints/*
	same tiles/checkpoint
	rm u/tiles/checkpoint
	same
}

@test "what waits, signed by somebody who is not its author" {
	f=$(echo u/pending/*)
	sed '1,2d;/^$/,$d' $f | ehr-sign -i "$K/kun.key" >note
	mkdir -p x/.ehr/pending && wait_in x pending note
	mv x/.ehr/pending/* $f
	same ${f#u/}
	grep -q "pending/.*: an item is not signed" theirs.out
}

@test "the genesis, and what the bundle says of itself" {
	use small
	flip u/genesis 40 && broken
	for at in 10 70 78 86 95 110; do
		flip u/bundle $at && broken
	done
	truncate -s -1 u/bundle && broken
	echo >>u/genesis && broken
}

@test "the tar: bits anywhere, cut, longer, out of order, a name twice" {
	use small
	size=$(stat -c %s good.tar)
	for at in 5 148 1100 $((size / 2)) $((size - 1530)) $((size - 700)); do
		cp good.tar bad.tar
		flip bad.tar $at $((1 << (at % 8)))
		broken bad.tar
	done
	head -c -512 good.tar >bad.tar && broken bad.tar
	(cat good.tar; printf '\0') >bad.tar && broken bad.tar
	# Entries out of order, twice, and that no bundle has, with a right end.
	for list in "bundle genesis logs blocks" "genesis bundle blocks" \
	    "bundle genesis blocks blocks" "bundle genesis blocks x"; do
		echo x >u/x
		(cd u && tar cf - -b 1 --format=ustar $list) |
		    head -c -1024 >bad.tar
		seal bad.tar good.tar
		broken bad.tar
	done
}

@test "checkpoints: the ledger's signatures and cosignatures" {
	use cosigned
	c=checkpoints/2026-03-02_09
	same				# but for objects, which it has none of
	[ "$(grep -c '^— hospital' u/$c)" -eq 2 ]
	# edit SED PLACE...: the checkpoint and its copy; then only these are found.
	edit() {
		sed -i "$1" u/$c
		cp u/$c u/tiles/checkpoint
		same "${@:2}"
	}
	ledger='[0-9a-f]\{64\}'
	# Nobody's line, and one under another name, even that of a node.
	edit '$s/hospital-b/hospital-x/' $c
	edit '$s/hospital-b/hospital-a/' $c
	edit "s/^— hospital-a/— $(head -n 1 u/$c)/" $c
	edit "s/^— $ledger/— hospital-a/" $c
	# Bits: of the key id, the time, the signature; and those of no use.
	edit '$s/b ./b Z/' $c
	edit '$s/b \(.\{9\}\)./b \1B/' $c
	flip u/$c $(($(stat -c %s u/$c) - 20)) && edit '' $c
	edit "/hospital-a/{$spare}" $c
	edit "/^— $ledger /s/=\$/==/" $c
	# Twice the same line says nothing more; a line can lack, but not all.
	edit '$p'
	edit '$d'
	edit "/^— $ledger /d"
	edit '/^— /d' $c
	# Another head.
	edit '2s/.*/5/' $c
	edit '1s/^./z/' $c
	edit '3a x' $c
}

@test "tiles: whole ones, and the tree above them" {
	[ -x "$many" ] || skip "no $many: make units"
	"$many" 260 A
	ehr-log-merkle -C A --roll
	ehr-sync -C A bundle create good.tar
	again
	for n in 0/000 0/001.p/4 1/000.p/1 entries/000 entries/001.p/4; do
		bit 4001 u/tiles/tile/$n
	done
	t=u/tiles/tile
	mkdir $t/1/001.p $t/entries/000.p $t/0/000.p $t/2
	head -c 64 $t/0/000 >$t/0/000.p/2
	bit 5 $t/0/000.p/2			# a part of a whole one: wrong
	head -c 3400 $t/entries/000 >$t/entries/000.p/100	# right
	cp $t/0/000 $t/0/000.p/256		# no such part
	cp $t/0/001.p/4 $t/0/001.p/5		# more than there is
	cp $t/1/000.p/1 $t/1/001.p/1
	cp $t/1/000.p/1 $t/2/000
	rm $t/entries/001.p/4
	pack u good.tar >bad.tar
	judge bad.tar
	diff ours theirs
	[ "$(grep -c ^tiles ours)" -eq 10 ]
}

# bytes K N: do they agree on one bit of each Nth byte from K on?  Of blocks, one
# at a time; of what is judged file by file, of all at once.
bytes() {
	local f n size most=0

	for f in $(apart blocks genesis bundle); do
		size=$(stat -c %s "u/$f")
		for ((n = $1; n < size; n += $2)); do
			bit $n "u/$f"
			broken || { echo "byte $n of $f"; return 1; }
		done
	done
	for f in $(apart objects logs tiles checkpoints staging pending); do
		size=$(stat -c %s "u/$f")
		[ "$size" -le $most ] || most=$size
	done
	for ((n = $1; n < most; n += $2)); do
		each bit $n || { echo "byte $n of all"; return 1; }
	done
}

@test "each byte of each file" {
	[ -n "${EHR_LONG-}" ] || skip "EHR_LONG is not set"
	part=${EHR_PART:-0/1}
	cores=$(nproc)
	pids=
	for ((i = 0; i < cores; i++)); do
		mkdir w$i
		(
			cd w$i
			cp ../good.tar .
			again
			bytes $((${part%/*} + ${part#*/} * i)) \
			    $((${part#*/} * cores))
		) >$i.out 2>&1 3>&- &
		pids="$pids $!"
	done
	failed=0
	for p in $pids; do wait $p || failed=1; done
	[ $failed = 0 ] || { tail -n 50 ./*.out; false; }
}
