# Whatever is changed in a ledger's directory, ehr-audit finds and names it.
#
# By default a sample of the bytes; with EHR_LONG every byte, with each bit that
# is set in it (make test-long).

load lib
load bundle
load flips

many=${bin%/bin}/t/many

setup_file() {
	people
	cd "$BATS_FILE_TMPDIR"
	every_kind
	[ ! -x "$many" ] || (mkdir m && cd m && "$many" 300 A &&
	    ehr-log-merkle -C A --roll)
}

setup() {
	tmp
	cp -r "$BATS_FILE_TMPDIR/A" .
}

@test "bits of the genesis" {
	each genesis
	in_place genesis
}

@test "bits of blocks" {
	each $(all blocks)
	for f in $(all blocks); do in_place "$f"; done
	silent ehr-audit -C A
}

@test "bits of objects and their segments" {
	each $(all objects)
	for f in $(all objects); do in_place "$f"; done
	silent ehr-audit -C A
}

@test "bits of logs, and of what waits" {
	each $(all logs staging pending)
	for f in $(all logs staging pending); do in_place "$f"; done
	silent ehr-audit -C A
}

@test "bits of tiles and checkpoints" {
	[ -x "$many" ] || skip "no $many: make units"
	rm -r A && cp -r "$BATS_FILE_TMPDIR/m/A" .
	each $(all tiles checkpoints)
	for f in $(all tiles checkpoints); do in_place "$f"; done
}

@test "each block dropped, swapped with each other, doubled" {
	set -- $(all blocks)
	while [ $# -gt 1 ]; do
		mv "A/.ehr/$1" x && named "${1##*/}"
		mv "A/.ehr/$2" "A/.ehr/$1" && mv x "A/.ehr/$2" && named "${1##*/}"
		mv "A/.ehr/$2" x && mv "A/.ehr/$1" "A/.ehr/$2" && mv x "A/.ehr/$1"
		shift
	done
	# The last one is missed by what follows from it.
	mv "A/.ehr/$1" x && named logs
	cp x "A/.ehr/$1" && cp x A/.ehr/blocks/000000/000000007.gz
	named 000000007
}

@test "each object deleted, or in another's place" {
	set -- $(all objects)
	for f; do
		mv "A/.ehr/$f" x
		if [[ $f == objects/seg/* ]]; then named "it is not here"
		else named "${f##*/}"; fi
		mv x "A/.ehr/$f"
	done
	cp "A/.ehr/$1" "A/.ehr/objects/seg/x.seg" && named objects/seg/x.seg
	rm A/.ehr/objects/seg/x.seg
	cp "A/.ehr/$1" "A/.ehr/$2" && named "$2"
}

# What state.db says of the blocks, not where things lie here, and which are
# still to be erased.
said() {
	ehr-block -C A list -n 1 >/dev/null
	sqlite3 -readonly A/.ehr/state.db .dump | grep -Ev \
	    "^INSERT INTO (pending|segment|sqlite_seq|dismissed|meta .*'pending')"
}

@test "what is derived is made again, with the same bytes" {
	snapshot A/.ehr/logs >logs
	said >state
	rm A/.ehr/state.db*
	said | diff state -
	rm -r A/.ehr/logs/* A/.ehr/state.db*
	silent ehr-audit -C A
	ehr-log-merkle -C A --roll
	snapshot A/.ehr/logs | diff logs -
	[ -x "$many" ] || skip "no $many: make units"
	rm -r A && cp -r "$BATS_FILE_TMPDIR/m/A" .
	snapshot A/.ehr/tiles | grep -v '^checkpoint' >tiles
	rm -r A/.ehr/tiles/tile
	ehr-log-merkle -C A --roll
	snapshot A/.ehr/tiles | grep -v '^checkpoint' | diff tiles -
}
