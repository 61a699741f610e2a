# ehr-keygen: identities and their cards.

load lib

setup_file() {
	"${CC:-gcc}" -std=c17 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/pty" \
	    "$BATS_TEST_DIRNAME/pty.c"
}

setup() {
	tmp
	PATH=$PATH:$BATS_FILE_TMPDIR
}

# node FILE: a key without a passphrase.
node() { ehr-keygen --node -n hospital-a --no-passphrase -o "$1"; }

# user FILE: one that the passphrase in pw opens.
user() {
	pw
	ehr-keygen -n "Kun M" -e kun@example.org --passphrase-file pw -o "$1"
}

# one FILE KEY: the value of KEY in what show says of FILE (asked once).
one() {
	[ -e "$1.txt" ] ||
	    ehr-keygen show --passphrase-file pw "$1" >"$1.txt"
	sed -n "s/^$2 //p" "$1.txt"
}

# nothing FILE...: none of them exists, and no temporary file.
nothing() {
	for f do
		[ ! -e "$f" ] || { echo "$f is there"; return 1; }
	done
	[ -z "$(find . -name '.tmp*')" ] || { ls -la; return 1; }
}

@test "a node's key and card, silently, with their modes" {
	silent ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	[ -z "$output" ]
	[ "$(stat -c %a a.key a.key.card | tr '\n' ' ')" = "600 644 " ]
	[ "$(one a.key.card kind)" = node ]
	[ "$(one a.key.card name)" = hospital-a ]
	[ "$(head -n 2 a.key)" = $'ehr.v1 identity\nname hospital-a' ]
}

@test "a user's key and card: the particulars, and the handle is the key's" {
	pw
	silent ehr-keygen -n "Kun Méndez" -e kun@example.org \
	    --born 1969-02-28 --phone "+27 21 555 0100" --sex female \
	    --passphrase-file pw -o kun.key
	[ -z "$output" ]
	[ "$(stat -c %a kun.key kun.key.card | tr '\n' ' ')" = "600 644 " ]
	sed -n '/^full-name/,/^$/p' kun.key.card >particulars
	diff particulars - <<-'END'
	full-name Kun Méndez
	email kun@example.org
	born 1969-02-28
	phone +27 21 555 0100
	sex female

	END
	# By the manual: the first 16 digits of a hash of the key's text.
	sign=$(sed -n 's/^sign //p' kun.key.card)
	handle=u$(printf 'ehr.v1 handle\n%s' "$sign" | sha256sum | cut -c1-16)
	[ "$(sed -n 's/^name //p' kun.key.card)" = "$handle" ]
	[ "$(sed -n 's/^name //p' kun.key)" = "$handle" ]
}

@test "-v says the handle on stderr" {
	pw
	run --separate-stderr ehr-keygen -v -n X --passphrase-file pw -o x.key
	[ "$status" -eq 0 ] && [ -z "$output" ]
	[ "$stderr" = "ehr-keygen: x.key: key of $(one x.key name)" ]
}

@test "what a key file and its card say is the same" {
	user kun.key
	for k in kind name sign seal; do
		[ "$(one kun.key $k)" = "$(one kun.key.card $k)" ]
		[ -n "$(one kun.key $k)" ]
	done
	[ "$(EHR_IDENTITY=kun.key ehr-keygen show --passphrase-file pw)" = \
	    "$(ehr-keygen show -i kun.key --passphrase-file pw)" ]
}

@test "show --json is one object per file, files on stdin" {
	user kun.key
	node a.key
	printf '%s\n' kun.key.card a.key >list
	ehr-keygen show --json - <list >out
	[ "$(wc -l <out)" -eq 2 ]
	[ "$(jq -r .name out)" = "$(one kun.key.card name)"$'\nhospital-a' ]
	[ "$(jq -r '."full-name" // "none"' out)" = $'Kun M\nnone' ]
	tr '\n' '\0' <list | ehr-keygen show --json -z - | cmp - out
}

@test "openssl reads the signature key, and knows the same public one" {
	user kun.key
	openssl pkey -in kun.key -passin file:pw -pubout -outform DER |
	    tail -c 32 | base64 >pub
	[ "ed25519:$(cat pub)" = "$(one kun.key sign)" ]
	pw other "another passphrase"
	run ! openssl pkey -in kun.key -passin file:other -noout
}

