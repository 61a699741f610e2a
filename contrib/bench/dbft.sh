#!/bin/sh
# bench/dbft.sh: how fast the delegates of a ledger agree, as processes on
# pipes on this machine.
#
#	EHR_BIN=... contrib/bench/dbft.sh [ROW...]
#
# Rows: saturation.
#
# The limit is what verifying signatures allows on this machine, as measured
# just before and after: verifications per second on all cores, divided by the
# delegates on it and the signatures of a transaction.
set -eu

rows=${*:-saturation}
here=$(cd "$(dirname "$0")" && pwd)
: "${LOAD:=$EHR_BIN/../bench/load}"
LOAD=$(cd "$(dirname "$LOAD")" && pwd)/load
PATH=$EHR_BIN:$PATH
export PATH
unset EHR_DIR EHR_IDENTITY 2>/dev/null || :
dir=$(mktemp -d "${TMPDIR:-/tmp}/ehr-bench.XXXXXX")
pids= nodes=
trap 'nodes_stop; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
umask 077
. "$here/nodes.sh"

# 8,000 transactions at 4 nodes, as fast as they take them.
saturation() {
	echo "== 4 nodes, dBFT, saturation"
	mkdir saturation
	cd saturation
	nodes_make 4 --interval 0
	nodes_start
	"$LOAD" -a admin.key -n "${TXS:-8000}" -p "$pids" \
	    -b "${BACKLOG:-1000}" $nodes
	nodes_stop
	cd ..
	rm -rf saturation
}

for row in $rows; do
	"$row"
done
