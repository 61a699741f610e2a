#!/bin/sh
# bench/sync.sh: how fast a new node gets the chain from three others, beside
# what verifying its signatures takes alone; and with a delay on each link.
#
#	contrib/bench/sync.sh [-n BLOCKS] [-t TXS] [-d MS] [-r RUNS]
#
# 10000 blocks of 20 transactions and 50 ms each way, three runs, if not given;
# the medians count.  EHR_BIN is the folder of the commands, build/default/bin
# without it.
#
# The new node knows one peer and is told of the others.  It verifies
# everything: each signature of each transaction, each certificate, each rule;
# all is on its disk when it ends.  "alone" is what all cores need to verify
# these signatures and nothing else, measured before and after each run, as the
# mean; "ratio" is that over the time of the sync, which the three peers spend
# on the same cores.  "CPU" is that of all processes, and its ratio the same of
# it.  The transactions are those with the least to verify: one signature.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${EHR_BIN:=${here%/contrib/*}/build/default/bin}"
BENCH=${EHR_BIN%/*}/bench
PATH=$EHR_BIN:$BENCH:$PATH
export PATH
blocks=10000 txs=20 delay=50 runs=3
while getopts n:t:d:r: opt; do
	case $opt in
	n) blocks=$OPTARG ;;
	t) txs=$OPTARG ;;
	d) delay=$OPTARG ;;
	r) runs=$OPTARG ;;
	*) sed -n 's/^#	contrib/usage: contrib/p' "$0" >&2
	    exit 2 ;;
	esac
done
unset EHR_DIR EHR_IDENTITY 2>/dev/null || :
dir=$(mktemp -d "${TMPDIR:-/tmp}/ehr-bench.XXXXXX")
pids= nodes=
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
umask 077
export HOME="$dir" XDG_CONFIG_HOME="$dir/.config"
. "$here/nodes.sh"

now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# used: sets cpu to the seconds that processes have worked which have ended.
# Not in a subshell, which has none.
used() {
	times > times
	cpu=$(awk 'NR == 2 { split($1, u, "[ms]"); split($2, s, "[ms]")
	    print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' times)
}

# hospitals: A has the past, and B and C the same.  D is not there yet.
hospitals() {
	nodes_make 4
	rm -rf D
	chain -a admin.key -n "$blocks" -t "$txs" A A.key B.key C.key D.key
	cp -R A/.ehr/blocks B/.ehr/
	cp -R A/.ehr/blocks C/.ehr/
	for x in A B C; do
		ehr-block -C $x list -n 1 > head
	done
	for x in B C; do
		ehr-node -C A peer "$(node_name $x)" --remove
		printf '[peer "%s"]\n\taddress = %s\n' "$(node_name $x)" $x \
		    >> A/.ehr/config
	done
	sync
	signatures=$(verify A | cut -d' ' -f1)
}

# reach COMMAND: how an address is called.
reach() {
	mkdir -p .config/ehr
	printf '[net]\n\treach = %s\n' "$1" > .config/ehr/config
}

# once NAME COMMAND: a new node, which knows A by this command.
once() {
	verify A > before
	used
	cpu0=$cpu
	start=$(now)
	ehr-sync clone "$2" D --node-key D.key --ledger "$ledger"
	took=$(calc "$(now) - $start" 3)
	used
	cpu=$(calc "$cpu - $cpu0" 3)
	verify A > after
	[ "$(ehr-block -C D list -n 1)" = "$(cat head)" ]
	# To remove it would make the next one wait.
	n=$((n + 1))
	mv D "D$n"
	cat before after | awk -v took="$took" -v cpu="$cpu" '
	    { alone += $2 / 2; work += $3 / 2 }
	    END { print took, alone, alone / took, cpu, work, work / cpu }' \
	    >> "$1"
}

# row NAME: the medians of the runs.
row() {
	printf '%-10s' "$1"
	for f in 1 2 3 4 5 6; do
		cut -d' ' -f$f "$1" | median
	done | xargs printf ' %7.2f %7.2f %6.2f %8.2f %7.2f %6.2f\n'
}

n=0
hospitals
ledger=$(sha256sum < A/.ehr/genesis | cut -c 1-64)
printf '%s blocks of %s transactions, %s on disk; %s signatures\n' \
    "$blocks" "$txs" "$(du -sh A/.ehr/blocks | cut -f1)" "$signatures"
printf '%-10s %7s %7s %6s %8s %7s %6s\n' '' seconds alone ratio CPU alone ratio
for run in $(seq "$runs"); do
	reach 'ehr-serve -C %s'
	once near 'ehr-serve -C A'
	reach "late $delay ehr-serve -C %s"
	once delayed "late $delay ehr-serve -C A"
done
row near
row delayed
calc "$(cut -d' ' -f1 delayed | median) / $(cut -d' ' -f1 near | median)"
echo " times as long with $delay ms each way"
