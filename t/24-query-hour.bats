# ehr-query: an hour and ranges of time, and what is not opened for them.

load lib
load hours

day=2026-03-02

# Records of 10, 11 and 13 o'clock; one was added at 11 and waited until 13.
setup_file() {
	[ -n "$faketime" ] || return 0
	people
	mkdir "$BATS_FILE_TMPDIR/made" && cd "$BATS_FILE_TMPDIR/made"
	make_hours >/dev/null
}

setup() {
	need_hours
	tmp
	cp -a "$BATS_FILE_TMPDIR/made/A" .
}

# add TIME LABEL: Kun adds a record for Bill at that time.
add() {
	echo "$2" >"$2.txt"
	then_at "$day"T"$1"Z as kun ehr-add -p bill@example.org -d "a $2" \
	    -l "$2" "$2.txt"
}

# decide TIME [OPTION...]: Bill authorizes, and a block takes it.
decide() {
	then_at "$day"T"$1"Z as bill ehr-authorize "${@:2}"
	then_at "$day"T"${1%:*}":50Z block A
}

make_hours() {
	then_at "$day"T10:00:00Z ledger1
	add 10:10:00 laboratory >ids
	decide 10:11:00 - <ids
	add 11:10:00 imaging >ids
	add 11:20:00 prescription >waits
	add 11:30:00 pathology >no
	decide 11:31:00 - <ids
	decide 11:32:00 --reject - <no
	add 13:10:00 other >ids
	decide 13:11:00 - <ids
	decide 13:12:00 - <waits
	then_at "$day"T14:00:01Z block A
	ehr-log-merkle -C A --renew	# ledger1 has copied it
	ehr-log-merkle -C A --roll
}

# labels ARG...: of what Kun finds, in its order.
labels() {
	as kun ehr-query "$@" | cut -f 5 | tr '\n' ' '
}

# hour HH [ARG...]
hour() {
	labels --hour "$day"_"$1" "${@:2}"
}

# of_log HH: the labels of what that log says was authorized, the last first.
of_log() {
	sed -n 's/.* authorize //p' "A/.ehr/logs/$day"_"$1" | tac | tr '\n' ' '
}

@test "an hour has the records that its log has, in reverse order" {
	[ "$(hour 10)" = "laboratory " ]
	[ "$(hour 11)" = "imaging " ]
	[ "$(hour 13)" = "prescription other " ]
	for h in 10 11 12 13 14; do
		[ "$(hour $h)" = "$(of_log $h)" ]
	done
	for h in 2026-03-02_12 2026-03-02_14 2026-03-02_09 1970-01-01_00 \
	    2026-03-03_10 9999-12-31_23; do
		run --separate-stderr as kun ehr-query --hour $h
		[ "$status" -eq 1 ] && [ -z "$output$stderr" ]
	done
	for h in 2026-03-02 2026-03-02_24 2026-03-02T10 10 ''; do
		refused 2 as kun ehr-query --hour "$h"
	done
}

@test "the other options narrow an hour, and each sees what is open to them" {
	[ "$(hour 13 -l other)" = "other " ]
	[ "$(hour 13 -p bill@example.org -a kun@example.org)" = \
	    "prescription other " ]
	[ "$(hour 13 -a lea@example.org)" = "" ]
	[ "$(hour 13 --limit 1)" = "prescription " ]
	[ "$(hour 13 prescription.txt)" = "prescription " ]
	# It was added before that hour.
	[ "$(hour 13 --since "$day"_13)" = "other " ]
	[ "$(as bill ehr-query --hour "$day"_13 | wc -l)" -eq 2 ]
	run as anne ehr-query --hour "$day"_13
	[ "$status" -eq 1 ] && [ -z "$output" ]
}

@test "neither logs nor a whole state are needed" {
	rm -r A/.ehr/logs/* A/.ehr/state.db*
	[ "$(hour 13)" = "prescription other " ]
}

@test "a range is of the times when records were added" {
	[ "$(labels --since "$day"_11 --until "$day"_12)" = \
	    "prescription imaging " ]
	[ "$(labels --since "$day"T11:20:00.000Z)" = "other prescription " ]
	[ "$(labels --until "$day"_11)" = "laboratory " ]
	[ "$(labels --since "$day" --until 2026-03-03)" = \
	    "other prescription imaging laboratory " ]
	[ "$(labels --since "$day"_12 --until "$day"_13)" = "" ]
}

# opened ARG...: the files of the ledger that the query opens, but for its
# state, its locks and its own settings.
opened() {
	strace -f -qq -y -o trace -e trace=open,openat,openat2 -- \
	    ehr-query -C A -i "$K/kun.key" "$@" >found
	grep -o '= [0-9]*<[^>]*/A/\.ehr/[^>]*>' trace | sed 's,.*/A/\.ehr/,,' |
	    tr -d '>' | grep -Ev '^(state\.db.*|lock|config|genesis|secret)$' |
	    sort -u
}

# opens N QUERY...: it opens the key of Kun's role, and of N records the header
# and the body; no log, and no block.
opens() {
	opened "${@:2}" >files || :
	[ "$(wc -l <found)" -eq "$1" ]
	[ "$(grep -c '^objects/' files)" -eq $((1 + 2 * $1)) ]
	[ "$(grep -vc '^objects/' files)" -eq 0 ] || { cat files; return 1; }
}

@test "no log or block is opened, and no record that cannot match" {
	need strace
	strace -qq -o /dev/null true 2>/dev/null || skip "no ptrace here"
	opens 4
	for q in "--hour ${day}_10" "--until ${day}_11"; do
		opens 1 $q
		[ "$(cut -f 5 found)" = laboratory ]
	done
	opens 2 --hour "$day"_13
	opens 2 --since "$day"_11 --until "$day"_12
	opens 0 --hour "$day"_12
	opens 0 --since "$day"_12 --until "$day"_13
}
