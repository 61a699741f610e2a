# ehr-audit-guide(7): what it tells an auditor to type works, and what it
# explains is what ehr-audit says.

load lib
load bundle
load hours

page=$top/share/man/man7/ehr-audit-guide.7

setup_file() {
	[ -n "$faketime" ] || return 0
	people
	mkdir "$BATS_FILE_TMPDIR/made" && cd "$BATS_FILE_TMPDIR/made" ||
	    return 1
	made >made.out 2>&1 || { cat made.out; return 1; }
}

# A ledger of three hours, and what an auditor kept after the first.
made() {
	then_at 2026-03-02T09:10:00Z every_kind
	then_at 2026-03-02T10:10:00Z block A
	ehr-log-merkle -C A --renew
	ehr-log-merkle -C A --roll
	cp "$(ls A/.ehr/checkpoints/* | tail -n 1)" last.checkpoint
	# Of a single node there is nobody to cosign.
	ehr-log-merkle -C A --policy | sed 's/^quorum .*/quorum none/' \
	    >last.policy
	echo "another value" >f
	then_at 2026-03-02T10:20:00Z record anne f >more || return 1
	then_at 2026-03-02T10:21:00Z ehr-authorize -C A \
	    -i "$K/anne2.key" - <more || return 1
	then_at 2026-03-02T10:22:00Z block A
	then_at 2026-03-02T11:10:00Z ehr-node -C A vote
	then_at 2026-03-02T11:11:00Z block A
	ehr-log-merkle -C A --roll
	ehr-sync -C A bundle create ledger.tar
}

setup() {
	tmp
}

# The commands of the page, as they are to be typed.
commands() {
	awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 }
	    on { sub(/^\$ /, ""); gsub(/\\e/, "\\"); print }' "$page"
}

# An ssh that reaches hospital-b here.
ssh_wrapper() {
	mkdir bin
	cat >bin/ssh <<-END
	#!/bin/sh
	[ "\$*" = "auditor@hospital-b ehr-serve" ] || exit 255
	exec ehr-serve -C "$BATS_FILE_TMPDIR/made/A"
	END
	chmod +x bin/ssh
}

@test "every command that it gives works" {
	need_hours
	made=$BATS_FILE_TMPDIR/made
	cp "$made"/{ledger.tar,last.checkpoint,last.policy} .
	ssh_wrapper
	commands >typed
	[ "$(grep -c '^[a-z]' typed)" -ge 14 ]
	sed -i -e "s|/usr/local/share/doc/ehr|$top/contrib|" \
	    -e "s/HANDLE/$(handle bill)/" -e "s/ID$/$(ledger_id "$made/A")/" \
	    typed
	! grep -nE '[A-Z]{4,}' typed
	PATH=$PWD/bin:$PATH run --separate-stderr \
	    bash -e -o pipefail typed
	expect 0
	[ -z "$stderr" ] || { echo "$stderr"; return 1; }
	printf '%s\n' "$output" >said
	# The checks, each of them.
	[ "$(grep -cx clean said)" -ge 6 ]
	! grep -E '^(FAILED|absent|NOT CLEAN)' said
	# Without anything from outside, it reminds of that.
	[ "$(grep -c 'not checked: whether blocks were cut' said)" -ge 1 ]
	# The heads of the network and of the bundle.
	head=$(ehr-block -C "$made/A" list -n 1 | cut -d ' ' -f 2)
	[ "$(grep -c "$head" said)" -ge 3 ]
	# What happened.
	python3 "$top/t/page.py" audit.html >cells
	grep -q '^clean: .*continues what was given' cells
	python3 "$top/t/extract.py" csv 2026.csv | wc -l |
	    grep -qx "$(sed -n 's/^Transactions|//p' cells)"
	python3 "$top/t/extract.py" fhir patient.json | grep -q '^access '
	grep -qE "^2026-03-02T09:1[0-9:.]*Z $(handle kun) [0-9a-f]{64}$" said
	grep -q "$(handle bill)"$'\tpatient-request$' said
	# What to keep.
	cmp next.checkpoint \
	    "$(ls "$made"/A/.ehr/checkpoints/* | tail -n 1)"
	! cmp -s next.checkpoint last.checkpoint
}

@test "what is shown to be cut is what it says" {
	need_hours
	cp -r "$BATS_FILE_TMPDIR"/made/{A,last.policy} .
	newest=$(ls A/.ehr/checkpoints/* | tail -n 1)
	cp "$newest" newest
	rm "$(ls A/.ehr/blocks/000000/* | tail -n 1)" "$newest"
	rm "$(ls A/.ehr/blocks/000000/* | tail -n 1)"
	run ehr-audit -C A --checkpoint newest --policy last.policy
	[ "$status" -eq 1 ]
	[[ $output == *"the ledger was cut"* ]]
}

@test "what it explains is what ehr-audit says" {
	find "$top/lib" -name '*.c' -exec cat {} + >source
	sed -n '/^\.Sh FINDINGS/,/^\.Sh WHAT IT/p' "$page" |
	    sed -n 's/^\(\.It \)\{0,1\}\.\{0,1\}Sq \([^:,;]*[^ :,;]\).*/\2/p' |
	    grep -vx 'Failed\|absent\|transaction' >phrases
	[ "$(wc -l <phrases)" -ge 15 ]
	python3 - <<-'END'
	import re
	source = re.sub(r'"\s*\n\s*"', '', open("source").read())
	for line in open("phrases"):
	    phrase = re.sub(r"\b[NM]\b", "%llu", line.strip())
	    if phrase not in source:
	        raise SystemExit("nothing says: " + phrase)
	END
	# Each class is explained.
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n Ada --no-passphrase -o ada.key
	ehr-init -C N --name n --node-key a.key --admin ada.key.card >/dev/null
	ehr-audit -C N --json | jq -r '.counts | keys[]' >classes
	[ "$(wc -l <classes)" -ge 12 ]
	while read -r class; do
		sed -n '/^\.Sh FINDINGS/,/^\.Sh WHAT IT/p' "$page" |
		    grep -qE "^\.It ([a-z]+ , )?$class( |$)" ||
		    { echo "not $class"; return 1; }
	done <classes
}
