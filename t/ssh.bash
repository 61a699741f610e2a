# ssh: hospitals that reach each other with ssh: a real sshd for each, with its
# own keys.  A .bats file loads it after lib.  What it makes lies in
# $BATS_FILE_TMPDIR: the folders hospital-X, with their .ssh, host.X and sshd.X.*
# of the sshds.
#
# shellcheck shell=bash

# ssh_found: is there what it takes?  Sets $sshd and $real_ssh.
ssh_found() {
	export sshd real_ssh

	sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd)
	real_ssh=$(command -v ssh)
	[ -n "$sshd" ] && [ -n "$real_ssh" ] || return 1
	# Who runs this as root has to have that folder, which is sshd's.  It
	# stays: another run may need it by then.
	[ "$(id -u)" -ne 0 ] || mkdir -p -m 755 /run/sshd
}

# ssh as a hospital's user finds it: "ehr" is who runs this, the others are
# where ssh_config says.
ssh_wrapper() {
	mkdir -p bin
	cat >bin/ssh <<-END
	#!/bin/sh
	host=\${1#ehr@}
	shift
	exec $real_ssh -F $PWD/ssh_config -i "\$HOME/.ssh/id_ed25519" \
	    -o UserKnownHostsFile="\$HOME/.ssh/known_hosts" \
	    -l $(id -un) "\$host" "\$@"
	END
	chmod +x bin/ssh
	cat >ssh_config <<-END
	BatchMode yes
	IdentitiesOnly yes
	GlobalKnownHostsFile none
	StrictHostKeyChecking yes
	END
}

# run_sshd X ADDRESS [COMMAND...]: that of a hospital, started by COMMAND, on
# the first port that is free.
run_sshd() {
	local port

	[ -e host.$1 ] || ssh-keygen -q -t ed25519 -N '' -f host.$1
	cat >sshd_config.$1 <<-END
	ListenAddress $2
	HostKey $PWD/host.$1
	PidFile $PWD/sshd.$1.pid
	AuthorizedKeysFile $PWD/hospital-$1/.ssh/authorized_keys
	AuthenticationMethods publickey
	PasswordAuthentication no
	UsePAM no
	StrictModes no
	SetEnv PATH=$bin:/usr/bin:/bin
	END
	for port in $(shuf -i 20000-32000 -n 20); do
		"${@:3}" "$sshd" -f "$PWD/sshd_config.$1" -p $port \
		    -E "$PWD/sshd.$1.log" 3>&- || continue
		if until_ok 10 test -s sshd.$1.pid; then
			printf 'Host hospital-%s\n\tHostName %s\n\tPort %s\n' \
			    $1 $2 $port >>ssh_config
			echo "[$2]:$port $(<host.$1.pub)" >>known_hosts
			return 0
		fi
	done
	cat sshd.$1.log
	return 1
}
