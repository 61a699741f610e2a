#!/bin/sh
# audit.sh BUNDLE: a second opinion on a ledger (ehr-bundle(5)), with nothing of ours: sh, awk, sed, tar,
# gzip, sha256sum, base64, openssl and the usual small tools of a GNU system.  It is meant to be read: each
# part names its page.  It prints what is wrong as ehr-audit(1) does, and at the end what it has not checked:
# the rules, that is, who may do what.  Status 0 clean, 1 not, 3 no bundle.
set -u; export LC_ALL=C; height=0 size=0 all='' lines='' hour='' holds=0 bad='' broken='' ids=''
[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: audit.sh BUNDLE" >&2; exit 2; }
d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && trap 'exit 4' INT TERM && mkdir "$d/u" "$d/t" "$d/logs" || exit 4
failed() { echo "FAILED $1 $2: $3"; bad=1; }				# CLASS WHERE WHAT
not_clean() { [ $# = 0 ] || failed bundle bundle "$1"; echo "NOT CLEAN"; exit 1; }
die() { echo "audit.sh: $1" >&2; exit 3; }
get() { sed -n "/^$1 /{s///p;q;}" "$2"; }				# WORD FILE: what follows it
value() { awk -v n="$1" '$1 "" == n { v = $2 } END { print v }' "$2"; }	# NAME FILE: the last one of it
sum() { sum=''; sha256sum <"$1" >../sum && read -r sum rest <../sum; }		# FILE: its SHA-256, as $sum
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
eval "$(awk 'BEGIN { for (i = 0; i < 256; i++) printf "x%02x=\\\\%03o ", i, i }')"	# so bytes needs no process
bytes() { b='' s=$1; while [ "$s" ]; do eval "b=\$b\$x${s%"${s#??}"}"; s=${s#??}; done; printf "$b"; }	# HEX
# --- Merkle trees (ehr-block(5)): a stack of "LEVEL:HASH", the newest first ------------------------------
hash() { { printf "$1"; bytes "$2"; } >../bytes; sum ../bytes; }	# PREFIX HEX
push() {	# STACK NAME: $stack, with one $leaf more; each eighth level is kept in a file, for the tiles
	level=0 h=$leaf name=$2; set -- $1
	while [ $((level % 8)) != 0 ] || echo "$h" >>"../$name.$((level / 8))"; [ "${1+${1%%:*}}" = $level ]; do
		hash '\001' "${1#*:}$h"; h=$sum level=$((level + 1)); shift
	done; stack="$level:$h $*"; }
root() { [ "$1" ] || sum /dev/null; set -- $1; sum=${1-:$sum} sum=${sum#*:}; [ $# = 0 ] || shift	# STACK: $sum
	for node; do hash '\001' "${node#*:}$sum"; done; }
# --- signed notes (ehr-note(5)) --------------------------------------------------------------------------
split() {	# NOTE: the files text and sigs; of these, "NAME BASE64" a line
	: >../text; : >../sigs; awk '/^— / { if (!n++) print ""; print "—", $2, $3; print $2, $3 >"../sigs" }
	    NR > 1 && !n { print l; print l >"../text" } { l = $0 }' "$1" >../note; [ -s ../sigs ] && cmp -s ../note "$1"; }
verify() {	# NAME BASE64 KEY [cosigned]: is this a signature of the text by that key?
	type='\001' from=5 pem=MCowBQYDK2VwAyEA${3#*:} opt='' in=../text	# Ed25519
	case $3 in rsa:*) type='\377ehr.v1/rsa-pkcs1-sha256' pem=$(echo "${3#*:}" | fold) opt='-digest sha256' ;; esac
	printf %s "$2" >../base64; base64 -d ../base64 >../both 2>/dev/null && [ "$(base64 -w 0 ../both)" = "$2" ] || return
	if [ "${4-}" ]; then	# ehr-checkpoint(5): eight bytes of time come first, and are signed, too
		type='\004' from=13 in=../signed
		{ printf 'cosignature/v1\ntime %d\n' $((0x0$(hex -j 4 -N 8 ../both))); cat ../text; } >$in; fi
	key=" $1 $3 $from:"; case $ids in *"$key"*) ;; *)	# the id of a key is computed once
		{ printf "%s\n$type" "$1"; printf %s "${3#*:}" | base64 -d; } >../key; sum ../key; ids=$ids$key$sum ;; esac
	printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$pem" >../pem; tail -c +$from ../both >../sig
	id=${ids#*"$key"}; bytes "${id%% *}" >../id; cmp -s -n 4 ../id ../both && openssl pkeyutl -verify -pubin \
	    -inkey ../pem -rawin $opt -in $in -sigfile ../sig >/dev/null 2>&1 && holds=$((holds + 1)); }
signed() {	# NOTE: by its author alone, with the key that this one has now?
	split "$1" && { read -r name sig && ! read -r rest; } <../sigs && verify "$name" "$sig" "$(awk -v n="$name" '
	    NR == FNR { if (!by && sub(/^author /, "")) by = $0; next } by "" == n "" && $1 "" == n "" { key = $2 }
	    END { print key }' ../text ../keys)"; }
# --- the tar (ehr-bundle(5)): it came whole, and has files of ours, in order, each once ------------------
tail -c 2048 "$1" >"$d/end"; set -- "$1" $(head -c 512 "$d/end" | sha256sum) $(head -c -2048 "$1" | sha256sum)
[ "$2" = c51bd9f8fc200d37ba90becc2ef5fcc8fce90ef642ddfc759eeba2a1abc2abeb ] &&
    { head -c 512 "$d/end"; echo "$4"; head -c 1471 /dev/zero; } | cmp -s - "$d/end" ||
    failed bundle bundle "it was cut or altered"
tar tvf "$1" 2>/dev/null | awk '!/^-/ || NF != 6 || $6 !~ "^(bundle|genesis|end|" \
	"(blocks|objects|logs|tiles|checkpoints|staging|pending)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)$" { print "~\n" }
    { split($6, dir, "/"); gsub("/", "\001", $6); printf "%02d %s\n", index("bundle genesis blocks objects " \
	"logs tiles checkpoints staging pending end", dir[1]), $6 }' | sort -cu 2>/dev/null || not_clean "other names"
tar xf "$1" -C "$d/u" 2>/dev/null || failed bundle bundle "tar cannot read all of it"
cd "$d/u" && [ -s bundle ] && [ -s genesis ] || die "not a bundle"	# now what is ours is in ..
# --- the genesis (ehr-genesis(5)), and tables: the last line of a name counts ----------------------------
sum genesis; ledger=$sum head=$sum; [ "$(get since bundle)" = 0 ] || not_clean "it is not whole"
[ "$(head -n 1 bundle)" = "ehr.v1 bundle $ledger" ] || die "the genesis is another one"
for f in votes patients hours gone have names known slots; do : >"../$f"; done
awk '$1 == "node" { print $2, $3 }' genesis >../nodes
awk '$1 == "admin" { print $2, $3; print $2, $6 >"../slots" }' genesis | cat ../nodes - >../keys
split genesis && { read -r name sig && ! read -r rest; } <../sigs &&
    verify "$name" "$sig" "$(value "$name" ../nodes)" || die "the genesis is not signed"
elect() {	# the delegates (ehr-block(5)): active nodes, by votes, then by name
	awk 'NR == FNR { key[$1] = $2; next } { vote[$1] = $0 }
	    END { for (v in vote) if (key[v] != "") for (i = split(vote[v], w); i > 1; i--) n[w[i]]++
	    for (k in key) if (key[k] != "") print n[k] + 0, k, key[k] }' ../nodes ../votes |
	    sort -k1,1nr -k2,2 | head -n "$(get delegates genesis)" | cut -d' ' -f2- >../set; }
# --- hours: logs as they must be (ehr-log(5)); "HOUR SIZE ROOT" in hours, the tree at the end of each ----
seconds() { date -u -d "$(get time "$1" | sed 's/T/ /; s/:.*/:00/')" +%s 2>/dev/null; }	# FILE
go_on() {	# SECONDS: to this hour
	while [ "$now" -lt "$1" ]; do
		[ ! "$hour" ] || { root "$all"; echo "$hour $size $sum" >>../hours; }; root "$lines"
		now=$((now + 3600)); hour=$(date -u -d "@$now" +%Y-%m-%d_%H)
		printf 'ehr.v1 log %s\nhour %s\nprevious %s\n' "$ledger" "$hour" "$sum" >"../logs/$hour"
		lines=''; done; [ "$now" -eq "$1" ]; }
now=$(seconds genesis) && now=$((now - 3600)) && go_on $((now + 3600)) && elect || die "the genesis has no time"
# --- transactions (ehr-tx(5)): what they change, and their lines in a log --------------------------------
take() {	# TX ID
	sed -n 's/^ //p' "$1" >../manifest; signed "$1" && { [ ! -s ../manifest ] || signed ../manifest; } || return 1
	sum ../manifest; awk -v id="$2" -v inner="$sum" 'BEGIN { while ((getline <"../patients") > 0) patient[$1] = $2 }
	    /^$/ { exit } /^ / { of[$1] = $2; next } { f[$1] = $2 } $1 == "for" { votes = votes " " $2 }
	    END { k = f["ehr.v1"]; r = f["record"]; word = f["role"] f["node"] f["reason"] of["label"]
	    user = r == "" ? f["user"] f["node"] : patient[r] == "" ? f["author"] : patient[r]
	    handle = length(user) == 17 && user ~ /^u[0-9a-f]+$/
	    if (f["sign"] != "") print user, f["sign"] >>"../keys"
	    if (f["node"] != "" || k == "rekey" && !handle) print user, f["sign"] >>"../nodes"
	    if (k == "vote") print f["author"] votes >>"../votes"
	    if (k == "enroll" || k == "role-key") print user word, f["profile"] f["object"] >>"../slots"
	    if (k == "authorize") { if (inner != r) exit 1; print r, user >>"../patients" }
	    if (k == "authorize" || k == "erase") print "body" r, of["body"] >>"../slots"
	    if (f["header"] != "" || k == "erase") print "header" r, f["header"] >>"../slots"
	    print (user == "" ? "-" : user), f["author"], f["time"], id, k (word == "" ? "" : " ") word >>LOG
	}' LOG="../logs/$hour" "$1"; }
# --- blocks (ehr-block(5)) -------------------------------------------------------------------------------
block() {	# HEIGHT FILE: is it the next one?
	rm -f ../t/*	# the head of the file; no bit of it is another; nothing that means more to a shell
	zcat <"$2" >../block 2>/dev/null && [ "$(hex -N 20 "$2")" = \
	    "1f8b08040000000000ff080045480400$(tail -c +21 "$2" | gzip | tail -c 8 | hex -N 4)" ] &&
	    [ "$(tr -d '\012\040-\133\135-\176\342\200\224' <../block | wc -c)" = 0 ] || return 1
	awk '{ if (left > 0) { print >out; left -= length($0) + 1 }
	    else if (part == 0) { if ($0 == "") part = 1; else print >"../t/head" }
	    else if (part == 1 && $1 == "certificate") { left = $2; part = 2; out = "../t/cert" }
	    else if (part == 2 && $1 == "tx") { close(out); left = $2; out = sprintf("../t/tx.%06d", ++n) }
	    else exit 1 } END { if (left != 0) exit 1 }' ../block && split ../t/cert || return 1
	# the certificate: by a quorum of the delegates, in their order, and nobody else
	sum ../t/head; n=$(wc -l <../set); [ "$(wc -l <../sigs)" -ge $((n - (n - 1) / 3)) ] &&
	    awk 'NR == FNR { at[$1] = FNR; next } at[$1] <= last { exit 1 } { last = at[$1] }' ../set ../sigs &&
	    printf 'ehr.v1 commit %s\nheight %s\nview %s\nblock %s\n' "$ledger" "$1" "$(get view ../text)" \
		"$sum" | cmp -s - ../text && next=$sum || return 1
	while read -r name sig; do verify "$name" "$sig" "$(value "$name" ../set)" || return 1; done <../sigs
	at=$(seconds ../t/head) && go_on "$at" || return 1
	own='' n=0; find ../t -name 'tx.*' | sort | xargs -r sha256sum >../txs; while read -r id_of tx; do
		n=$((n + 1)) size=$((size + 1)); take "$tx" "$id_of" || return 1
		hash '\000' "$id_of"; leaf=$sum; echo "0020$id_of" >>../tree.entries
		push "$own" own; own=$stack; push "$lines" own; lines=$stack; push "$all" tree; all=$stack
	done <../txs; elect; sum ../set; set=$sum; root "$own"; own=$sum; root "$all"
	printf 'ehr.v1 block %s\nheight %s\nparent %s\ntxs %s\nroot %s\nsize %s\ntree %s\ndelegates %s\n' "$ledger" \
	    "$1" "$head" $n "$own" $size "$sum" "$set" >../want
	sed '/^time /d; /^proposer /d' ../t/head | cmp -s - ../want && head=$next height=$1; }
for f in $(find blocks -type f 2>/dev/null | sort); do
	want=$(printf 'blocks/%06d/%09d.gz' $(((height + 1) / 1000)) $((height + 1)))
	[ "$f" = "$want" ] && block $((height + 1)) "$f" || { broken=1; break; }; done
[ ! "$broken" ] || failed blocks "$want" "is missing, or does not hold"
printf 'ehr.v1 bundle %s\nsince 0\nheight %s\nhead %s\n' "$ledger" $height "$head" | cmp -s - bundle ||
    failed bundle bundle "its blocks end elsewhere"
# --- objects and what waits (ehr-repository(5)): files, and segments of items ----------------------------
awk '{ if (is[$1] != "") print is[$1] >"../gone"; is[$1] = $2 }
    END { for (s in is) if (is[s] != "" && is[s] != "none") print is[s] }' ../slots | sort >../want
items() {	# FILE KIND: is it a segment, with items that are what they are named?
	at=$((17 + ${#2})) n=0 header=''; [ "$(head -n 1 "$1")" = "ehr.v1 segment $2" ] || return 1
	while line=$(tail -c +$at "$1" | head -n 1 | tr -d '\000'); do
		h=${line% *} s=${line#* } at=$((at + ${#line} + 1))
		[ "$line" != "end $n" ] || { [ $at = $(($(wc -c <"$1") + 1)) ] && [ $n != 0 ] && [ ! "$header" ]; return; }
		printf '%s\n' "$line" | grep -Eq '^[0-9a-f]{64} (0|[1-9][0-9]{0,6})$' || return 1
		tail -c +$at "$1" | head -c "$s" >../item; at=$((at + s + 1)) n=$((n + 1))
		[ "$(hex -j $((at - 2)) -N 1 "$1")" = 0a ] || return 1
		sum ../item; if [ "$sum" != "$h" ]; then	# zeros: it was erased
			[ "$2" = objects ] && [ "$(tr -d '\000' <../item | wc -c)" = 0 ] && grep -q "^$h$" ../gone ||
			    { failed "$2" "$1" "the item $h is another one"; echo "$h" >>../have; }
		elif [ "$2" = objects ]; then echo "$h" >>../have
		elif [ "$header" ]; then [ "$header" = "$h" ] && header='' || return 1
		else waits "$1" "$2"; fi
	done
}
waits() {	# FILE KIND: signed by who is on the ledger, and the objects that it names are here
	[ "$2" = pending ] && words=' body|profile|object|header' || words=body header=$(get header ../item)
	sed -nE "s/^($words) ([0-9a-f]{64})( .*)?$/\\2/p" ../item >>../names; sed -n 's/^ //p' ../item >../manifest
	for note in ../item ../manifest; do [ ! "$(value "$(get author $note)" ../keys)" ] || signed $note ||
	    failed "$2" "$1" "an item is not signed"; done; }
for f in $(find objects staging pending -type f 2>/dev/null | sort); do
	case $f in objects/seg/*/* | [sp]*/*/*) false ;; objects/seg/* | [sp]*) items "$f" "${f%%/*}" ;; *)
		echo "${f##*/}" >>../have; sum "$f"; [ "$f" = "objects/${sum%"${sum#??}"}/$sum" ] ;; esac ||
		failed "${f%%/*}" "$f" "is no segment, or not what its name says"; done
sort -u -o ../have ../have; grep -vxFf ../gone ../names | sort -u - ../want | comm -23 - ../have >../absent
[ ! -s ../absent ] || { sed 's/.*/absent objects &: it is not here/' ../absent; bad=1; }
for h in $(grep -vxFf ../want ../gone | grep -xFf - ../have); do failed objects "$h" "was dismissed"; done
[ ! "$broken" ] || not_clean	# nothing to hold the rest against
# --- logs (ehr-log(5)): of hours since the genesis, up to the newest that is here, which may go on -------
for f in $(ls logs 2>/dev/null); do [ -e "../logs/$f" ] || failed logs "logs/$f" "is no log of this chain"; done
newest=$({ ls logs; ls ../logs; } 2>/dev/null | sort | uniq -d | tail -n 1)
for f in $([ ! "$newest" ] || ls ../logs | sed "/^$newest$/q"); do
	[ "$f" = "$newest" ] && n=$(wc -l <"logs/$f") || n=-0
	head -n "$n" "../logs/$f" | cmp -s - "logs/$f" && [ -s "logs/$f" ] || failed logs "logs/$f" "is not what it was"
done
# --- tiles (ehr-repository(5)): all that are here follow from the leaves; those of the hours before are --
need=0; [ ! -e tiles/tile ] || need=$(awk -v h="$newest" 'h && $1 < h { n = $2 } END { print n + 0 }' ../hours)
for level in entries 0 1 2 3 4 5 6 7; do
	case $level in [1-7]) need=$((need / 256)) ;; esac
	n=0; : >>"../tree.$level"; while [ $((256 * n)) -lt "$(wc -l <"../tree.$level")" ]; do
		f=tiles/tile/$level/$(printf %09d $n | sed -E 's,(...)(...),x\1/x\2/,; s,^(x000/)*,,')
		sed -n "$((256 * n + 1)),$((256 * n + 256))p" "../tree.$level" >../tile
		for w in $(ls "$f.p" 2>/dev/null | grep -xE '[1-9][0-9]{0,2}') 256; do
			[ "$w" = 256 ] && g=$f || g=$f.p/$w; [ -e "$g" ] && [ "$w" -le "$(wc -l <../tile)" ] || continue
			echo "$g" >>../known; [ "$(head -n "$w" ../tile | tr -d '\n')" = "$(hex "$g")" ] ||
			    failed tiles "$g" "differs from what the blocks give"
		done
		w=$((need - 256 * n)) n=$((n + 1)); [ "$w" -ge 256 ] && g=$f || g=$f.p/$w
		[ "$w" -le 0 ] || [ -e "$f" ] || [ -e "$g" ] || failed tiles "$g" "is missing"
	done; done
for f in $(find tiles/tile -type f 2>/dev/null | grep -vxFf ../known); do failed tiles "$f" "is no tile"; done
# --- checkpoints (ehr-checkpoint(5)): the tree at the end of an hour that is over, signed by nodes -------
by_node() {	# NAME BASE64: by any key that it, for the ledger any node, has had
	while read -r name key; do
		[ "$1" = "$ledger" ] && verify "$1" "$2" "$key" && return
		[ "$1" = "$name" ] && [ "${key#ed25519}" != "$key" ] && verify "$1" "$2" "$key" cosigned && return
	done <../nodes; return 1; }
for f in $(ls checkpoints 2>/dev/null); do
	set -- $(awk -v h="$f" '$1 "" == h' ../hours); split "checkpoints/$f" && [ $# = 3 ] &&
	    printf '%s\n' "$ledger" "$2" "$(bytes "$3" | base64)" | cmp -s - ../text ||
	    { failed checkpoints "checkpoints/$f" "is not the tree at the end of that hour"; continue; }
	while read -r by sig; do by_node "$by" "$sig" ||
	    failed checkpoints "checkpoints/$f" "has a signature that is no node's"; done <../sigs; done
[ ! -e tiles/checkpoint ] || cmp -s "checkpoints/$(ls checkpoints 2>/dev/null | tail -n 1)" tiles/checkpoint ||
    failed checkpoints tiles/checkpoint "is not the newest checkpoint"
printf 'ledger %s\nhead %s %s\n%s signatures hold\n' "$ledger" $height "$head" $holds
echo "not checked: the rules (who may do what), and whether the end was cut off"
[ ! "$bad" ] && echo clean || not_clean
