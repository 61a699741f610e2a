# Whatever bit of whatever file of a ledger is changed, ehr-audit finds it and
# names the file.
#
# By default a sample of the bytes with one bit each; with EHR_LONG every byte,
# with each bit that is set in it (255: all), and with EHR_PART=K/N the part K,
# from 0, of N of that (make test-long).

load lib
load bundle
load hours
load flips

flips=${bin%/bin}/t/flips

setup_file() {
	[ -n "$faketime" ] || return 0
	people
	cd "$BATS_FILE_TMPDIR"
	every_file >made.out 2>&1 || { cat made.out; return 1; }
}

setup() {
	need_hours
	[ -x "$flips" ] || skip "no $flips: make units"
	tmp
	cp -rp "$BATS_FILE_TMPDIR/A" .
}

# every_file: the ledger A with every kind of transaction, and every kind of file
# that a node of it has.
every_file() {
	then_at 2026-03-02T09:10:00Z every_kind
	then_at 2026-03-02T10:10:00Z block A
	ehr-log-merkle -C A --renew
	ehr-log-merkle -C A --roll
	echo "another value" >f
	then_at 2026-03-02T10:20:00Z record bill f
	then_at 2026-03-02T10:21:00Z ehr-node -C A vote
	peers_file A
}

@test "the ledger has every kind of transaction and of file" {
	silent ehr-audit -C A
	! grep -E '^[a-z]+ +0 checked' <<<"$output"
	ehr-audit -C A --format ndjson | jq -r .kind | sort -u >kinds
	sed -n '/^\.Ss enroll/,/^\.Ss Staged/s/^\.Ss \([a-z]\)/\1/p' \
	    "$top/share/man/man5/ehr-tx.5" | sed 's/, /\n/g' | sort >page
	diff page kinds
}

@test "bits of all files" {
	cores=$(nproc)
	part=${EHR_PART:-0/1}
	n=${part#*/}
	[ -n "${EHR_LONG-}" ] || n=$((n * 40))
	for ((i = 0; i < cores; i++)); do
		mkdir $i && cp -rp A $i
		"$flips" $i/A ${EHR_LONG:-0} $((${part%/*} + n * i)) \
		    $((n * cores)) >$i.out 2>&1 3>&- &
		pids[i]=$!
	done
	for ((i = 0; i < cores; i++)); do
		wait "${pids[i]}" || failed=1
		cat $i.out
	done
	[ -z "${failed-}" ]
}

# judged: the files of A that ehr-audit has to judge (ehr-repository(5)).
judged() {
	all . ! -name '*lock' ! -name active ! -name called \
	    ! -name 'checked*' ! -name 'state.db*' | sed 's,^\./,,'
}

# told FILE: what is wrong with it is said; or as much as can be.
told() {
	case $1 in
	objects/seg/*) named "it is not here" ;;
	objects/*) named "${1##*/}" ;;		# by its id
	blocks/*7.gz) named "tells of blocks that are not there" ;;
	checkpoints/*) named "tiles/checkpoint" ;;
	node.key) unchecked "there is no node.key" ;;
	*) named "$1" ;;
	esac
}

# comes_again FILE: it is derived, and is made again, with the same bytes.
comes_again() {
	case $1 in
	logs/* | tiles/*) ehr-log-merkle -C A --roll ;;
	*) false ;;
	esac || return 1
	cmp keep "A/.ehr/$1"
}

@test "each file gone" {
	for f in $(judged); do
		# Nobody can know what waited, or whom one knew.
		case $f in staging/* | pending/* | peers) continue ;; esac
		cp -p A/.ehr/$f keep
		rm A/.ehr/$f
		told $f >why 2>&1 || comes_again $f || { cat why; false; }
		cp -p keep A/.ehr/$f
	done
}

@test "each file cut, longer, empty" {
	for f in $(judged); do
		[ $f = config ] || in_place $f
	done
}

@test "each file in the place of the next one, and under another name" {
	set -- $(judged)
	while [ $# -gt 1 ]; do
		cp -p A/.ehr/$2 keep
		cp A/.ehr/$1 A/.ehr/$2
		# That one of what waits is gone, and another there twice, is
		# nothing that could be known.
		[ ${1%/*} = ${2%/*} ] && [ ${1%/*} = staging ] ||
		    named $2 || named "it is not here"
		cp -p keep A/.ehr/$2
		shift
	done
	for f in $(judged); do
		case $f in
		*/seg/* | staging/* | pending/*) continue ;;
		*/*) to=A/.ehr/${f%/*}/1${f##*/} ;;
		*) to=A/.ehr/1$f ;;
		esac
		cp A/.ehr/$f $to
		named "1${f##*/}"
		rm $to
	done
}
