# ehr-init: makes a ledger, whole or not at all.

load lib

setup_file() {
	people
	ehr-keygen --node -n hospital-b --no-passphrase -o "$K/b.key"
}

# init DIR [OPTION...]
init() {
	ehr-init -C "$1" --name za-ehr --node-key "$K/a.key" \
	    --admin "$K/ada.key.card" "${@:2}"
}

# nothing DIR: there is no ledger, nor a part of one.
nothing() {
	[ -z "$(find "$1" -name '*ehr*' 2>/dev/null)" ] || {
		find "$1"
		return 1
	}
}

@test "a ledger: its id is the hash of its genesis, its files are its owner's" {
	silent init A
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	[ "$(sha256sum <A/.ehr/genesis)" = "$output  -" ]
	[ "$(ehr-audit -C A | head -n 1)" = "ledger $output" ]
	[ -z "$(find A/.ehr -type f ! -perm 600 -o -type d ! -perm 700)" ]
	cmp A/.ehr/node.key "$K/a.key"
	grep -q "^	name = hospital-a$" A/.ehr/config
	[[ $(head -n 1 A/.ehr/secret) =~ ^[0-9a-f]{64}$ ]]
	[ "check $(head -n 1 A/.ehr/secret | sha256sum)" = \
	    "$(tail -n +2 A/.ehr/secret)  -" ]
}

@test "in the working directory, and from below it" {
	mkdir -p A/b/c
	cd A
	id=$(ehr-init --name x --node-key "$K/a.key" --admin "$K/ada.key.card")
	cd b/c
	[ "$(ehr-audit --json | jq -r .ledger)" = "$id" ]
}

@test "EHR_DIR names ledgers that are there, not where to make one" {
	EHR_DIR=$PWD/B silent ehr-init --name x --node-key "$K/a.key" \
	    --admin "$K/ada.key.card"
	[ -d .ehr ] && [ ! -e B ]
}

@test "two ledgers of the same people are two" {
	[ "$(init A)" != "$(init B)" ]
	run ! cmp A/.ehr/secret B/.ehr/secret
}

@test "who is named is there: nodes in order, administrators" {
	init A --node "$K/b.key.card" --admin "$K/lea.key.card" >/dev/null
	silent ehr-node -C A list
	[ "$output" = $'hospital-a\tdelegate\nhospital-b\tdelegate' ]
	silent ehr-user -C A list -i "$K/lea.key"
	[ "${#lines[@]}" -eq 2 ]
	[[ $output == *"$(handle ada)"$'\tadministrator\tAda Example\tada@example.org'* ]]
	[[ $output == *"$(handle lea)"$'\tadministrator\tLea Example\tlea@example.org'* ]]
}

@test "settings are in the genesis, and those not given have defaults" {
	init A --delegates 5 --interval 0 --timeout 10 --skew 1000 \
	    --block-txs 1 --block-bytes 65536 >/dev/null
	init B >/dev/null
	sed -n '/^interval/,/^skew/p' A/.ehr/genesis >got
	diff got - <<-'END'
	interval-ms 0
	timeout-ms 10
	block-txs 1
	block-bytes 65536
	delegates 5
	skew-ms 1000
	END
	sed -n '/^interval/,/^skew/p' B/.ehr/genesis >got
	diff got - <<-'END'
	interval-ms 1000
	timeout-ms 15000
	block-txs 2000
	block-bytes 8388608
	delegates 7
	skew-ms 60000
	END
}

@test "the engine: elected delegates, or all nodes" {
	init A --engine dbft >/dev/null
	[ "$(grep -xc -e 'engine dbft' -e 'delegates 7' A/.ehr/genesis)" -eq 2 ]
	init B --engine pbft >/dev/null
	[ "$(grep -xc -e 'engine pbft' -e 'delegates 64' B/.ehr/genesis)" -eq 2 ]
	ehr-audit -C B
	refused 2 init C --engine raft
	refused 2 init C --engine pbft --delegates 64
	[ ! -e C ]
}

@test "settings out of their limits" {
	for s in 'delegates 3' 'delegates 65' 'interval 3600001' 'timeout 9' \
	    'skew 999' 'block-txs 0' 'block-txs 100001' 'block-bytes 65535' \
	    'block-bytes 33554433' 'delegates x' 'delegates -1' \
	    'delegates 99999999999'; do
		refused 2 init A "--${s% *}" "${s#* }"
		nothing .
	done
}

@test "what is needed, and what is not taken" {
	refused 2 ehr-init -C A
	refused 2 ehr-init -C A --name x --node-key "$K/a.key"
	refused 2 ehr-init -C A --name x --admin "$K/ada.key.card"
	refused 2 init A more
	refused 2 init A -i "$K/ada.key"
	refused 2 ehr-init -C A --name '' --node-key "$K/a.key" \
	    --admin "$K/ada.key.card"
	refused 2 ehr-init -C A --name "$(printf '%065d' 0)" \
	    --node-key "$K/a.key" --admin "$K/ada.key.card"
	nothing .
}

