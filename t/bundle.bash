# bundle: bundles that a test has made itself.  A .bats file loads it after lib.
#
# shellcheck shell=bash

# seal TAR GOOD: give a tar without an end the one that it must have; GOOD is a
# bundle.
seal() {
	local hash

	hash=$(sha256sum <"$1" | cut -c 1-64)
	{
		tail -c 2048 "$2" | head -c 512
		printf '%s\n' "$hash"
		head -c 1471 /dev/zero
	} >>"$1"
}

# pack DIR GOOD: what lies in DIR as a bundle, on standard output.
pack() {
	(
		cd "$1" || exit
		for d in bundle genesis blocks objects logs tiles \
		    checkpoints staging pending; do
			[ ! -e $d ] || find $d -type f | sed 's,/,\x01,g' |
			    sort | tr '\001' '/'
		done | tar cf - -b 1 --format=ustar --no-recursion -T -
	) | head -c -1024 >pack.tar
	seal pack.tar "$2"
	cat pack.tar
	rm pack.tar
}

# packed: a file's ledger A with every_kind, and its bundle good.tar; for
# setup_file, and copied in setup.
packed() {
	people
	cd "$BATS_FILE_TMPDIR" || return 1
	every_kind
	ehr-sync -C A bundle create good.tar
}

copied() {
	tmp
	cp -r "$BATS_FILE_TMPDIR"/{A,good.tar} .
}

# every_kind: the ledger A, with a transaction of every kind.
every_kind() {
	local n

	ledger1
	ehr-keygen -n 'Rsa User' -t rsa --no-passphrase -o "$K/rsa.key"
	ehr-keygen --node -n hospital-b --no-passphrase -o "$K/b.key"
	ehr-keygen -n 'Anne Example' --replaces "$K/anne.key" --no-passphrase \
	    -o "$K/anne2.key"
	as ada ehr-user add "$K/rsa.key.card" >/dev/null
	as ada ehr-user role define nurse fill
	as ada ehr-user role grant nurse "$(handle anne)"
	as ada ehr-node admit "$K/b.key.card" >/dev/null
	as ada ehr-node remove hospital-b
	ehr-node -C A vote hospital-a
	block A
	as ada ehr-user role revoke nurse "$(handle anne)"
	as anne ehr-user rekey "$K/anne2.key.card" >/dev/null
	for n in 1 2 3 4; do echo "value $n" >f$n; done
	ls f* | as kun ehr-add -p bill@example.org -d many -l other - >ids
	head -n 3 ids | as bill ehr-authorize - >/dev/null
	tail -n 1 ids | as bill ehr-authorize --reject -
	block A
	as kun ehr-show --list "$(head -n 1 ids)" >/dev/null
	as bill ehr-authorize --to "$(handle lea)" "$(sed -n 2p ids)" >/dev/null
	block A
	as bill ehr-authorize --withdraw "$(handle lea)" "$(sed -n 2p ids)"
	as bill ehr-authorize --erase patient-request "$(head -n 1 ids)"
	block A
	ehr-log-merkle -C A --roll
	record bill f1 >waits
	as ada ehr-user add "$K/tim.key.card" >/dev/null
}
