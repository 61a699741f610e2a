#!/bin/sh
# bench/dbft.sh: how fast the delegates of a ledger agree, as processes on
# pipes on this machine.
#
#	contrib/bench/dbft.sh [-q] [-e ENGINE] [-n NODES] [-r RUNS] [TABLE...]
#
# Tables: throughput latency saturation dead restart; all of them without
# arguments.  -q (quick): fewer rows and runs.  -e: dbft, pbft; both without
# it.  -n: 4, 6 or 8 nodes, or several of these ("4 8").  -r: how often a row is
# run; its median counts.  EHR_BIN is the folder of the commands,
# build/default/bin without it.
#
#   throughput	the dissertation's table 6-1: 500, 1000 and 2000 transactions
#		at once, for 4, 6 and 8 delegates
#   latency	its table 6-2: 50 to 200 transactions a second; from when
#		the pool of a node has acknowledged a transaction (it is durable
#		there) until it is in a block at that node
#   saturation	as many as are taken, for longer
#   dead	50 blocks with all delegates, with one dead, and with one that
#		is stopped while its pipes stay open
#   restart	a delegate that was away after 10,000 blocks, until it votes
#
# Of the dissertation's figures, 161 transactions per second and 0.16 s at 4
# nodes are known; "-" stands for the others.  factor is how much better ours
# is than these.
#
# limit is what verifying signatures allows, as measured just before and after:
# verifications per second on all cores, divided by the delegates on them and
# the two signatures of a transaction.  Throughput is from the first
# submission, whose verification is part of it, until the last one is final at
# all nodes.  fsync, msg and KiB are per block: fsyncs of all nodes, and the
# messages between them.  MiB is the largest process, and all of them together;
# CPU is that of the nodes, 100 % is one core.
set -eu

