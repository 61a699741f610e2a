#!/bin/sh
# audit.sh BUNDLE: a second opinion on a ledger (ehr-bundle(5)), with nothing of
# ours: sh, awk, tar, zcat, gzip, sha256sum, openssl and the usual small tools.
#
# It checks hashes, the chain, Merkle roots, signatures of transactions, of
# staged records and on blocks, delegates and their quorum, objects, logs, and
# the heads in checkpoints.  It does not check the rules (who may do what), tiles
# and signatures of checkpoints: ehr-audit does.  0 clean, 1 not, 3 no bundle.
set -u
export LC_ALL=C
[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: audit.sh BUNDLE" >&2; exit 2; }
d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && mkdir "$d/u" "$d/t" "$d/logs" || exit 4
count=0 bad=0 none=$(printf '' | sha256sum | cut -c 1-64)
failed() { echo "FAILED $1: $2"; bad=1; }
die() { echo "audit.sh: $1" >&2; exit 3; }
end() { [ -z "${1-}" ] || failed "bundle bundle" "$1"; echo "NOT CLEAN"; exit 1; }
sum() { sha256sum | cut -c 1-64; }
get() { sed -n "s/^$1 //p" "$2" | head -n 1; }
bin() {		# the bytes of a hex number
	printf "$(echo "$1" | sed 's/../&\
/g' | awk 'NF { printf "\\%03o", 16 * (index(h, substr($0, 1, 1)) - 1) + index(h, substr($0, 2, 1)) - 1 }' h=0123456789abcdef)"
}
# --- Merkle trees (RFC 6962): a stack of "LEVEL:HASH", the newest first --------
leaf() { { printf '\000'; bin "$1"; } | sum; }
node() { { printf '\001'; bin "$1$2"; } | sum; }
push() {	# STACK LEAF: the stack with one more
	l=0 h=$2
	set -- $1
	while [ "${1-}" ] && [ "${1%%:*}" = $l ]; do
		h=$(node "${1#*:}" "$h") l=$((l + 1)); shift
	done; echo "$l:$h $*"
}
root() {	# STACK: the root
	set -- $1
	[ $# -gt 0 ] && h=${1#*:} && shift || h=$none
	for s; do h=$(node "${s#*:}" "$h"); done; echo "$h"
}
# --- signed notes (ehr-note(5)) -----------------------------------------------
signed() {	# NOTE NAME: is it signed with the newest key of that name?
	key=$(get "$2" "$d/keys")
	end=$(grep -n '^$' "$1" | tail -n 1 | cut -d: -f1); [ "$key" ] && [ "$end" ] || return 1
	head -n $((end - 1)) "$1" >"$d/text"
	tail -n +$((end + 1)) "$1" | sed -n "s/^— $2 //p" | tr -d '\n' | openssl base64 -d -A >"$d/both" 2>/dev/null
	tail -c +5 "$d/both" >"$d/sig"
	printf %s "${key#*:}" | openssl base64 -d -A >"$d/raw"
	case $key in
	rsa:*)	type='\377ehr.v1/rsa-pkcs1-sha256' o='-digest sha256' x= ;;
	*)	type='\001' o= x=302a300506032b6570032100 ;;
	esac
	{ bin "$x"; cat "$d/raw"; } >"$d/der"
	{ printf "%s\n$type" "$2"; cat "$d/raw"; } | openssl dgst -sha256 -binary | head -c 4 >"$d/id"
	head -c 4 "$d/both" | cmp -s - "$d/id" && openssl pkeyutl -verify -pubin -keyform DER -inkey "$d/der" \
	    -rawin $o -in "$d/text" -sigfile "$d/sig" >/dev/null 2>&1 && count=$((count + 1))
}
set_key() { { echo "$1 $2"; grep -v "^$1 " "$3"; } >"$d/new"; mv "$d/new" "$3"; }
elect() {	# the delegates: most votes of active nodes, then by name
	awk 'NR == FNR { key[$1] = $2; n[$1] = 0; next }
	    $1 in key { for (i = 2; i <= NF; i++) n[$i]++ }
	    END { for (k in key) print n[k], k, key[k] }' "$d/nodes" "$d/votes" |
	    sort -k1,1nr -k2,2 | head -n "$seats" | cut -d' ' -f2- >"$d/set"
}
# --- the tar ------------------------------------------------------------------
[ "$(tail -c 2048 "$1" | head -c 512 | sum)" = \
    c51bd9f8fc200d37ba90becc2ef5fcc8fce90ef642ddfc759eeba2a1abc2abeb ] &&
    [ "$(tail -c 1536 "$1" | head -c 64)" = "$(head -c -2048 "$1" | sum)" ] &&
    [ "$(tail -c 1472 "$1" | tr -d '\000' | wc -c)" = 1 ] ||
    failed "bundle bundle" "it was cut or altered"