@test "what age seals to the card's key, the exported key opens" {
	user kun.key
	echo hello | age -r "$(one kun.key.card seal)" >sealed
	run --separate-stderr ehr-keygen export -i kun.key \
	    --passphrase-file pw
	[ "$status" -eq 0 ]
	[[ $output == AGE-SECRET-KEY-1* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *secret* ]]
	echo "$output" >id
	[ "$(age -d -i id sealed)" = hello ]
	silent ehr-keygen export -q -i kun.key --passphrase-file pw
}

@test "an RSA key of today's length" {
	pw
	ehr-keygen -t rsa -n "Kun M" --passphrase-file pw -o kun.key
	[[ $(one kun.key.card sign) == rsa:* ]]
	openssl pkey -in kun.key -passin file:pw -noout -text |
	    grep -q '3072 bit'
}

@test "nothing is ever overwritten" {
	node a.key
	snapshot . >before
	refused 1 node a.key
	rm a.key
	refused 1 node a.key		# its card is still there
	[[ $stderr == *a.key.card* ]]
	nothing a.key
	ln -s nowhere b.key
	refused 1 node b.key
	nothing b.key.card nowhere
}

@test "a key and its card, or neither" {
	# The disk is full after so many bytes: in the key, in the card.
	for size in 100 300; do
		refused 4 prlimit --fsize=$size ehr-keygen --no-passphrase \
		    -n "$(printf %0200d 0)" -o k.key
		nothing k.key k.key.card
	done
	prlimit --fsize=600 ehr-keygen --no-passphrase \
	    -n "$(printf %0200d 0)" -o k.key
	refused 4 node none/a.key
}

@test "kill -9 at any moment leaves no half file" {
	for ms in 1 2 3 4 5 6 8 10 15; do
		ended "0.0$(printf %02d $ms)" \
		    ehr-keygen --node -n n --no-passphrase -o $ms.key
		[ ! -e $ms.key.card ] || [ -e $ms.key ]
		for f in $ms.key $ms.key.card; do
			[ ! -e $f ] || ehr-keygen show $f >/dev/null
		done
	done
}

@test "a card is made again for a key that lost its own" {
	user kun.key
	mv kun.key.card old
	ehr-keygen card -i kun.key --passphrase-file pw -n "Kun M" \
	    -e kun@example.org
	cmp old kun.key.card
	refused 1 ehr-keygen card -i kun.key --passphrase-file pw -n "Kun M"
	refused 2 ehr-keygen card -i kun.key --passphrase-file pw -o x
	ehr-keygen card -i kun.key --passphrase-file pw -n "K" -o elsewhere
	[ "$(one elsewhere full-name)" = K ]
}

@test "new keys for the same handle still open what was sealed to the old" {
	user kun.key
	echo old | age -r "$(one kun.key.card seal)" >sealed
	silent ehr-keygen --replaces kun.key --passphrase-file pw -o new.key
	[ -z "$output" ]
	[ "$(one new.key name)" = "$(one kun.key name)" ]
	[ "$(one new.key sign)" != "$(one kun.key sign)" ]
	[ "$(one new.key seal)" != "$(one kun.key seal)" ]
	[ "$(one new.key earlier-seal)" = "$(one kun.key seal)" ]
	[ "$(one new.key.card name)" = "$(one kun.key name)" ]
	[ -n "$(one new.key.card replaces)" ]
	[ -z "$(one kun.key.card replaces)" ]
	ehr-keygen export -q -i new.key --passphrase-file pw >id
	[ "$(age -d -i id sealed)" = old ]
	[ "$(wc -l <id)" -eq 2 ]
	ehr-keygen --replaces new.key --passphrase-file pw -o third.key
	[ "$(one third.key earlier-seal | wc -l)" -eq 2 ]
}

@test "a node's keys are replaced under its name" {
	node a.key
	ehr-keygen --replaces a.key --no-passphrase -o b.key
	[ "$(one b.key.card kind)" = node ]
	[ "$(one b.key.card name)" = hospital-a ]
	refused 2 ehr-keygen --node --replaces a.key --no-passphrase -o c.key
}

