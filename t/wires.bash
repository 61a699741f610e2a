# wires: what went over the wires between the nodes of four, kept and compared
# with what the journals say.  A .bats file loads it after four, and calls
# relay_made in its setup_file.
#
# shellcheck shell=bash

# The program that stands between two nodes (t/relay.c).
relay_made() {
	"${CC:-gcc}" -std=c17 -Wall -Wextra -Werror -O1 \
	    -o "$BATS_FILE_TMPDIR/relay" "$BATS_TEST_DIRNAME/relay.c"
}

# wired FROM TO [OPTION...]: FROM reaches TO over a relay with these options;
# what goes over it is kept in wires, the pids of those who answer in pids.TO.
wired() {
	peer "$1" "$2" "exec $BATS_FILE_TMPDIR/relay wires/$1-$2 ${*:3} \
sh -c 'echo \$\$ >>pids.$2; exec ehr-serve -C $2'"
}

# wire [DIR...]: so between all of them.
wire() {
	local a b

	[ $# -gt 0 ] || set -- A B C D
	mkdir -p wires kept
	for a do
		for b do
			[ "$a" = "$b" ] || wired "$a" "$b" || return 1
		done
	done
}

# keep_journals DIR...: a journal that grows long is replaced by another file.
# A second name keeps the old one, with all that was ever appended to it.
keep_journals() {
	local d f

	for d do
		f=$d/.ehr/consensus/journal
		ln "$f" "kept/$d.$(stat -c %i "$f")" 2>/dev/null || :
	done
}

# wire_votes [FILE...]: every vote that went over a wire (all), and each
# signature of a certificate, as "NAME KIND HEIGHT VIEW VALUE SIGNATURE", sorted.
wire_votes() {
	[ $# -gt 0 ] || set -- wires/*
	cat "$@" | awk '
	/^ehr\.v1 (prepare|commit|change-view) / {
		kind = $2; h = v = value = ""; next }
	kind == "" { next }
	/^height / { h = $2; next }
	/^view / { v = $2; next }
	/^(block|prepared) / { sub(/^[a-z]+ /, ""); gsub(/ /, "/")
		value = $0; next }
	/^— / { print $2, kind, h, v, value, $3; next }
	/^$/ { next }
	{ kind = "" }' | sort -u
}

# kept_votes DIR: every vote of all its journals, as "KIND HEIGHT VIEW VALUE".
kept_votes() {
	cat kept/"$1".* "$1/.ehr/consensus/journal" | awk '
	$3 ~ /^(prepare|commit|change-view)$/ {
		value = $5; if (NF == 7) value = value "/" $6
		print $3, $1, $4, value }' | sort -u
}

# climbing DIR: in each of its journals the votes of a height only go up.
climbing() {
	local f

	for f in kept/"$1".* "$1/.ehr/consensus/journal"; do
		awk -v f="$f" '
		BEGIN { step["change-view"] = 1; step["prepare"] = 2
			step["commit"] = 3 }
		$3 in step {
			at = $4 * 4 + step[$3]
			if ($1 in last && at <= last[$1]) {
				print f ": goes back: " $0; bad = 1 }
			last[$1] = at
		}
		END { exit bad }' "$f" || return 1
	done
}

# truthful [DIR...]: over all that these honest nodes ever sent: each vote is in
# their journal, none contradicts another, and what was said twice had the same
# bytes; and only blocks of the ledger have a quorum of commits.
truthful() {
	local d

	[ $# -gt 0 ] || set -- A B C D
	keep_journals "$@"
	wire_votes >votes
	[ -s votes ] || { echo "no votes on the wires"; return 1; }
	for d do
		climbing "$d" || return 1
		kept_votes "$d" >"journal.$d"
		cut -d' ' -f1-3 "journal.$d" | uniq -d | grep . &&
		    { echo "$d has voted twice"; return 1; }
		sed -n "s/^hospital-${d,} //p" votes >"sent.$d"
		cut -d' ' -f1-4 "sent.$d" | uniq -d | grep . &&
		    { echo "$d has signed that differently"; return 1; }
		cut -d' ' -f1-4 "sent.$d" | comm -23 - "journal.$d" | grep . &&
		    { echo "$d has sent what it did not keep"; return 1; }
	done
	awk '$2 == "commit" && !seen[$1 $3 $4 $5]++ {
		if (++n[$3 " " $4 " " $5] == 3) print $3, $5 }' votes |
	    sort -u >certified
	ehr-block -C "$1" list | cut -d' ' -f1,2 | sort >final
	comm -23 certified final | grep . &&
	    { echo "certified, and not in the ledger"; return 1; }
	return 0
}