tar tvf "$1" 2>/dev/null | grep -v '^-' && end "it has what is no file"
tar tf "$1" 2>/dev/null | grep -Ev '^(bundle|genesis|end|(blocks|objects|logs|tiles|checkpoints|staging|pending)(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+)$' && end "it has other names"
[ -z "$(tar tf "$1" 2>/dev/null | sort | uniq -d)" ] || end "it has a name twice"
tar xf "$1" -C "$d/u" 2>/dev/null || failed "bundle bundle" "tar cannot read all of it"
cd "$d/u" && [ -s bundle ] && [ -s genesis ] || die "not a bundle"
# --- the genesis ----------------------------------------------------------------
ledger=$(sum <genesis)
[ "$(head -n 1 bundle)" = "ehr.v1 bundle $ledger" ] || die "the genesis is another one"
[ "$(get since bundle)" = 0 ] || end "it is not whole"
awk '$1 == "node" || $1 == "admin" { print $2, $3 }' genesis >"$d/keys"
awk '$1 == "node" { print $2, $3 }' genesis >"$d/nodes"
awk '$1 == "admin" && $6 != "none" { print "P", $6 }' genesis >"$d/named"
: >"$d/votes"; : >"$d/patients"; seats=$(get delegates genesis); elect
signed genesis "$(tail -n 1 genesis | cut -d' ' -f2)" || die "the genesis is not signed"
# --- blocks (ehr-block(5)) ------------------------------------------------------
take() {	# TX: what changes by it
	kind=$(head -n 1 "$1" | cut -d' ' -f2) who=$(get author "$1") user=- word=
	rec=$(get record "$1") role=$(get role "$1")
	case $kind in
	enroll)	user=$(get user "$1") word=" $role"; set_key "$user" "$(get sign "$1")" "$d/keys"
		sed -n '/^profile none/d; s/^profile /P /p' "$1" >>"$d/named" ;;
	rekey)	user=$(get user "$1"); set_key "$user" "$(get sign "$1")" "$d/keys"
		! grep -q "^$user " "$d/nodes" || set_key "$user" "$(get sign "$1")" "$d/nodes" ;;
	role-grant | role-revoke | role-define) user=$(get user "$1") word=" $role"; user=${user:--} ;;
	role-key) word=" $role"; echo "K $role $(get object "$1")" >>"$d/named" ;;
	node-*)	user=$(get node "$1"); word=" $user"; grep -v "^$user " "$d/nodes" >"$d/new"; mv "$d/new" "$d/nodes"
		[ "$kind" = node-remove ] || for f in keys nodes; do set_key "$user" "$(get sign "$1")" "$d/$f"; done ;;
	vote)	set_key "$who" "$(sed -n 's/^for //p' "$1" | tr '\n' ' ')" "$d/votes" ;;
	authorize) sed -n 's/^ //p' "$1" >"$d/manifest"
		signed "$d/manifest" "$(get author "$d/manifest")" && [ "$(sum <"$d/manifest")" = "$rec" ] || return 1
		echo "$rec $who" >>"$d/patients"
		word=" $(get label "$d/manifest")"
		echo "R $rec $(get body "$d/manifest" | cut -d' ' -f1) $(get header "$1")" >>"$d/named" ;;
	grant | withdraw) echo "H $rec $(get header "$1")" >>"$d/named" ;;
	erase)	word=" $(get reason "$1")"; echo "E $rec" >>"$d/named" ;;
	esac
	[ -z "$rec" ] || user=$(get "$rec" "$d/patients"); echo "${user:-$who} $who $(get time "$1") $2 $kind$word" >>"$d/logs/$hour"
}
block() {	# HEIGHT FILE: does it follow?
	rm -f "$d"/t/*
	[ "$(head -c 16 "$2" | sum)" = "$(bin 1f8b08040000000000ff080045480400 | sum)" ] && [ "$(tail -c +17 "$2" |
	    head -c 4 | sum)" = "$(tail -c +21 "$2" | gzip -c | tail -c 8 | head -c 4 | sum)" ] || return 1
	zcat <"$2" 2>/dev/null >"$d/block" || return 1
	awk '{ if (left > 0) { print >out; left -= length($0) + 1 }
	    else if (part == 0 && $0 == "") part = 1
	    else if (part == 0) print >(D "/head")
	    else if (part == 1 && $1 == "certificate") { left = $2; part = 2; out = D "/cert" }
	    else if (part == 2 && $1 == "tx") { close(out); left = $2; out = sprintf("%s/tx.%06d", D, ++n) }
	    else exit 1 } END { if (left != 0) exit 1 }' D="$d/t" "$d/block" || return 1
	id=$(sum <"$d/t/head") && hour=$(get time "$d/t/head" | sed 's/T/_/; s/:.*//')
	[ "$(head -n 1 "$d/t/head")" = "ehr.v1 block $ledger" ] && [ "$(get height "$d/t/head")" = "$1" ] && [ "$(get parent "$d/t/head")" = "$head" ] || return 1
	printf 'ehr.v1 commit %s\nheight %s\nview %s\nblock %s\n\n' "$ledger" "$1" \
	    "$(get view "$d/t/cert")" "$id" | cmp -s - "$(sed '/^— /d' "$d/t/cert" >"$d/c"; echo "$d/c")" || return 1
	n=$(wc -l <"$d/set") got=0; for who in $(sed -n 's/^— \([^ ]*\) .*/\1/p' "$d/t/cert"); do
		grep -q "^$who " "$d/set" && signed "$d/t/cert" "$who" || return 1
		got=$((got + 1)); done
	[ -z "$(grep '^— ' "$d/t/cert" | sort | uniq -d)" ] && [ $got -ge $((n - (n - 1) / 3)) ] || return 1
	own=''; : >>"$d/logs/$hour"
	for tx in "$d"/t/tx.*; do
		[ -e "$tx" ] && txid=$(sum <"$tx") && leaf=$(leaf "$txid") || continue
		[ "$(head -n 1 "$tx" | cut -d' ' -f3)" = "$ledger" ] && signed "$tx" "$(get author "$tx")" || return 1
		take "$tx" "$txid" || return 1
		own=$(push "$own" "$leaf") all=$(push "$all" "$leaf") size=$((size + 1))
	done
	elect; [ "$(root "$own")" = "$(get root "$d/t/head")" ] && [ "$(get size "$d/t/head")" = $size ] &&
	    [ "$(root "$all")" = "$(get tree "$d/t/head")" ] && [ "$(sum <"$d/set")" = "$(get delegates "$d/t/head")" ] || return 1
	echo "$size $(get tree "$d/t/head")" >>"$d/trees"; head=$id
}
head=$ledger size=0 all='' i=1 last=$(get height bundle) whole=1
while [ $i -le "$last" ]; do
	f=$(printf 'blocks/%06d/%09d.gz' $((i / 1000)) $i)
	block $i "$f" || { failed "blocks $f" "it, or what it follows, does not hold"; whole=0; break; }
	i=$((i + 1)); done