@test "a new passphrase: the old no longer opens, the keys are the same" {
	user kun.key
	pw new "a passphrase of another kind"
	one kun.key sign >before
	ln -s kun.key link.key
	silent ehr-keygen passwd -i link.key --passphrase-file pw \
	    --new-passphrase-file new
	[ -L link.key ]
	refused 1 ehr-keygen show -i kun.key --passphrase-file pw
	ehr-keygen show -i kun.key --passphrase-file new | grep ^sign |
	    sed 's/^sign //' | cmp - before
	[ "$(stat -c %a kun.key)" = 600 ]
	silent ehr-keygen passwd -i kun.key --passphrase-file new \
	    --no-passphrase
	silent ehr-keygen show -i kun.key
	# A full disk leaves the key as it was.
	cp -p kun.key before.key
	refused 4 prlimit --fsize=100 ehr-keygen passwd -i kun.key \
	    --new-passphrase-file new
	cmp before.key kun.key
	nothing
}

@test "malformed particulars cost one line and status 2" {
	pw
	k() { ehr-keygen --passphrase-file pw -o k.key "$@"; }
	for e in kun kun@ @example.org kun@example "kun m@example.org" \
	    kun@example..org kun@@example.org "kün@example.org" \
	    $'kun@example.org\nx' ""; do
		refused 2 k -n Kun -e "$e"
	done
	for d in 1969 1969-2-3 1969-13-01 1969-00-10 1969-02-29 2001-02-29 \
	    1900-02-29 1969-04-31 69-01-01 1969-01-01x yesterday; do
		refused 2 k -n Kun --born "$d"
	done
	refused 2 k -n Kun --sex perhaps
	refused 2 k -n Kun --phone "call me"
	refused 2 k -n ""
	refused 2 k -n " Kun"
	refused 2 k -n $'Kun\nM'
	refused 2 k -n $'Kun\xff'
	refused 2 k -n "$(printf '%0201d' 0)"
	refused 2 k -n Kun -t dsa
	refused 2 k -e kun@example.org
	refused 2 k -n Kun left over
	refused 2 k -n Kun --no-passphrase
	refused 2 k --node -n Hospital_A
	refused 2 k --node -n "$(printf '%033d' 0)"
	refused 2 k --node -n u0123456789abcdef
	refused 2 k --node -n a --sex male
	refused 2 ehr-keygen -n Kun --passphrase-file pw
	refused 2 ehr-keygen frobnicate
	refused 2 ehr-keygen show
	nothing k.key k.key.card
	for d in 1968-02-29 2000-02-29 1899-12-31; do
		k -n Kun --born $d
		rm k.key*
	done
}

@test "a passphrase file: at least 8 characters in its first line" {
	k() { ehr-keygen -n Kun -o k.key --passphrase-file "$1"; }
	pw short "seven77"
	refused 1 k short
	pw short "äöüßäöü"			# 7 characters, 14 bytes
	refused 1 k short
	pw short "$(printf 'longer\n than8')"	# the first line has 6
	refused 1 k short
	pw bad $'latin1 \xe4\xf6\xfc'
	refused 3 k bad
	: >none
	chmod 600 none
	refused 1 k none
	refused 1 k absent
	pw long "$(printf '%01025d' 0)"
	refused 1 k long
	refused 4 k .
	nothing k.key k.key.card
	pw eight "äöüßäöü8"
	k eight
	EHR_PASSPHRASE_FILE=eight ehr-keygen show -i k.key
	rm k.key*
	pw long "$(printf '%01024d' 0)"
	k long
	# Without a newline at its end, and from a pipe.
	printf %s "$(cat long)" | ehr-keygen show -i k.key \
	    --passphrase-file /dev/stdin
}

@test "others can read the passphrase file: a warning, silent with -q" {
	pw
	chmod 644 pw
	run --separate-stderr ehr-keygen -n K --passphrase-file pw -o k.key
	[ "$status" -eq 0 ]
	[[ $stderr == *"others can read pw"* ]]
	silent ehr-keygen -q -n K --passphrase-file pw -o l.key
}

