#!/bin/sh
# bench/audit.sh: how fast ehr-audit checks a ledger, beside what verifying its
# signatures takes alone, and beside git on commits that are signed.
#
#	contrib/bench/audit.sh [-q] [-n BLOCKS] [-t TXS] [-c COMMITS] [-r RUNS]
#
# 10000 blocks of 100 transactions, 1000 commits, three runs, if not given; the
# medians count.  -q (quick): 500 blocks, 200 commits, one run.  EHR_BIN is the
# folder of the commands, build/default/bin without it.
#
# "alone" is what all cores need to verify these signatures and nothing else,
# measured before and after each run, as the mean; "ratio" is that over the time
# of the audit.  "CPU" is the time that it worked, and its ratio the same of it.
# MiB is the most memory it had.  The transactions are those with the least to
# verify: one signature.
#
# git signs with an SSH key (Ed25519, too), and runs ssh-keygen for each
# signature that it makes or verifies: so there are fewer commits, and its times
# are per commit.  The commits change nothing, as the ledger has no files
# either; git verify-commit gets all of them in one call.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${EHR_BIN:=${here%/contrib/*}/build/default/bin}"
BENCH=${EHR_BIN%/*}/bench
PATH=$EHR_BIN:$BENCH:$PATH
export PATH
blocks=10000 txs=100 commits=1000 runs=3
while getopts qn:t:c:r: opt; do
	case $opt in
	q) blocks=500 commits=200 runs=1 ;;
	n) blocks=$OPTARG ;;
	t) txs=$OPTARG ;;
	c) commits=$OPTARG ;;
	r) runs=$OPTARG ;;
	*) sed -n 's/^#	contrib/usage: contrib/p' "$0" >&2
	    exit 2 ;;
	esac
done
unset EHR_DIR EHR_IDENTITY 2>/dev/null || :
dir=$(mktemp -d "${TMPDIR:-/tmp}/ehr-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
umask 077
export HOME="$dir" XDG_CONFIG_HOME="$dir/.config" GIT_CONFIG_NOSYSTEM=1
. "$here/nodes.sh"

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# timed FILE COMMAND...: its seconds, those that it worked, and its KiB.
timed() {
	/usr/bin/time -q -f '%e %U %S %M' -o "$@" > out
}

# --- ehr-audit ----------------------------------------------------------------

# once: a run; a line of it to "audit".
once() {
	verify A > before
	timed took ehr-audit -C A
	[ "$(tail -n 1 out)" = clean ]
	verify A > after
	cat took before after | awk '
	    NR == 1 { took = $1; cpu = $2 + $3; kib = $4; next }
	    { alone += $2 / 2; work += $3 / 2 }
	    END { print took, alone, alone / took, cpu, work, work / cpu,
	        kib / 1024 }' >> audit
}

# Its state.db is of no use to an audit, and verify needs it.
nodes_make 4
rm -rf B C D
chain -o -a admin.key -n "$blocks" -t "$txs" A A.key B.key C.key D.key
ehr-block -C A list -n 1 > head
sync
printf '%s blocks of %s transactions, %s on disk; %s signatures; %s cores\n' \
    "$blocks" "$txs" "$(du -sh A/.ehr/blocks | cut -f1)" \
    "$(verify A | cut -d' ' -f1)" "$(nproc)"
printf '%-10s %7s %7s %6s %8s %7s %6s %5s\n' '' seconds alone ratio CPU \
    alone ratio MiB
for run in $(seq "$runs"); do
	once
done
for f in 1 2 3 4 5 6 7; do
	cut -d' ' -f$f audit | median
done | xargs printf '%-10s %7.2f %7.2f %6.2f %8.2f %7.2f %6.2f %5.0f\n' \
    ehr-audit

# --- git ----------------------------------------------------------------------

# per WHAT COUNT FILE: the microseconds of each.
per() {
	awk -v what="$1" -v n="$2" \
	    '{ printf "%-28s %10.1f us\n", what, $1 * 1e6 / n }' "$3"
}

per 'a transaction, ehr-audit' $((blocks * txs)) took
command -v git > /dev/null || { echo 'git is not here'; exit 0; }
ssh-keygen -q -t ed25519 -N '' -C bench -f ssh.key
echo "bench@example.org $(cat ssh.key.pub)" > signers
git init -q G
cd G
git config user.name bench
git config user.email bench@example.org
git config gpg.format ssh
git config user.signingKey ../ssh.key.pub
git config gpg.ssh.allowedSignersFile ../signers
for i in $(seq "$commits"); do
	git commit -q -S --allow-empty -m "$i"
done
git rev-list HEAD > ../ids
[ "$(wc -l < ../ids)" -eq "$commits" ]
timed ../fsck git fsck --full --no-progress
timed ../verify git verify-commit $(cat ../ids) 2> said
[ "$(grep -c '^Good "git" signature' said)" -eq "$commits" ]
cd ..
per 'a commit, git fsck' "$commits" fsck
per 'a commit, git verify-commit' "$commits" verify
paste -d' ' took fsck verify | awk -v txs=$((blocks * txs)) -v n="$commits" '{
	printf "of as many commits, git takes %.0f times as long\n",
	    ($5 + $9) / n / ($1 / txs) }'