known_rate=161 known_latency=0.16
here=$(cd "$(dirname "$0")" && pwd)
: "${EHR_BIN:=${here%/contrib/*}/build/default/bin}"
PATH=$EHR_BIN:$PATH
BENCH=${EHR_BIN%/*}/bench
runs=3 sizes='4 6 8' seconds=10 many=10000 engines='dbft pbft'
while getopts qe:n:r: opt; do
	case $opt in
	q) runs=1 sizes=4 seconds=5 many=4000 ;;
	e) engines=$OPTARG ;;
	n) sizes=$OPTARG ;;
	r) runs=$OPTARG ;;
	*) sed -n 's/^#	contrib/usage: contrib/p' "$0" >&2
	    exit 2 ;;
	esac
done
shift $((OPTIND - 1))
tables=${*:-throughput latency saturation dead restart}
unset EHR_DIR EHR_IDENTITY 2>/dev/null || :
dir=$(mktemp -d "${TMPDIR:-/tmp}/ehr-bench.XXXXXX")
pids= nodes=
trap 'nodes_stop; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
umask 077
. "$here/nodes.sh"

# begin N [OPTION...]: a new ledger.
begin() {
	rm -rf "${dir:?}/run"
	mkdir "$dir/run"
	cd "$dir/run"
	nodes_make "$@"
}

# open ENGINE N [OPTION...]: the same, its nodes started.
open() {
	local engine=$1 n=$2

	shift 2
	begin "$n" --engine "$engine" "$@"
	nodes_start
}

close() {
	nodes_stop
	cd "$dir"
}

# load RUNS OPTION...: the medians of its values, to the file "values".
load() {
	local i runs=$1

	shift
	for i in $(seq "$runs"); do
		"$BENCH/load" -a admin.key -c counters \
		    -p "$(echo $pids | tr ' ' ,)" "$@"
	done > all-values
	sort -k 1,1 -k 2,2n all-values | awk '
	$1 != name { out(); name = $1; n = 0 }
	{ v[++n] = $2 }
	function out() { if (n > 0) print name, v[int((n + 1) / 2)] }
	END { out() }' > values
}

# --- tables -------------------------------------------------------------------

# What all rows end with.
heads=' limit ratio blocks   fsync    msg      KiB  MiB   all'
tail='
	function tail() {
		printf " %5.0f %5.2f %6d %7.1f %6.1f %8.1f %4.0f %5.0f\n",
		    v["limit"], v["of-limit"], v["blocks"], v["fsyncs"],
		    v["messages"], v["kib"], v["peak-kib"] / 1024,
		    v["sum-kib"] / 1024
	}
	{ v[$1] = $2 }'

rate_head() {
	echo
	printf '%s\n' "$1"
	printf '%-6s %5s %6s %7s %5s %6s%s\n' engine nodes txs tx/s \
	    diss. factor "$heads"
}

rate_row() {
	awk -v engine="$1" -v nodes="$2" -v known="$known_rate" "$tail"'
	END {
		printf "%-6s %5s %6d %7.0f %5s %6.1f", engine, nodes,
		    v["transactions"], v["per-second"],
		    engine nodes == "dbft4" ? known : "-",
		    v["per-second"] / known
		tail()
	}' values
}

throughput() {
	local e n txs

	rate_head 'Throughput (table 6-1)'
	for e in $engines; do
		for n in $sizes; do
			open "$e" "$n"
			for txs in 500 1000 2000; do
				load "$runs" -n $txs $nodes
				rate_row "$e" "$n"
			done
			close
		done
	done
}

saturation() {
	local e

	rate_head 'Saturation'
	for e in $engines; do
		open "$e" 4
		load 1 -n "$many" -b "${BACKLOG:-1000}" $nodes
		rate_row "$e" 4
		close
	done
}

# --- latency ------------------------------------------------------------------

latency_head() {
	echo
	printf '%s\n' "$1"
	printf '%-6s %5s %6s %7s %7s %7s %5s %6s %5s%s\n' engine nodes tx/s \
	    min avg max diss. factor CPU "$heads"
}

latency_row() {
	awk -v engine="$1" -v nodes="$2" -v rate="$3" \
	    -v known="$known_latency" "$tail"'
	END {
		printf "%-6s %5d %6d %7.3f %7.3f %7.3f %5s %6.1f %4.0f%%",
		    engine, nodes, rate, v["latency-min"], v["latency-avg"],
		    v["latency-max"], engine nodes == "dbft4" ? known : "-",
		    known / v["latency-avg"], 100 * v["cpu"]
		tail()
	}' values
}

latency() {
	local e n rate

	latency_head 'Latency (table 6-2), seconds'
	for e in $engines; do
		for n in $sizes; do
			open "$e" "$n"
			for rate in 50 100 150 200; do
				load "$runs" -r $rate -n $((rate * seconds)) \
				    $nodes
				latency_row "$e" "$n" $rate
			done
			close
		done
	done
}

# --- one of four is away ------------------------------------------------------

# The rate of the last load over that of the one before.
relation() {
	awk '$1 == "per-second" { print $2 }' values >> rates
	awk '{ v[NR] = $1 }
	END { printf "of the full set: %.2f\n", v[NR] / v[1] }' rates
}

dead() {
	local e again

	rate_head 'One of four delegates away, 50 blocks'
	for e in $engines; do
		open "$e" 4 --block-txs 40
		load 1 -n 2000 A B C
		rate_row "$e" 4
		relation > /dev/null
		nodes_kill D
		load 1 -n 2000 A B C
		rate_row "$e" "3/4"
		relation
		close
		open "$e" 4 --block-txs 40
		load 1 -n 2000 A B C
		relation > /dev/null
		# Its first turn costs a whole time-out, the others do not.
		nodes_freeze D
		for again in 1 2; do
			load 1 -n 2000 A B C
			rate_row "$e" "3+1"
			relation
		done
		close
	done
}

# --- a delegate comes back ----------------------------------------------------

# Seconds from the start of D's ehr-dbft until it has voted on a new block.
time_vote() {
	local from journal=D/.ehr/consensus/journal start what="$1"

	"$BENCH/load" -a admin.key -n 3000 -r 20 A B C > /dev/null 2>&1 &
	loader=$!
	sleep 1
	from=$({ ehr-block -C A list -n 1; tail -n 1 $journal; } | sort -n |
	    tail -n 1 | cut -d' ' -f1)
	rm -f D.dead
	start=$(date +%s%N)
	nodes_start D
	until awk -v from="$from" '
	    $1 > from && ($3 == "prepare" || $3 == "commit") { found = 1 }
	    END { exit !found }' $journal; do
		if [ $(($(date +%s%N) - start)) -gt 120000000000 ]; then
			echo "$what: no vote in 120 s"
			break
		fi
		sleep 0.05
	done
	awk -v what="$what" -v ns=$(($(date +%s%N) - start)) \
	    'BEGIN { printf "%-40s %6.2f s\n", what, ns / 1e9 }'
	kill $loader 2>/dev/null
	wait $loader 2>/dev/null || :
	nodes_kill D
}

restart() {
	local a blocks=10000

	printf '\nA delegate comes back after %s blocks: until its first vote\n' \
	    $blocks
	begin 4
	"$BENCH/chain" -a admin.key -n $blocks A A.key B.key C.key D.key
	for a in $nodes; do
		[ $a = A ] || cp -R A/.ehr/blocks $a/.ehr/
		rm $a/.ehr/consensus/journal
		ehr-dbft -C $a --floor $blocks renew 2>/dev/null
		# Its state.db is made of the blocks now, not in what is timed.
		ehr-block -C $a list -n 1 > /dev/null
	done
	: > D.dead
	nodes_start A B C
	"$BENCH/load" -a admin.key -n 10 A B C > /dev/null
	time_vote 'with its state.db'
	rm D/.ehr/state.db*
	time_vote 'without state.db'
	rm -r D/.ehr/state.db* D/.ehr/blocks/*
	time_vote 'without any block'
	close
}

for t in $tables; do
	"$t"
done
