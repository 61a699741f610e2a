# ehr-audit --html: a page to print, that says what the report says.

load lib
load bundle

setup_file() { packed; }

setup() { copied; }

# page FILE: its tables, a row on each line, cells divided by "|"; then its
# lists and paragraphs.  Fails, and says why, when it is not well-formed, or has
# anything that is run or comes from elsewhere.
page() {
	python3 "$top/t/page.py" "$1"
}

# report FILE: what the report on stdin says, as page would.
report() {
	sed -n 's/^\([a-z]*\) *\([0-9]*\) checked, \([0-9]*\) failed, \([0-9]*\) absent, \([0-9]*\) erased.*/\1|\2|\3|\4|\5/p'
}

# same_numbers: do the page p.html and the report in "said" agree?
same_numbers() {
	page p.html >cells
	report <said >want
	[ "$(wc -l <want)" -ge 11 ]
	grep -E '^[a-z]+(\|[0-9]+){4}$' cells | diff want -
	sed -n 's/^not checked: //p' said | while read -r gap; do
		grep -qxF "$gap" cells || { echo "no: $gap"; return 1; }
	done
	set -- $(sed -n 's/^head //p' said)
	grep -qxF "Head|block $1, $3 $2" cells
	grep -qx "Ledger|$(ledger_id A)" cells
}

@test "the numbers are those of the report, of a directory and a bundle" {
	silent ehr-audit -C A --html p.html
	printf '%s\n' "$output" >said
	same_numbers
	[ "$(stat -c %a p.html)" = 600 ]
	grep -q '^clean: ' cells
	grep -qx "hospital-a|6|6|6" cells
	grep -qx "Audited|A" cells
	grep -qx "Transactions|21" cells
	grep -qE '^title: [-0-9]+_[0-9]+: transactions [0-9]+, blocks' cells
	# All transactions are in some bar.
	[ "$(sed -n 's/^title: .*transactions \([0-9]*\),.*/\1/p' cells |
	    paste -sd +)" ]
	[ $(($(sed -n 's/^title: .*transactions \([0-9]*\),.*/\1/p' cells |
	    paste -sd +))) -eq 21 ]
	silent ehr-audit good.tar --html p.html
	printf '%s\n' "$output" >said
	same_numbers
	grep -q '^bundle|1|0|0|0$' cells
}

@test "findings, each of them, and the verdict" {
	flip A/.ehr/blocks/000000/000000005.gz 100
	rm A/.ehr/objects/seg/*.seg
	run ehr-audit -C A --html p.html
	[ "$status" -eq 1 ]
	printf '%s\n' "$output" >said
	same_numbers
	grep -q '^NOT CLEAN' cells
	[ "$(grep -cE '^(FAILED|absent) ' said)" -gt 3 ]
	sed -n -E 's/^(FAILED|absent) ([a-z]*) ([^:]*): /\L\1|\2|\3|/p' said |
	    sort >want
	grep -E '^(failed|absent)\|' cells | tr 'A-Z' 'a-z' | sort >got
	tr 'A-Z' 'a-z' <want | diff - got
}

@test "who wants to write into the page cannot" {
	evil='<script>alert(1)</script><img src=x onerror=y>"&'\''&amp;'
	evil=${evil//\//:}
	: >"A/.ehr/blocks/000000/$evil"
	: >"A/.ehr/blocks/000000/"$'\e[31m\xff\xc3\u202e<\u00e9'
	mkdir "<b>&" && mv A "<b>&/"
	run ehr-audit -C "<b>&/A" --html p.html
	[ "$status" -eq 1 ]
	page p.html >cells
	grep -qxF "Audited|<b>&/A" cells
	grep -qF "failed|blocks|blocks/000000/$evil|is not named" cells
	! grep -q '<script\|<img\|<b>' p.html
	grep -qF $'failed|blocks|blocks/000000/\ufffd[31m\ufffd\ufffd\ufffd' \
	    cells
	grep -qF $'<\u00e9|is not named' cells
	! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' p.html
}

@test "more findings than one reads: so many, and how many more there are" {
	(cd A/.ehr/blocks/000000 && seq 1005 | sed 's/^/x/' | xargs touch)
	run ehr-audit -C A --html p.html
	[ "$status" -eq 1 ]
	page p.html >cells
	[ "$(grep -c '^failed|blocks' cells)" -eq 1000 ]
	grep -q '^And 5 more' cells
}

@test "hours, four delegates, and what was given from outside" {
	many=${bin%/bin}/t/many
	[ -x "$many" ] || skip "no $many: make units"
	mkdir m && cd m
	"$many" 6000 A B C D
	ehr-log-merkle -C A --roll
	# This ledger is made up: its objects are absent.
	run ehr-audit -C A --html p.html
	[ "$status" -eq 1 ]
	page p.html >cells
	grep -q '^whether blocks were cut off' cells
	checkpoint=$(ls A/.ehr/checkpoints/* | tail -n 1)
	run ehr-audit -C A --checkpoint "$checkpoint" --html p.html
	printf '%s\n' "$output" >said
	same_numbers
	! grep -q 'whether blocks were cut off' cells
	[ "$(grep -c '^title: .*_[0-9]*: transactions' cells)" -ge 4 ]
	[ $(($(sed -n 's/^title: .*transactions \([0-9]*\),.*/\1/p' cells |
	    paste -sd +))) -eq 6000 ]
	grep -q '^title: .*: transactions 25[0-9][0-9], blocks' cells
	# As the blocks themselves say.
	for f in A/.ehr/blocks/*/*.gz; do
		zcat "$f"
	done | sed -n 's/^proposer //p' | sort | uniq -c |
	    while read -r n node; do
		grep -qx "$node|[0-9]*|[0-9]*|$n" cells
	done
	height=$(ehr-block -C A list -n 1 | cut -d ' ' -f 1)
	[ "$(grep -c "^hospital-[a-d]|$height|[0-9]*|[0-9]*$" cells)" -eq 4 ]
	for f in A/.ehr/blocks/*/*.gz; do
		zcat "$f" | sed -n '/^certificate/,/^tx /s/^\xe2\x80\x94 //p'
	done | cut -d ' ' -f 1 >signed
	for node in hospital-{a,b,c,d}; do
		grep -q "^$node|$height|$(grep -cx $node signed)|" cells
	done
}

@test "a new ledger; with an extract; the old page stays when it cannot be" {
	ehr-init -C new --name '<i>new</i> & "old"' --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" >/dev/null
	ehr-audit -C new --html p.html --format csv >csv
	[ "$(wc -l <csv)" -eq 1 ]
	page p.html >cells
	grep -qxF 'Name|<i>new</i> & "old"' cells
	[ "$(grep -c 'There are no blocks.' cells)" -eq 2 ]
	cp p.html old
	(ulimit -f 0; ehr-audit -C A --html p.html) >said 2>&1 && return 1
	cmp old p.html
	[ -z "$(find . -maxdepth 1 -name '.tmp*')" ]
	run ehr-audit -C A --html no/such/folder
	[ "$status" -eq 4 ]
}
