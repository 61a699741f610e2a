# Many records at once: one process, few writes; and killed at any moment.

load lib

setup_file() {
	people
}

setup() {
	tmp
	ledger1
}

# files N: so many small ones in the folder in, their names in the file list.
files() {
	mkdir in
	seq "$1" | (cd in && split -l 1 -a 3 -d --additional-suffix=.txt - f)
	find in -type f | sort >list
	[ "$(wc -l <list)" -eq "$1" ]
}

# syncs COMMAND...: run it; how many calls made something durable, to syncs.n.
# Where one process looks into another, a search for leaks cannot.
syncs() {
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq --seccomp-bpf -e trace=fsync,fdatasync,syncfs,sync_file_range \
	    -o syncs.txt "$@"
	grep -c 'sync' syncs.txt >syncs.n || :
}

@test "10,000 files on stdin: one process, one write for each batch" {
	need strace
	mkdir in
	seq 10000 | (cd in && split -l 1 -a 4 -d --additional-suffix=.txt - f)
	find in -type f | sort >list
	[ "$(wc -l <list)" -eq 10000 ]
	syncs ehr-add -C A -i "$K/kun.key" -p bill@example.org -d many \
	    -l other - <list >ids
	[ "$(sort -u ids | wc -l)" -eq 10000 ]
	echo "add: $(cat syncs.n) calls"
	[ "$(cat syncs.n)" -lt 100 ]
	[ "$(find A/.ehr/staging A/.ehr/objects -name '*.seg' | wc -l)" -lt 50 ]
	# Some of them, to the end.
	sed -n '1p;777p;10000p' ids | as bill ehr-authorize - >/dev/null
	block A
	for n in 1 777 10000; do
		as kun ehr-show "$(sed -n ${n}p ids)" |
		    cmp - "$(sed -n ${n}p list)"
	done
}

@test "500 ids on stdin: authorized with as few writes" {
	need strace
	files 500
	as kun ehr-add -p bill@example.org -d many -l other - <list >ids
	syncs ehr-authorize -C A -i "$K/bill.key" - <ids >txs
	[ "$(sort -u txs | wc -l)" -eq 500 ]
	echo "authorize: $(cat syncs.n) calls"
	[ "$(cat syncs.n)" -lt 20 ]
	block A
	as kun ehr-query many | cut -f 1 | sort | cmp - <(sort ids)
	syncs ehr-show -C A -i "$K/kun.key" --list "$(head -n 1 ids)" >/dev/null
	[ "$(cat syncs.n)" -lt 10 ]
}

@test "many records come out at once, each in its folder, with one mark each" {
	files 60
	as kun ehr-add -p bill@example.org -d many -l other - <list >ids
	as bill ehr-authorize - <ids >/dev/null
	block A
	silent as lea ehr-show -o out - <ids
	[ -z "$output" ]
	paste ids list | while read -r id file; do
		cmp "$file" "out/$id/${file##*/}"
	done
	[ "$(find out -type f | wc -l)" -eq 60 ]
	block A
	[ "$(as bill ehr-authorize --history - <ids | grep -c access)" -eq 60 ]
	# Again: they are there, and stay.
	run --separate-stderr as lea ehr-show -o out - <ids
	expect 1 show
	[ "${#stderr_lines[@]}" -eq 60 ]
	silent as lea ehr-show -f -o out - <ids
	# Some that may not be opened cost a line each.
	as anne ehr-show -o no - <ids 2>err && false
	[ "$(wc -l <err)" -eq 60 ]
	[ -z "$(find no -type f)" ]
	refused 2 as lea ehr-show -
	refused 2 as lea ehr-show "$(sed -n 1p ids)" "$(sed -n 2p ids)"
	refused 2 as lea ehr-show --list --sealed "$(head -n 1 ids)"
	none() { as lea ehr-show -o out - </dev/null; }
	refused 1 none
}

# killed COMMAND...: run in the background, with its output added to a file;
# killed within a few milliseconds, or a bit later.
killed() {
	"$@" >>out.killed 2>/dev/null &
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -KILL $! 2>/dev/null || :
	wait $! 2>/dev/null || :
}

@test "ehr-add killed 30 times: each id that was printed is a record" {
	files 200
	big=$(head -c 600k /dev/urandom | base64 -w 0)
	for i in 1 2 3; do echo "$big" >in/big$i; done
	for i in $(seq 10); do
		killed sh -c 'exec "$@" <list' sh ehr-add -C A \
		    -i "$K/kun.key" -p bill@example.org -d x -l other -
		killed as kun ehr-add -p bill@example.org -l other in/big$((i % 3 + 1))
		killed as kun ehr-add -p bill@example.org -l other "in/f00$((i % 10)).txt"
	done
	# The shell may have been killed in the middle of a line.
	grep -Ex '[0-9a-f]{64}' out.killed | sort -u >ids || :
	ehr-audit -C A >/dev/null
	as bill ehr-authorize --list | cut -f 1 | sort >waiting
	[ -z "$(comm -23 ids waiting)" ]
	silent add_one
	as bill ehr-authorize - <waiting >/dev/null
	while [ -n "$(find A/.ehr/pending -name '*.seg')" ]; do block A; done
	[ "$(as kun ehr-query | wc -l)" -ge "$(wc -l <waiting)" ]
	ehr-audit -C A >/dev/null
}

add_one() {
	record bill list
}

@test "ehr-authorize and ehr-show killed 30 times: what was printed is signed" {
	files 120
	as kun ehr-add -p bill@example.org -d x -l other - <list >ids
	split -l 4 -d -a 2 ids part
	for p in part*; do
		killed sh -c 'exec "$0" -C A -i "$1" - <"$2"' ehr-authorize \
		    "$K/bill.key" $p
	done
	grep -Ex '[0-9a-f]{64}' out.killed >txs || :
	ehr-audit -C A >/dev/null
	while [ -n "$(find A/.ehr/pending -name '*.seg')" ]; do block A; done
	[ ! -s txs ] || silent ehr-verify -q -C A - <txs
	# None is half decided: it waits still, or it is on the ledger.
	as bill ehr-authorize --list | cut -f 1 >waiting
	as bill ehr-query | cut -f 1 >done
	sort waiting done | cmp - <(sort ids)
	[ ! -s waiting ] || as bill ehr-authorize - <waiting >/dev/null
	block A || :
	: >out.killed
	for id in $(head -n 10 ids); do
		killed as kun ehr-show "$id"
	done
	# What was given out has left a mark, if there is no other.
	got=$(wc -l <out.killed)
	block A || :
	marks=$(as bill ehr-authorize --history - <ids | grep -c access || :)
	[ "$marks" -ge "$got" ]
	ehr-audit -C A >/dev/null
}
