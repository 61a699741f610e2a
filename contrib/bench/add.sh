#!/bin/sh
# bench/add.sh: ehr-add of many small files, each its own record, named on
# standard input, beside borg create and restic backup of the same files, and
# beside what the machine's own signatures and key agreements allow.
#
#	EHR_BIN=... contrib/bench/add.sh [FILES [RUNS]]
#
# Prints one line a run and the medians.  Rates are files per second.
set -eu

files=${1:-10000} runs=${2:-5}
PATH=$EHR_BIN:$PATH
export PATH
unset EHR_DIR EHR_IDENTITY 2>/dev/null || :
dir=$(mktemp -d "${TMPDIR:-/tmp}/ehr-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
umask 077
export HOME="$dir" BORG_PASSPHRASE=bench RESTIC_PASSWORD=bench \
    BORG_RELOCATED_REPO_ACCESS_IS_OK=yes

now() { date +%s%N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# How many of something fit into the time since $1 (nanoseconds).
rate() { awk -v n="$2" -v t="$(($(now) - $1))" 'BEGIN { printf "%.0f", n * 1e9 / t }'; }

# One signature and, for two recipients, four X25519 operations, on all cores.
limit() {
	openssl speed -seconds 1 -multi "$(nproc)" ed25519 ecdhx25519 \
	    2>/dev/null | awk '
	/X25519/ { dh = $NF }
	/Ed25519/ { sign = $(NF - 1) }
	END { printf "%.0f", 1 / (1 / sign + 4 / dh) }'
}

mkdir in
i=0
while [ $i -lt "$files" ]; do
	head -c 1024 /dev/urandom > "in/file-$i"
	i=$((i + 1))
done
ls -d in/* > names

ehr-keygen --node -n bench --no-passphrase -o node.key
for who in admin doctor patient; do
	ehr-keygen -n "$who" -e "$who@example.org" --no-passphrase -o $who.key
done
ehr-init -C L --name bench --node-key node.key --admin admin.key.card \
    --interval 0 > ledger
ehr-user -C L add --role doctor doctor.key.card -i admin.key > handles
ehr-user -C L add patient.key.card -i admin.key >> handles
ehr-dbft -C L --once > block
cp -R L L.clean

have() { command -v "$1" > /dev/null; }
: > t.ehr; : > t.borg; : > t.restic; : > t.limit
printf '%s files of 1 KiB, %s cores; files per second\n' "$files" "$(nproc)"
printf 'run\tehr-add\tborg\trestic\tlimit\tehr-add/limit\n'
run=1
while [ $run -le "$runs" ]; do
	rm -rf L; cp -R L.clean L; sync
	t=$(now)
	ehr-add -C L -i doctor.key -p patient@example.org -d bench \
	    -l laboratory - < names > ids
	ehr=$(rate "$t" "$files")
	[ "$(wc -l < ids)" -eq "$files" ]
	borg=- restic=-
	if have borg; then
		rm -rf B; borg init -e repokey B 2>/dev/null; sync
		t=$(now); borg create B::a in; borg=$(rate "$t" "$files")
		echo "$borg" >> t.borg
	fi
	if have restic; then
		rm -rf R; restic -q init -r R; sync
		t=$(now); restic -q backup -r R in; restic=$(rate "$t" "$files")
		echo "$restic" >> t.restic
	fi
	limit=$(limit)
	echo "$ehr" >> t.ehr
	echo "$limit" >> t.limit
	awk -v e="$ehr" -v l="$limit" 'BEGIN { print e / l }' >> t.ratio
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' $run "$ehr" "$borg" "$restic" \
	    "$limit" "$(tail -n 1 t.ratio)"
	run=$((run + 1))
done
printf 'median\t%s\t%s\t%s\t%s\t%s\n' "$(median < t.ehr)" \
    "$(median < t.borg)" "$(median < t.restic)" "$(median < t.limit)" \
    "$(median < t.ratio)"