@test "a wrong passphrase, no terminal, a key that others can read" {
	user kun.key
	pw wrong "not the right one"
	refused 1 ehr-keygen show -i kun.key --passphrase-file wrong
	[[ $stderr == *"kun.key: wrong passphrase" ]]
	refused 1 setsid -w ehr-keygen show -i kun.key
	[[ $stderr == *--passphrase-file* ]]
	refused 1 setsid -w ehr-keygen -n K -o k.key
	[[ $stderr == *--passphrase-file* ]]
	for mode in 640 604 660 644; do
		chmod $mode kun.key
		refused 1 ehr-keygen show -i kun.key --passphrase-file pw
		[[ $stderr == *"mode 0$mode is too open"* ]]
	done
	chmod 400 kun.key
	silent ehr-keygen show -i kun.key --passphrase-file pw
	refused 1 ehr-keygen export -i absent.key
	refused 3 ehr-keygen export -i .
	mkfifo -m 600 pipe
	refused 3 ehr-keygen export -i pipe
}

@test "a truncated or altered key is malformed" {
	node a.key
	size=$(stat -c %s a.key)
	for n in 0 1 16 31 32 80 $((size / 2)) $((size - 1)); do
		head -c "$n" a.key >cut.key
		chmod 600 cut.key
		refused 3 ehr-keygen show -i cut.key
	done
	for s in 's/ehr.v1/ehr.v2/' 's/name h/name  h/' 's/$/\r/' 's/MC4/mC4/' \
	    '$d' '3d' '3,5d'; do
		sed "$s" a.key >bad.key
		chmod 600 bad.key
		refused 3 ehr-keygen show -i bad.key
	done
	head -c 100000 /dev/zero | tr '\0' x >big.key
	chmod 600 big.key
	refused 3 ehr-keygen show -i big.key
}

@test "an altered card does not verify; a truncated one is malformed" {
	user kun.key
	sed 's/Kun M/Kun N/' kun.key.card >altered
	refused 1 ehr-keygen show altered
	head -n 6 kun.key.card >cut
	refused 3 ehr-keygen show cut
	# Of many, the good are shown, and the status tells of the bad.
	run --separate-stderr ehr-keygen show altered kun.key.card cut
	[ "$status" -eq 3 ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ $output == *"Kun M"* ]]
	refused 1 ehr-keygen show - </dev/null
}

@test "the terminal: asked twice, never shown, in the end as it was" {
	run pty 'New passphrase for kun.key: ' $'correct horse\n' \
	    'The same again: ' $'correct horse\n' -- \
	    ehr-keygen -n "Kun M" -o kun.key
	expect 0 pty
	[[ $output == *"<exit 0, echo on>"* ]]
	[[ $output != *correct* ]]
	run pty 'Passphrase for kun.key: ' $'correct horse\n' -- \
	    ehr-keygen show -i kun.key
	expect 0 pty
	[[ $output == *"kind user"*"<exit 0, echo on>"* ]]
	[[ $output != *correct* ]]
	# A control: without us the terminal does show what is typed.
	run pty '>' $'correct horse\n' -- sh -c 'printf ">"; read x'
	[[ $output == *correct* ]]
}

@test "the terminal: two that do not match, too short, none" {
	k() { pty "$@" -- ehr-keygen -n Kun -o k.key; }
	run k New $'correct horse\n' again $'correct house\n'
	expect 1 k
	[[ $output == *"ehr-keygen: the two do not match"* ]]
	run k New $'correct horse\n' again $'correct horse \n'
	expect 1 k
	run k New $'seven77\n'
	expect 1 k
	[[ $output == *"at least 8 characters"* ]]
	run k New $'\n'
	expect 1 k
	run k New $'\004'
	expect 1 k
	nothing k.key k.key.card
	run pty Pass $'\n' -- ehr-keygen show -i k.key
	expect 1 pty
}

@test "the terminal: signals leave the echo on, and still do their work" {
	user k.key
	show() { pty "$@" -- ehr-keygen show -i k.key; }
	run show Passphrase $'\003'
	expect 130 show
	[[ $output == *"<signal 2, echo on>"* ]]
	run show Passphrase $'\034'
	expect 131 show
	[[ $output == *"<signal 3, echo on>"* ]]
	run show Passphrase $'\032' '<stopped, echo on>' '' Passphrase \
	    "$(cat pw)"$'\n'
	expect 0 show
	[[ $output == *"kind user"*"<exit 0, echo on>"* ]]
	run pty Passphrase '' -- timeout --foreground 0.5 \
	    ehr-keygen show -i k.key
	[[ $output == *"<exit 124, echo on>"* ]]
}