@test "cards of the wrong kind, twice, altered, cut, or not there" {
	refused 1 init A --node "$K/kun.key.card"
	[[ $stderr == *"not a node's"* ]]
	refused 1 init A --admin "$K/b.key.card"
	refused 1 init A --node "$K/a.key.card"
	[[ $stderr == *"there twice"* ]]
	refused 1 init A --admin "$K/ada.key.card"
	[[ $stderr == *"there twice"* ]]
	refused 1 init A --admin nofile
	[[ $stderr == *"nofile: no such file"* ]]
	refused 3 init A --admin "$K/ada.key"
	[[ $stderr == *"ada.key: "* ]]
	sed 's/Ada/Eve/' "$K/ada.key.card" >altered
	refused 1 ehr-init -C A --name x --node-key "$K/a.key" --admin altered
	[[ $stderr == *"altered: "*"does not verify"* ]]
	head -c 300 "$K/ada.key.card" >cut
	refused 3 ehr-init -C A --name x --node-key "$K/a.key" --admin cut
	ehr-keygen -n Eve -e ADA@example.org --no-passphrase -o eve.key
	refused 1 init A --admin eve.key.card
	[[ $stderr == *"e-mail address is there twice"* ]]
	rm -r eve.key*
	nothing .
}

@test "a node key that is none, or does not open" {
	refused 1 ehr-init -C A --name x --node-key "$K/ada.key" \
	    --admin "$K/ada.key.card"
	[[ $stderr == *"not a node's"* ]]
	refused 1 ehr-init -C A --name x --node-key nofile \
	    --admin "$K/ada.key.card"
	head -c 100 "$K/a.key" >cut
	chmod 600 cut
	refused 3 ehr-init -C A --name x --node-key cut \
	    --admin "$K/ada.key.card"
	pw
	pw wrong "not the passphrase"
	ehr-keygen --node -n hospital-c --passphrase-file pw -o c.key
	refused 1 ehr-init -C A --name x --node-key c.key \
	    --passphrase-file wrong --admin "$K/ada.key.card"
	[[ $stderr == *passphrase* ]]
	silent ehr-init -C A --name x --node-key c.key --passphrase-file pw \
	    --admin "$K/ada.key.card"
	grep -q ENCRYPTED A/.ehr/node.key
}

@test "a ledger that is there stays as it is" {
	init A >/dev/null
	unchanged 1 init A
	[[ $stderr == *"exists already"* ]]
	mkdir B
	ln -s nowhere B/.ehr
	refused 1 init B
	[ "$(readlink B/.ehr)" = nowhere ]
}

@test "where no ledger can be made" {
	refused 4 init no/such/folder
	: >file
	refused 4 init file
	refused 4 init /proc/ehr
}

@test "stdout that cannot be written to" {
	full() { init A >/dev/full; }
	refused 4 full
}

# on_small KIB: mount that little in the folder small, or skip.
on_small() {
	mkdir small
	mount -t tmpfs -o "size=$1k" tmpfs small 2>/dev/null ||
	    skip "cannot mount a file system here"
}

teardown() {
	umount "$BATS_TEST_TMPDIR/w/small" 2>/dev/null || :
}

@test "a full disk: nothing is left behind, or nothing is missing" {
	on_small 1024
	made=0
	for free in 0 4 12 24 36 48 56 64 72 80 100 120 160 240; do
		head -c $(((1024 - free) * 1024)) /dev/zero >small/fill
		run --separate-stderr init small/A
		rm small/fill
		if [ "$status" -eq 0 ]; then
			ehr-audit -C small/A >/dev/null
			rm -r small/A
			made=$((made + 1))
		else
			expect 4 init with $free KiB
			[ "${#stderr_lines[@]}" -eq 1 ]
			nothing small
		fi
	done
	[ $made -gt 0 ] && [ $made -lt 14 ]
}

@test "killed at any moment: a whole ledger or none" {
	for i in $(seq 12); do
		# The command itself, not a shell that waits for it.
		ehr-init -C "A$i" --name za-ehr --node-key "$K/a.key" \
		    --admin "$K/ada.key.card" >out 2>&1 &
		pid=$!
		sleep "0.00$((RANDOM % 10))"
		kill -KILL $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
		if [ -e "A$i/.ehr" ]; then
			ehr-audit -C "A$i" >/dev/null
		elif [ -s out ]; then
			echo "its id was printed"
			return 1
		fi
		silent init "B$i"
	done
}
