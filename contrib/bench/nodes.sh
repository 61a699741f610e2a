# nodes.sh: the nodes of a ledger as directories and processes on this
# machine, joined by pipes.  For the benchmarks, which read it with ".".
# EHR_BIN is the folder of the commands; the working directory is theirs.
#
# shellcheck shell=sh

# nodes_make N [OPTION...]: N of them, A to P, with these options of ehr-init.
# The administrator's key is admin.key.  1: ehr-init refuses the options.
nodes_make() {
	local n=$1 a b first all rest ledger

	shift
	all=$(printf '%s\n' A B C D E F G H I J K L M N O P | head -n "$n")
	first=A
	rest=$(printf '%s\n' $all | tail -n +2)
	for a in $all; do
		ehr-keygen --node -n "$(node_name $a)" --no-passphrase -o $a.key
	done
	ehr-keygen -n "Ruth O" -e ruth@example.org --no-passphrase -o admin.key
	ledger=$(ehr-init -C $first --name bench --node-key $first.key \
	    --admin admin.key.card --delegates "$n" "$@" \
	    $(printf -- '--node %s.key.card ' $rest)) || return 1
	for a in $rest; do
		ehr-sync clone "ehr-serve -C $first" $a --node-key $a.key \
		    --ledger "$ledger"
	done
	for a in $all; do
		for b in $all; do
			[ $a = $b ] || ehr-node -C $a peer "$(node_name $b)" \
			    "ehr-serve -C $b"
		done
	done
	nodes=$all pids=
}

node_name() {
	echo "hospital-$(echo "$1" | tr A-P a-p)"
}

# nodes_start [NODE...]: ehr-dbft --follow at these (or all); adds to $pids.
nodes_start() {
	local a

	[ $# -gt 0 ] || set -- $nodes
	for a do
		ehr-dbft -C $a --follow > $a.out 2> $a.err &
		pids="${pids:+$pids,}$!"
	done
}

# nodes_stop: end all that were started.  Their ehr-serves end with the pipes.
nodes_stop() {
	local p

	for p in $(echo "$pids" | tr , ' '); do
		kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
	done
	pids=
}
