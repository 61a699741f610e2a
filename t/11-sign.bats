# ehr-sign: signed notes (c2sp.org/signed-note) from text.

load lib

setup() {
	tmp
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen --node -n hospital-b --no-passphrase -o b.key
	openssl pkey -in a.key -pubout -out a.pub
	printf 'first line\n\nanother, Grüße\n' >text
}

# sig NOTE NAME: the bytes after the key id, of NAME's line.
sig() { blob "$@" | tail -c +5; }
blob() { sed -n "s/^— $2 //p" "$1" | base64 -d; }

@test "a note is the text, an empty line, a signature that openssl verifies" {
	ehr-sign -i a.key <text >note
	{ cat text; echo; } >want
	head -n -1 note | cmp - want
	sig note hospital-a >sig
	openssl pkeyutl -verify -rawin -pubin -inkey a.pub -in text \
	    -sigfile sig
	sed 's/first/First/' text >other
	run ! openssl pkeyutl -verify -rawin -pubin -inkey a.pub -in other \
	    -sigfile sig
}

@test "the key id is the specification's" {
	ehr-sign -i a.key <text >note
	{
		printf 'hospital-a\n\001'
		openssl pkey -in a.key -pubout -outform DER | tail -c 32
	} | sha256sum | cut -c1-8 >want
	blob note hospital-a | head -c 4 | od -An -tx1 | tr -d ' ' >got
	cmp want got
}

@test "an RSA signature, by its own recipe" {
	ehr-keygen --node -n rsa -t rsa --no-passphrase -o r.key
	openssl pkey -in r.key -pubout -out r.pub
	ehr-sign -i r.key <text >note
	sig note rsa >sig
	openssl dgst -sha256 -verify r.pub -signature sig text
	{
		printf 'rsa\n\377ehr.v1/rsa-pkcs1-sha256'
		openssl pkey -in r.key -pubout -outform DER
	} | sha256sum | cut -c1-8 >want
	blob note rsa | head -c 4 | od -An -tx1 | tr -d ' ' | cmp - want
}

@test "the same key and text give the same bytes" {
	ehr-sign -i a.key <text >one
	ehr-sign -i a.key <text | cmp - one
}

@test "--add leaves what is there, and signs the text alone" {
	ehr-sign -i a.key <text >one
	silent ehr-sign -i b.key --add <one
	ehr-sign -i b.key --add <one >two
	head -n -1 two | cmp - one
	ehr-sign -i b.key <text | tail -n 1 >want
	tail -n 1 two | cmp - want
	refused 1 ehr-sign -i a.key --add <two
	[[ $stderr == *"hospital-a has signed this note already" ]]
}

@test "a note has room for 64 signatures" {
	ehr-keygen --node -n last --no-passphrase -o last.key
	ehr-sign -i a.key <text >note
	line=$(tail -n 1 note)
	for n in {2..63}; do
		echo "${line/hospital-a/n$n}"
	done >>note
	ehr-sign -i b.key --add <note >full
	[ "$(grep -c ^— full)" -eq 64 ]
	refused 1 ehr-sign -i last.key --add <full
}

@test "text that no note can hold is refused" {
	for t in '' 'no newline' $'a\r\n' $'a\tb\n' $'\e[31mred\n' \
	    $'latin \xe4\n' $'over\xc0\xaflong\n' $'bidi \u202e\n' \
	    $'half \xe2\x80\n' $'\x7f\n' $'\u0085\n' $'\ufeff\xff\n'; do
		printf %s "$t" >in
		refused 3 ehr-sign -i a.key <in
	done
	printf 'nul\0\n' >in
	refused 3 ehr-sign -i a.key <in
}

@test "a note is 1 MiB long at most" {
	# 1 for the empty line; a line of signature is 4 + 10 + 1 + 92 + 1.
	most=$(((1 << 20) - 1 - 108))
	{ echo; yes | head -c $((most - 1)); } >in
	ehr-sign -i a.key <in >note
	[ "$(stat -c %s note)" -eq $((1 << 20)) ]
	refused 3 ehr-sign -i b.key --add <note
	echo >>in
	refused 3 ehr-sign -i a.key <in
	refused 3 ehr-sign -i a.key </dev/zero
}

