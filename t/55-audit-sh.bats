# contrib/audit.sh: stock tools come to the same verdict as ehr-audit.

load lib
load bundle

setup_file() {
	people
	cd "$BATS_FILE_TMPDIR"
	every_kind
	ehr-sync -C A bundle create good.tar
}

setup() {
	tmp
	cp "$BATS_FILE_TMPDIR/good.tar" .
	mkdir u && tar xf good.tar -C u
}

# broken [FILE]: neither calls the bundle clean; without FILE it is what lies in
# u.  Then u is as it was.
broken() {
	[ $# -gt 0 ] || pack u good.tar >bad.tar
	run ehr-audit "${1:-bad.tar}"
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ] ||
	    { echo "ehr-audit: $status"; echo "$output"; return 1; }
	run "$top/contrib/audit.sh" "${1:-bad.tar}"
	[ "$status" -eq 1 ] || [ "$status" -eq 3 ] ||
	    { echo "audit.sh: $status"; echo "$output"; return 1; }
	rm -r u && mkdir u && tar xf good.tar -C u
}

@test "it has 200 lines at most, and a shell without extras runs it" {
	[ "$(wc -l <"$top/contrib/audit.sh")" -le 200 ]
	silent ehr-audit good.tar
	for sh in dash bash; do
		need $sh
		silent $sh "$top/contrib/audit.sh" good.tar
		[ "${lines[-1]}" = clean ]
	done
	pack u good.tar >again.tar
	silent "$top/contrib/audit.sh" again.tar
	for k in enroll rekey role-define role-grant role-revoke role-key \
	    node-admit node-remove vote authorize reject grant withdraw access \
	    erase; do
		zcat u/blocks/*/*.gz | grep -aq "^ehr.v1 $k " || { echo $k; false; }
	done
}

@test "the head is the same" {
	ehr-audit --json good.tar | tail -n 1 >json
	"$top/contrib/audit.sh" good.tar | grep -qx \
	    "head $(jq -r '"\(.height) \(.head)"' json)"
}

@test "no bundle, and one that is not whole" {
	echo x >none
	broken none
	ehr-sync -C "$BATS_FILE_TMPDIR/A" bundle create --since 2 new.tar
	broken new.tar
	run "$top/contrib/audit.sh"
	[ "$status" -eq 2 ]
}

@test "blocks: altered, cut, longer, dropped, swapped, doubled, left over" {
	b=u/blocks/000000/00000000
	flip ${b}3.gz 50 && broken
	flip ${b}4.gz 17 && broken
	truncate -s -1 ${b}4.gz && broken
	echo >>${b}4.gz && broken
	rm ${b}3.gz && broken
	rm ${b}6.gz && broken
	mv ${b}3.gz x && mv ${b}4.gz ${b}3.gz && mv x ${b}4.gz && broken
	cp ${b}3.gz ${b}4.gz && broken
	cp ${b}6.gz ${b}7.gz && broken
}

@test "objects: altered, gone, swapped, one too many that was dismissed" {
	set -- u/objects/[0-9a-f]?/*
	flip "$1" 70 && broken
	for f; do rm "$f" && broken || return 1; done
	mv "$1" x && mv "$2" "$1" && mv x "$2" && broken
	set -- u/objects/seg/*
	flip "$1" 5 && broken
	flip "$1" 300 && broken
	flip "$1" $(($(stat -c %s "$1") - 2)) && broken
	truncate -s -1 "$1" && broken
	echo >>"$1" && broken
	rm "$1" && broken
}

@test "logs and what waits: altered, cut, longer, under another name" {
	set -- u/logs/*
	for at in 3 110 180 300 400; do
		flip "$1" $at && broken
	done
	truncate -s -100 "$1" && broken
	cp "$1" u/logs/1999-01-01_00 && broken
	for f in u/staging/* u/pending/*; do
		for at in 40 250; do
			flip "$f" $at && broken
		done
		truncate -s -1 "$f" && broken
		echo >>"$f" && broken
	done
}

@test "the genesis, and what the bundle says of itself" {
	flip u/genesis 40 && broken
	for at in 10 70 95 110; do
		flip u/bundle $at && broken
	done
}

@test "single bits anywhere in the file" {
	size=$(stat -c %s good.tar)
	for at in 5 130 148 600 1100 $((size / 3)) $((size / 2)) \
	    $((size - 2000)) $((size - 1530)) $((size - 700)) $((size - 1)); do
		cp good.tar bit.tar
		flip bit.tar $at $((1 << (at % 8)))
		broken bit.tar
	done
}
