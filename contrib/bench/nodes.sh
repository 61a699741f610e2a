# nodes.sh: the nodes of a ledger as directories and processes on this
# machine, joined by pipes.  For the benchmarks, which read it with ".".
# The commands are in PATH; the nodes' directories and their files NODE.* are
# in the working directory.
#
# shellcheck shell=sh

node_name() {
	echo "hospital-$(echo "$1" | tr A-P a-p)"
}

# nodes_make N [OPTION...]: N of them, A to P, with these options of ehr-init.
# Sets $nodes.  The administrator's key is admin.key.
nodes_make() {
	local n=$1 a b cards ledger seats="--delegates $1"

	shift
	# With pbft all nodes vote.
	case " $* " in *" --engine pbft "*) seats= ;; esac
	nodes=$(echo A B C D E F G H I J K L M N O P | cut -d' ' -f "1-$n")
	pids= cards=
	cat > reach <<-'EOF'
		[ ! -e "$1.dead" ] && echo $$ >> "$1.pids" || exit 1
		[ ! -e "$1.frozen" ] || kill -STOP $$
		exec ehr-serve -C "$1"
	EOF
	for a in $nodes; do
		ehr-keygen --node -n "$(node_name $a)" --no-passphrase -o $a.key
		[ $a = A ] || cards="$cards --node $a.key.card"
	done
	ehr-keygen -n "Ruth O" -e ruth@example.org --no-passphrase -o admin.key
	ledger=$(ehr-init -C A --name bench --node-key A.key \
	    --admin admin.key.card $cards $seats --interval 0 "$@") || return
	for a in $nodes; do
		[ $a = A ] || ehr-sync clone 'ehr-serve -C A' $a \
		    --node-key $a.key --ledger "$ledger"
	done
	for a in $nodes; do
		for b in $nodes; do
			[ $a = $b ] || ehr-node -C $a peer "$(node_name $b)" \
			    "sh reach $b"
		done
	done
}

# nodes_start [NODE...]: ehr-dbft --follow at these (or all), which is in
# NODE.pids with the ehr-serves of the node; and adds to $pids.  They count in
# the file "counters".
nodes_start() {
	local a

	[ $# -gt 0 ] || set -- $nodes
	[ -e counters ] || head -c 4096 /dev/zero > counters
	for a do
		EHR_COUNT=$PWD/counters LD_PRELOAD=$BENCH/count.so \
		    ehr-dbft -C $a --follow > $a.out 2> $a.err &
		echo $! >> $a.pids
		pids="$pids $!"
	done
}

# nodes_signal SIGNAL NODE...: to all processes of these.
nodes_signal() {
	local a signal=$1

	shift
	for a do
		kill "-$signal" $(cat $a.pids) 2>/dev/null || :
	done
}

# nodes_kill NODE...: at once, and nobody reaches them any more.
nodes_kill() {
	local a

	for a do
		: > $a.dead
		nodes_signal KILL $a
	done
}

# nodes_freeze NODE...: their pipes stay open, and nothing comes any more.
nodes_freeze() {
	local a

	for a do
		: > $a.frozen
		nodes_signal STOP $a
	done
}

# nodes_stop: end all that were started.  Their ehr-serves end with the pipes.
nodes_stop() {
	local p

	for p in $pids; do
		# One that was stopped has to go on, to end.
		kill "$p" 2>/dev/null && kill -CONT "$p" && wait "$p" ||
		    continue
	done
	pids=
}
