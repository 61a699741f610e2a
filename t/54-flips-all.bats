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
