#!/bin/sh
# audit.sh BUNDLE: a second opinion on a ledger (ehr-bundle(5)), with nothing of ours: sh, awk, sed, tar,
# gzip, sha256sum, base64, openssl and the usual small tools of a GNU system.  It is meant to be read: each
# part names its page.  It prints what is wrong as ehr-audit(1) does, and at the end what it has not checked:
# the rules, that is, who may do what.  Status 0 clean, 1 not, 3 no bundle.
set -u; export LC_ALL=C; height=0 size=0 all='' lines='' hour='' holds=0 bad='' broken=''
[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: audit.sh BUNDLE" >&2; exit 2; }
d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && trap 'exit 4' INT TERM && mkdir "$d/u" "$d/t" "$d/logs" || exit 4
failed() { echo "FAILED $1 $2: $3"; bad=1; }				# CLASS WHERE WHAT
not_clean() { [ $# = 0 ] || failed bundle bundle "$1"; echo "NOT CLEAN"; exit 1; }
die() { echo "audit.sh: $1" >&2; exit 3; }
get() { sed -n "/^$1 /{s///p;q;}" "$2"; }				# WORD FILE: what follows it
value() { awk -v n="$1" '$1 "" == n { v = $2 } END { print v }' "$2"; }	# NAME FILE: the last one of it
sum() { set -- $(sha256sum); echo "$1"; }
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
bytes() { printf "$(printf '\\%03o' $(echo "$1" | sed 's/../ 0x&/g'))"; }	# HEX
# --- Merkle trees (ehr-block(5)): a stack of "LEVEL:HASH", the newest first ------------------------------
node() { { printf '\001'; bytes "$1$2"; } | sum; }
push() {	# STACK LEAF NAME: with one more; each eighth level is kept in a file, for the tiles
	level=0 h=$2 name=$3; set -- $1
	while [ $((level % 8)) != 0 ] || echo "$h" >>"../$name.$((level / 8))"; [ "${1+${1%%:*}}" = $level ]; do
		h=$(node "${1#*:}" "$h") level=$((level + 1)); shift
	done; echo "$level:$h $*"; }
root() {	# STACK
	set -- ${1:-0:$(sum </dev/null)}; h=${1#*:}; shift
	for s; do h=$(node "${s#*:}" "$h"); done; echo "$h"; }
# --- signed notes (ehr-note(5)) --------------------------------------------------------------------------
split() {	# NOTE: the files text and sigs; of these, "NAME BASE64" a line
	sed '/^— /,$d' "$1" | sed '$d' >../text; awk '/^— / { print $2, $3 }' "$1" >../sigs
	[ -s ../sigs ] && { cat ../text; echo; sed 's/^/— /' ../sigs; } | cmp -s - "$1"; }
verify() {	# NAME BASE64 KEY [cosigned]: is this a signature of the text by that key?
	type='\001' from=5 pem=MCowBQYDK2VwAyEA${3#*:} opt=''	# Ed25519
	case $3 in rsa:*) type='\377ehr.v1/rsa-pkcs1-sha256' pem=$(echo "${3#*:}" | fold) opt='-digest sha256' ;; esac
	printf %s "$2" | base64 -d >../both 2>/dev/null && [ "$(base64 -w 0 <../both)" = "$2" ] || return 1
	if [ "${4-}" ]; then	# ehr-checkpoint(5): eight bytes of time come first, and are signed, too
		type='\004' from=13; printf 'cosignature/v1\ntime %d\n' $((0x0$(hex -j 4 -N 8 ../both)))
	fi >../signed; cat ../text >>../signed; tail -c +$from ../both >../sig
	printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$pem" >../pem
	id=$({ printf "%s\n$type" "$1"; printf %s "${3#*:}" | base64 -d; } | sum | cut -c 1-8)
	[ "$(hex -N 4 ../both)" = "$id" ] && openssl pkeyutl -verify -pubin -inkey ../pem -rawin $opt \
	    -in ../signed -sigfile ../sig >/dev/null 2>&1 && holds=$((holds + 1))
}
signed() {	# NOTE: by its author alone, with the key that this one has now?
	split "$1" && read -r name sig <../sigs && [ "$name $sig" = "$(cat ../sigs)" ] &&
	    [ "$name" = "$(get author ../text)" ] && verify "$name" "$sig" "$(value "$name" ../keys)"; }
# --- the tar (ehr-bundle(5)): it came whole, and has files of ours, in order, each once ------------------
tail -c 2048 "$1" >"$d/end"
[ "$(head -c 512 "$d/end" | sum)" = c51bd9f8fc200d37ba90becc2ef5fcc8fce90ef642ddfc759eeba2a1abc2abeb ] &&
    { head -c 512 "$d/end"; head -c -2048 "$1" | sum; head -c 1471 /dev/zero; } | cmp -s - "$d/end" ||
    failed bundle bundle "it was cut or altered"
tar tvf "$1" 2>/dev/null | awk '!/^-/ || NF != 6 || $6 !~ "^(bundle|genesis|end|" \
	"(blocks|objects|logs|tiles|checkpoints|staging|pending)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)$" { print "~\n" }
    { split($6, dir, "/"); gsub("/", "\001", $6); printf "%02d %s\n", index("bundle genesis blocks objects " \
	"logs tiles checkpoints staging pending end", dir[1]), $6 }' | sort -cu 2>/dev/null || not_clean "other names"
tar xf "$1" -C "$d/u" 2>/dev/null || failed bundle bundle "tar cannot read all of it"
cd "$d/u" && [ -s bundle ] && [ -s genesis ] || die "not a bundle"	# now what is ours is in ..
# --- the genesis (ehr-genesis(5)), and tables: the last line of a name counts ----------------------------
ledger=$(sum <genesis) head=$ledger; [ "$(get since bundle)" = 0 ] || not_clean "it is not whole"
[ "$(head -n 1 bundle)" = "ehr.v1 bundle $ledger" ] || die "the genesis is another one"
for f in votes patients hours gone have names known slots; do : >"../$f"; done
awk '$1 == "node" { print $2, $3 }' genesis >../nodes
awk '$1 == "admin" { print $2, $3; print $2, $6 >"../slots" }' genesis | cat ../nodes - >../keys
split genesis && read -r name sig <../sigs && [ "$name $sig" = "$(cat ../sigs)" ] &&
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
		[ ! "$hour" ] || echo "$hour $size $(root "$all")" >>../hours
		now=$((now + 3600)); hour=$(date -u -d "@$now" +%Y-%m-%d_%H)
		printf 'ehr.v1 log %s\nhour %s\nprevious %s\n' "$ledger" "$hour" "$(root "$lines")" >"../logs/$hour"
		lines=''; done; [ "$now" -eq "$1" ]; }
now=$(seconds genesis) && now=$((now - 3600)) && go_on $((now + 3600)) && elect || die "the genesis has no time"
# --- transactions (ehr-tx(5)): what they change, and their lines in a log --------------------------------
take() {	# TX ID
	sed -n 's/^ //p' "$1" >../manifest; signed "$1" && { [ ! -s ../manifest ] || signed ../manifest; } || return 1
	awk -v id="$2" -v inner="$(sum <../manifest)" -v user="$(value "$(get record "$1")" ../patients)" '
	    /^$/ { exit } /^ / { of[$1] = $2; next } { f[$1] = $2 } $1 == "for" { votes = votes " " $2 }
	    END { k = f["ehr.v1"]; r = f["record"]; word = f["role"] f["node"] f["reason"] of["label"]
	    if (r == "") user = f["user"] f["node"]; else if (user == "") user = f["author"]
	    handle = length(user) == 17 && user ~ /^u[0-9a-f]+$/
	    if (f["sign"] != "") print user, f["sign"] >>"../keys"
	    if (f["node"] != "" || k == "rekey" && !handle) print user, f["sign"] >>"../nodes"
	    if (k == "vote") print f["author"] votes >>"../votes"
	    if (k == "enroll" || k == "role-key") print user word, f["profile"] f["object"] >>"../slots"
	    if (k == "authorize") { if (inner != r) exit 1; print r, user >>"../patients" }
	    if (k == "authorize" || k == "erase") print "body" r, of["body"] >>"../slots"
	    if (f["header"] != "" || k == "erase") print "header" r, f["header"] >>"../slots"
	    print (user == "" ? "-" : user), f["author"], f["time"], id, k (word == "" ? "" : " ") word >>LOG
	}' LOG="../logs/$hour" "$1"
}
# --- blocks (ehr-block(5)) -------------------------------------------------------------------------------
block() {	# HEIGHT FILE: is it the next one?
	rm -f ../t/*	# the head of the file; no bit of it is another; nothing that means more to a shell
	[ "$(head -c 16 "$2" | hex)" = 1f8b08040000000000ff080045480400 ] && zcat <"$2" >../block 2>/dev/null &&
	    [ "$(hex -j 16 -N 4 "$2")" = "$(tail -c +21 "$2" | gzip | tail -c 8 | hex -N 4)" ] &&
	    [ "$(tr -d '\012\040-\133\135-\176\342\200\224' <../block | wc -c)" = 0 ] || return 1
	awk '{ if (left > 0) { print >out; left -= length($0) + 1 }
	    else if (part == 0) { if ($0 == "") part = 1; else print >"../t/head" }
	    else if (part == 1 && $1 == "certificate") { left = $2; part = 2; out = "../t/cert" }
	    else if (part == 2 && $1 == "tx") { close(out); left = $2; out = sprintf("../t/tx.%06d", ++n) }
	    else exit 1 } END { if (left != 0) exit 1 }' ../block && split ../t/cert || return 1
	# the certificate: by a quorum of the delegates, in their order, and nobody else
	n=$(wc -l <../set); [ "$(wc -l <../sigs)" -ge $((n - (n - 1) / 3)) ] &&
	    awk 'NR == FNR { at[$1] = FNR; next } at[$1] <= last { exit 1 } { last = at[$1] }' ../set ../sigs &&
	    printf 'ehr.v1 commit %s\nheight %s\nview %s\nblock %s\n' "$ledger" "$1" "$(get view ../text)" \
		"$(sum <../t/head)" | cmp -s - ../text || return 1
	while read -r name sig; do verify "$name" "$sig" "$(value "$name" ../set)" || return 1; done <../sigs
	at=$(seconds ../t/head) && go_on "$at" || return 1
	own='' n=0; for tx in $(find ../t -name 'tx.*' | sort); do
		id_of=$(sum <"$tx") n=$((n + 1)) size=$((size + 1)); take "$tx" "$id_of" || return 1
		leaf=$({ printf '\000'; bytes "$id_of"; } | sum); echo "0020$id_of" >>../tree.entries
		own=$(push "$own" "$leaf" own) lines=$(push "$lines" "$leaf" own) all=$(push "$all" "$leaf" tree)
	done; elect
	printf 'ehr.v1 block %s\nheight %s\nparent %s\ntxs %s\nroot %s\nsize %s\ntree %s\ndelegates %s\n' "$ledger" \
	    "$1" "$head" $n "$(root "$own")" $size "$(root "$all")" "$(sum <../set)" >../want
	sed '/^time /d; /^proposer /d' ../t/head | cmp -s - ../want && head=$(sum <../t/head) height=$1; }
for f in $(find blocks -type f 2>/dev/null | sort); do
	next=$(printf 'blocks/%06d/%09d.gz' $(((height + 1) / 1000)) $((height + 1)))
	[ "$f" = "$next" ] && block $((height + 1)) "$f" || { broken=1; break; }; done
[ ! "$broken" ] || failed blocks "$next" "is missing, or does not hold"
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
		if [ "$(sum <../item)" != "$h" ]; then	# zeros: it was erased
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
		echo "${f##*/}" >>../have; [ "$f" = "objects/$(sum <"$f" | sed 's,^..,&/&,')" ] ;; esac ||
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