[ "$head" = "$(get head bundle)" ] || failed "bundle bundle" "its blocks end elsewhere"
[ "$(find blocks -type f 2>/dev/null | wc -l)" = "$last" ] || failed "blocks blocks" "there are others, or too few"
# --- segments and objects (ehr-repository(5)) -----------------------------------
items() {	# FILE KIND: each item to $d/item, then "item HASH FILE"
	at=$((15 + ${#2} + 1)) n=0
	[ "$(head -n 1 "$1")" = "ehr.v1 segment $2" ] || return 1
	while line=$(tail -c +$((at + 1)) "$1" | head -n 1 | tr -d '\000'); do
		case $line in "end $n") [ $((at + ${#line} + 1)) = "$(wc -c <"$1")" ]; return ;; esac
		echo "$line" | grep -Eq '^[0-9a-f]{64} [1-9][0-9]{0,6}$' || return 1
		at=$((at + ${#line} + 1)) s=${line#* } n=$((n + 1))
		tail -c +$((at + 1)) "$1" | head -c "$s" >"$d/item"
		[ "$(tail -c +$((at + s + 1)) "$1" | head -c 1 | od -An -c | tr -d ' ')" = '\n' ] || return 1
		at=$((at + s + 1)); item "${line% *}" "$1"; done
}
wait=; item() {	# of objects: remember it; of what waits: its hash, and who signed it
	[ "$(sum <"$d/item")" = "$1" ] && good=1 || good=0
	if [ -z "$wait" ]; then
		[ $good = 1 ] && echo "$1" >>"$d/have" && return
		[ "$(tr -d '\000' <"$d/item" | wc -c)" = 0 ] && grep -q "^$1$" "$d/gone" ||
		    failed "objects $2" "the item $1 is another one"
	elif [ $good = 0 ]; then failed "$wait $2" "an item is another one"
	elif sed -nE "s/^ ?body ([0-9a-f]{64}) .*/\\1/p; $([ "$wait" = staging ] || printf %s 's/^(profile|object|header) ([0-9a-f]{64})$/\2/p')" \
	    "$d/item" | grep -vxFf "$d/gone" >>"$d/more"; who=$(get author "$d/item") && [ "$who" ] && grep -q "^$who " "$d/keys"; then
		signed "$d/item" "$who" || failed "$wait $2" "an item is not signed"
	fi
}
awk '$1 == "P" { want[$2]++ } $1 == "K" { drop(role[$2]); want[role[$2] = $3]++ }
    $1 == "R" { body[$2] = $3; header[$2] = $4; want[$3]++; want[$4]++ }
    $1 == "H" { drop(header[$2]); want[header[$2] = $3]++ }
    $1 == "E" { drop(body[$2]); drop(header[$2]) }
    function drop(h) { if (h != "") { delete want[h]; print h >GONE } }
    END { for (h in want) print h }' GONE="$d/gone" "$d/named" | sort >"$d/want"
: >>"$d/gone"; : >"$d/have"; : >"$d/more"
for f in $(find objects -type f 2>/dev/null | sort); do
	case $f in
	objects/seg/*) items "$f" objects || failed "objects $f" "it is no segment" ;;
	*)	h=$(sum <"$f") && [ "$f" = "objects/${h%"${h#??}"}/$h" ] && echo "${f##*/}" >>"$d/have" || failed "objects $f" "not what it is named" ;;
	esac
done
for wait in staging pending; do for f in "$wait"/*; do
	[ ! -e "$f" ] || items "$f" "$wait" || failed "$wait $f" "it is no segment"
done; done
sort -u "$d/have" >"$d/h"; [ $whole = 0 ] || for f in $(sort -u "$d/want" "$d/more" | comm -13 "$d/h" -); do echo "absent objects $f"; bad=1; done
for f in $(sort -u "$d/gone" | comm -12 - "$d/h" | comm -23 - "$d/want"); do failed "objects $f" "was dismissed"; done
# --- logs (ehr-log(5)) and heads (ehr-checkpoint(5)) ----------------------------
prev=$none
for f in $([ $whole = 0 ] || ls logs 2>/dev/null); do
	{ printf 'ehr.v1 log %s\nhour %s\nprevious %s\n' "$ledger" "$f" "$prev"
	  cat "$d/logs/$f" 2>/dev/null; } | cmp -s - "logs/$f" || failed "logs logs/$f" "is not what the blocks give"
	own=''
	for h in $(cut -d' ' -f4 "$d/logs/$f" 2>/dev/null); do own=$(push "$own" "$(leaf "$h")"); done
	prev=$(root "$own")
done; for f in $([ $whole = 0 ] || ls checkpoints 2>/dev/null); do
	h=$(sed -n 3p "checkpoints/$f" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
	[ "$(head -n 1 "checkpoints/$f")" = "$ledger" ] && grep -q "^$(sed -n 2p "checkpoints/$f") $h$" \
	    "$d/trees" || failed "checkpoints checkpoints/$f" "is not the head of these blocks"
done
printf 'ledger %s\nhead %s %s\n%s signatures hold\n' "$ledger" $((i - 1)) "$head" "$count"
echo "not checked: the rules, tiles, signatures of checkpoints, and whether the end was cut off"
[ $bad = 0 ] && echo clean || end
