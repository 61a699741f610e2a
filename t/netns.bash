# netns: the four of four.bash on hosts of their own, in network namespaces,
# joined by ssh over links with delay and loss that can be cut (t/wire.c, since
# many kernels have no netem).  A .bats file loads it after four and ssh.
#
# shellcheck shell=bash

# netns_made: the programs and keys for a file's tests.  Says why not, in the
# file "lacks", where the machine has no such networks.
netns_made() {
	local x

	cd "$BATS_FILE_TMPDIR" || return 1
	"${CC:-gcc}" -std=c17 -Wall -Wextra -Werror -O1 -o wire \
	    "$BATS_TEST_DIRNAME/wire.c" || return 1
	if ! ssh_found; then
		echo "no ssh and sshd here" >lacks
	elif ! command -v ip >/dev/null; then
		echo "no ip here" >lacks
	elif ! { hosts_up && hosts_down; } >lacks 2>&1; then
		return
	else
		rm lacks
	fi
	[ ! -e lacks ] || return 0
	ssh_wrapper
	cat >bin/on <<-END
	#!/bin/sh
	# on NODE COMMAND...: on its host, as its user.
	n=\$(echo "\$1" | tr A-D 1-4)
	HOME=$PWD/hospital-\$(echo "\$1" | tr A-D a-d)
	export HOME
	shift
	exec nsenter --net="/proc/\$WIRE/fd/1\$n" "\$@"
	END
	cat >bin/ehr-sync <<-END
	#!/bin/sh
	# What is done with the directory of a node is done on its host.
	case " \$* " in
	*' -C '[A-D]' '*)
		node=\${*##*-C }
		exec on "\${node%% *}" "$bin/\${0##*/}" "\$@" ;;
	esac
	exec "$bin/\${0##*/}" "\$@"
	END
	cp bin/ehr-sync bin/ehr-dbft
	chmod +x bin/*
	for x in a b c d; do
		mkdir -m 700 hospital-$x hospital-$x/.ssh
		ssh-keygen -q -t ed25519 -N '' -f hospital-$x/.ssh/id_ed25519
	done
	for x in a b c d; do
		# The directories are those of the test that runs.
		cat hospital-[!$x]/.ssh/id_ed25519.pub | sed "s|^|restrict,\
command=\"ehr-serve -C $PWD/now/${x^}\" |" >hospital-$x/.ssh/authorized_keys
	done
}

# hosts_up [OPTION...]: the four hosts, joined with these options of wire.
hosts_up() {
	local n

	rm -rf net
	mkdir net
	./wire "$@" net 4 >net/out 2>net/err 3>&- &
	export WIRE=$!
	until_ok 10 test -e net/ready -o -s net/err
	[ ! -s net/err ] || { cat net/err; return 1; }
	for n in 1 2 3 4; do
		nsenter --net=/proc/$WIRE/fd/1$n sh -e -c "
			ip link set lo up
			ip addr add 10.46.0.$n/24 dev wire
			ip link set wire up" || return 1
	done
}

# Every process on the hosts.
on_hosts() {
	local nets

	nets=$(readlink /proc/$WIRE/fd/1[1-4])
	find /proc/[0-9]*/ns -name net -printf '%l %h\n' 2>/dev/null |
	    grep -F "$nets" | cut -d/ -f3 | grep -vx "$WIRE"
}

# Then nothing is left: the namespaces have no names.
hosts_down() {
	local pids

	[ -n "${WIRE-}" ] || return 0
	while pids=$(on_hosts) && [ -n "$pids" ]; do
		kill -KILL $pids 2>/dev/null || true
	done
	kill -TERM $WIRE && wait $WIRE
	WIRE=
}

# network [OPTION...]: for a test: the hosts, each with its sshd.
network() {
	local n x

	cd "$BATS_FILE_TMPDIR" || return 1
	[ ! -e lacks ] || skip "no network of our own here: $(<lacks)"
	export PATH=$PWD/bin:$PATH
	ln -sfn "$BATS_TEST_TMPDIR/w" now
	rm -f known_hosts sshd.*.pid
	sed -i '/^Host /,$d' ssh_config
	hosts_up "$@" || return 1
	for x in A B C D; do
		run_sshd ${x,} 10.46.0.$(tr A-D 1-4 <<<$x) on $x || return 1
	done
	for x in a b c d; do cp known_hosts hospital-$x/.ssh; done
	tmp
}

# by_ssh DIR...: these reach all others so.
by_ssh() {
	local a b

	for a do
		for b in A B C D; do
			[ $a = $b ] || peer $a $b \
			    "ssh ehr@hospital-${b,} ehr-serve" || return 1
		done
	done
}

# The file that cuts the link between two.
link_of() {
	printf '%s/net/cut.%s-%s' "$BATS_FILE_TMPDIR" \
	    $(printf '%s\n' "$@" | tr A-D 1-4 | sort)
}

# cut A B..., mend A B...: between the first and each of the others.
cut_link() {
	local b

	for b in "${@:2}"; do : >"$(link_of "$1" $b)"; done
}

mend() {
	local b

	for b in "${@:2}"; do rm "$(link_of "$1" $b)"; done
}