@test "--add takes nothing but a whole note" {
	ehr-sign -i a.key <text >note
	refused 3 ehr-sign -i b.key --add <text
	refused 3 ehr-sign -i b.key --add </dev/null
	for n in 1 20 $(($(stat -c %s note) - 1)); do
		head -c "$n" note >cut
		refused 3 ehr-sign -i b.key --add <cut
	done
	{ cat note; echo x; } >more
	refused 3 ehr-sign -i b.key --add <more
	sed 's/^— /- /' note >dash
	refused 3 ehr-sign -i b.key --add <dash
}

@test "the identity: -i, else EHR_IDENTITY, else user.identity" {
	name() { tail -n 1 | cut -d' ' -f2; }
	mkdir -p "$HOME/.config/ehr"
	printf '[user]\n\tidentity = ~/c.key\n' >"$HOME/.config/ehr/config"
	ehr-keygen --node -n hospital-c --no-passphrase -o "$HOME/c.key"
	[ "$(ehr-sign <text | name)" = hospital-c ]
	[ "$(EHR_IDENTITY=b.key ehr-sign <text | name)" = hospital-b ]
	[ "$(EHR_IDENTITY=b.key ehr-sign -i a.key <text | name)" = hospital-a ]
	[ "$(EHR_IDENTITY= ehr-sign --identity=a.key <text | name)" = \
	    hospital-a ]
	refused 2 ehr-sign -i a.key -i b.key <text
	rm "$HOME/.config/ehr/config"
	refused 2 ehr-sign <text
	printf '[user\n' >"$HOME/.config/ehr/config"
	refused 3 ehr-sign <text
}

@test "a full or closed stdout is status 4, not success" {
	full() { ehr-sign -i a.key <text >/dev/full; }
	refused 4 full
	[[ $stderr == *"No space left"* ]]
	closed() { ehr-sign -i a.key <text >&-; }
	refused 4 closed
	blind() { ehr-sign -i a.key <&-; }
	refused 4 blind
	directory() { ehr-sign -i a.key <.; }
	refused 4 directory
	version() { ehr-sign --version >/dev/full; }
	refused 4 version
}

@test "a reader that goes away ends it quietly" {
	yes | head -c 1000000 >in
	ehr-sign -i a.key <in 2>err | head -n 1
	[ "${PIPESTATUS[0]}" -eq 141 ]
	[ ! -s err ]
	# Also where a service manager ignores the signal.
	(trap '' PIPE; ehr-sign -i a.key <in 2>err | head -n 1)
	[ ! -s err ]
}

@test "options: long, with =, anywhere, abbreviated; bad ones are status 2" {
	ehr-sign -i a.key <text >want
	ehr-sign --identity a.key <text | cmp - want
	ehr-sign --ident=a.key <text | cmp - want
	ehr-sign -ia.key -- <text | cmp - want
	refused 2 ehr-sign -i
	[[ $stderr == "ehr-sign: --identity needs a value; see ehr-sign(1)" ]]
	refused 2 ehr-sign --add=yes -i a.key
	[[ $stderr == *"--add takes no value"* ]]
	refused 2 ehr-sign --frob -i a.key
	[[ $stderr == *"unknown option --frob;"* ]]
	refused 2 ehr-sign -qxv -i a.key
	[[ $stderr == *"unknown option -x;"* ]]
	refused 2 ehr-sign --json -i a.key
	refused 2 ehr-sign -i a.key -- -v
	refused 2 ehr-sign -i a.key $'\e]0;x\a'
	[[ $stderr != *$'\e'* ]]
}

@test "-h and --version" {
	silent ehr-sign -h
	[[ $output == "usage: ehr-sign "* ]]
	silent ehr-sign -i absent.key --help
	silent ehr-sign --version
	[[ $output == "ehr-sign "[0-9]* ]]
}
