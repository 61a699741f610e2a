# Whatever is changed in the files that only a node has, ehr-audit finds and
# names it, or says that it cannot.

load lib
load bundle
load flips

journal=A/.ehr/consensus/journal
signed=A/.ehr/consensus/signed

setup_file() {
	people
	cd "$BATS_FILE_TMPDIR"
	every_kind
	peers_file A
}

setup() {
	tmp
	cp -rp "$BATS_FILE_TMPDIR/A" .
}

# entry HEIGHT TEXT: one more in the journal, as this node would write it.
entry() {
	local last line

	last=$(tail -n 1 $journal)
	line="$1 $2"
	echo "$line $(printf '%s %s' "${last##* }" "$line" | sha256sum |
	    cut -c 1-64)" >>$journal
}

# rewrite SED FILE: another text, whose check fits it.
rewrite() {
	sed -i -e '$d' -e "$1" "$2"
	echo "check $(sha256sum <"$2" | cut -c 1-64)" >>"$2"
}

# Capitals do not count in the names of sections and settings.
same_config() {
	diff <(awk '{ $1 = tolower($1); print }' keep) \
	    <(awk '{ $1 = tolower($1); print }' A/.ehr/config) >/dev/null
}

@test "bits of key, secret, votes, proposed blocks and peers" {
	silent ehr-audit -C A
	[[ $output == *"node          7 checked, 0 failed"* ]]
	set -- node.key secret peers $(all consensus -name '*.block') \
	    consensus/journal consensus/signed
	[ $# -eq 6 ]
	each "$@"
	for f; do in_place "$f"; done
	silent ehr-audit -C A
}

@test "config: a changed bit is found, or leaves ledger and node as they are" {
	for ((at = 0; at < $(stat -c %s A/.ehr/config); at++)); do
		cp A/.ehr/config keep
		flip A/.ehr/config $at $((1 << at % 8))
		named config || same_config || { echo "byte $at"; false; }
		cp keep A/.ehr/config
	done
	sed -i 's/hospital-a/hospital-c/' A/.ehr/config && named config
	cp keep A/.ehr/config && sed -i /name/d A/.ehr/config && named config
	cp keep A/.ehr/config && mv A/.ehr/node.key .
	sed -i 's/hospital-a/hospital-c/' A/.ehr/config && named config
}

@test "config, hooks and the like are there for the one who runs the node" {
	ehr-node -C A peer hospital-b 'ssh ehr@b.example.org ehr-serve'
	cat >>A/.ehr/config <<-END
	# ours
	[net]
	    poll = 5 ; seconds
	[some "thing"]
	    else = "is here"
	END
	touch A/.ehr/{hooks,quarantine,tmp}/x A/.ehr/.x A/.ehr/consensus/.x
	ehr-audit -C A
	for f in x consensus/x consensus/journal.old; do
		touch A/.ehr/$f
		named "$f: does not belong"
		rm A/.ehr/$f
	done
	cp A/.ehr/consensus/*.block A/.ehr/consensus/000000007-"$(ledger_id A)".block
	named 000000007-
}

@test "another key, another's, none, and one that is closed" {
	cp $K/b.key A/.ehr/node.key && named "node.key is of hospital-b"
	ehr-keygen --node -n hospital-a --no-passphrase -o new.key
	cp new.key A/.ehr/node.key && named node.key
	# One of its two.
	{ head -n 5 $K/a.key; tail -n 3 new.key; } >A/.ehr/node.key
	named "its sealing key"
	{ head -n 5 new.key; tail -n 3 $K/a.key; } >A/.ehr/node.key
	named "its signature key"
	cp $K/a.key A/.ehr/node.key && chmod 644 A/.ehr/node.key && named node.key
	rm A/.ehr/node.key && unchecked "there is no node.key here"
	{
		head -n 2 $K/a.key
		for n in 3,5 6,8; do
			sed -n ${n}p $K/a.key | openssl pkcs8 -topk8 -scrypt \
			    -passout pass:word
		done
	} >A/.ehr/node.key
	chmod 600 A/.ehr/node.key
	unchecked "what is in node.key"
	pw pass word
	ehr-node -C A peer x true
	EHR_PASSPHRASE_FILE=pass silent ehr-audit -C A
	[[ $output != *node.key* ]]
	flip A/.ehr/node.key 130
	EHR_PASSPHRASE_FILE=pass named node.key
	pw pass another
	flip A/.ehr/node.key 130
	EHR_PASSPHRASE_FILE=pass named node.key
}

@test "the journal: gone, an old copy, the torn end of a crash, new" {
	mv $journal keep && named "absent node consensus/journal"
	grep -v '^6 ' keep >$journal && named "an old copy"
	# A vote for what is not final yet may have been lost, and says so.
	cp keep $journal
	entry 7 "2026-11-22T21:10:11.274Z entered 0"
	ehr-audit -C A >all
	truncate -s -3 $journal && unchecked "the end of consensus/journal"
	cp keep $journal && printf '\0\0\0' >>$journal
	unchecked "the end of consensus/journal"
	truncate -s -9 $journal && named "consensus/journal"
	head -n 1 keep >$journal && unchecked "consensus/journal is new"
	run ! grep -F torn all
	rm A/.ehr/secret && named "absent node secret"
}

@test "votes that cannot be, although the journal is whole" {
	cp $journal keep
	now=2026-11-22T21:10:11.274Z
	id=$(ledger_id A)
	# Twice for one height, without a certificate, below the floor.
	entry 6 "$now prepare 0 $id" && named "contradict each other"
	cp keep $journal && entry 7 "$now commit 0 $id" &&
	    named "contradict each other"
	cp keep $journal && entry 7 floor && entry 7 "$now change-view 1 none" &&
	    named "nothing is signed up to 7"
	cp keep $journal && entry 5 "$now change-view 1 none" && named \
	    "height 5 after one of height 6"
	cp keep $journal && entry 8 "$now change-view 1 none" && named \
	    "this node has voted at height 8"
	cp keep $journal && entry 7 "something else" && named consensus/journal
	# For a block that is not there.
	cp keep $journal && entry 7 "$now prepare 0 $id" && named \
	    "000000007-$id.block: this node has voted"
	# What others signed is verified again.
	sed 's/^6 certificate \(.*\)prepare/6 certificate \1PREPARE/' keep |
	    awk '/^6 certificate/ { exit } { print }' >$journal
	text=$(sed -n 's/^6 certificate \(.*\) [0-9a-f]*$/certificate \1/p' keep)
	entry 6 "${text%[A-Za-z0-9+/]=}$([[ $text == *A= ]] && echo B= ||
	    echo A=)" && named consensus/journal
}

@test "what was signed of the tree: gone, of another one, of more, of less" {
	unchecked "what this node has signed of the tree"
	rewrite 's/^size .*/size 1/' $signed && named consensus/signed
	rewrite 's/^size .*/size 1000/' $signed && named consensus/signed
	rm $signed
	unchecked "what this node has signed of the tree"
	head -n 1 A/.ehr/secret >x && cat x >A/.ehr/secret
	unchecked "whether secret is what it was"
}

@test "a bundle has none of these files" {
	ehr-sync -C A bundle create b.tar
	silent ehr-audit b.tar
	[[ $output == *"node          0 checked, 0 failed"* ]]
	[[ $output != *"node's"* ]]
	tar xf b.tar && rm -r A/.ehr/{node.key,secret,consensus,peers}
	sed -i /name/d A/.ehr/config && mkdir A/.ehr/consensus
	silent ehr-audit -C A
	[[ $output == *"node          0 checked, 0 failed"* ]]
}
