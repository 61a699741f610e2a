# What we hand to a sysadmin beside the commands: services, cron lines, an
# authorized_keys line, completion, INSTALL.

load lib

# What is run there: "COMMAND OPTIONS..." per line.
run_lines() {
	sed -n 's/^ExecStart=.*\/\(ehr-\)/\1/p' "$top"/contrib/systemd/*.service
	sed -n 's/^[*0-9].*[[:blank:]]ehr[[:blank:]]*\(ehr-\)/\1/p' \
	    "$top"/contrib/cron/*
	sed -n 's/.*command="\(ehr-[^"]*\)".*/\1/p' "$top"/contrib/ssh/*
	sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$top/INSTALL" |
	    sed -n 's/^	[#$] \(ehr-\)/\1/p'
}

@test "what services, cron, ssh and INSTALL run exists, with those options" {
	[ "$(run_lines | wc -l)" -ge 12 ]
	run_lines >lines
	while read -r cmd rest; do
		page=$top/share/man/man1/$cmd.1
		[ -e "$top/cmd/$cmd.c" ] || { echo "no $cmd"; return 1; }
		for word in $rest; do
			case $word in
			--*) opt=-${word#--} ;;
			-[A-Za-z]) opt=${word#-} ;;
			*) continue ;;
			esac
			grep -q "Fl \(Fl \)\{0,1\}-\{0,1\}${opt#-}\( \|$\)" \
			    "$page" || { echo "$cmd has no $word"; return 1; }
		done
	done <lines
}

# The units where systemd would find them.
units() {
	mkdir -p root/lib/systemd/system root/usr/local/bin
	cp -r "$top"/contrib/systemd/. root/lib/systemd/system
	sed -n 's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' \
	    "$top"/contrib/systemd/*.service | while read -r f; do
		mkdir -p "root${f%/*}"
		cp /bin/true "root$f"
	done
	for f in sysinit basic network-online network shutdown timers \
	    multi-user; do
		printf '[Unit]\nDescription=x\n' \
		    >"root/lib/systemd/system/$f.target"
	done
}

@test "the units are valid" {
	need systemd-analyze
	units
	for f in "$top"/contrib/systemd/*.{service,timer}; do
		run systemd-analyze verify --man=no --root="$PWD/root" \
		    "${f##*/}"
		[ "$status" -eq 0 ]
		[ -z "$output" ]
	done
	# That check can say no.
	sed -i 's/OnCalendar=.*/OnCalendar=never/' \
	    root/lib/systemd/system/ehr-sync.timer
	run systemd-analyze verify --man=no --root="$PWD/root" ehr-sync.timer
	[ -n "$output" ]
}

@test "every timer has its service" {
	for f in "$top"/contrib/systemd/*.timer; do
		[ -e "${f%.timer}.service" ]
	done
}

@test "the services are locked up: exposure under 1.5" {
	need systemd-analyze
	units
	for f in "$top"/contrib/systemd/*.service; do
		systemd-analyze security --offline=true --threshold=15 \
		    --root="$PWD/root" "${f##*/}"
	done
	rm -r root/lib/systemd/system/ehr-.service.d
	run systemd-analyze security --offline=true --threshold=15 \
	    --root="$PWD/root" ehr-sync.service
	[ "$status" -ne 0 ]
}

@test "each service gets the node's key from systemd, and uses it" {
	grep -qx 'LoadCredential=node.key:/var/lib/ehr/.ehr/node.key' \
	    "$top/contrib/systemd/ehr-.service.d/ehr.conf"
	for f in "$top"/contrib/systemd/*.service; do
		[[ ${f##*/} == ehr-* ]]
	done
	ehr-keygen --node -n hospital-a --no-passphrase -o a.key
	ehr-keygen -n 'Ruth O' --no-passphrase -o admin.key
	ehr-init -C A --name za-ehr --node-key a.key --admin admin.key.card
	ehr-keygen -n Bill --no-passphrase -o bill.key
	ehr-user -C A add bill.key.card -i admin.key
	mkdir credentials
	mv A/.ehr/node.key credentials
	# As systemd makes them: root's, with an entry for one user.
	chmod 440 credentials/node.key
	refused 1 ehr-dbft -C A --once
	CREDENTIALS_DIRECTORY=$PWD/credentials silent ehr-dbft -C A --once
	ehr-block -C A list -n 1 | grep '^1 '
}

# The completion as it is installed.
completion() {
	awk -f "$top/contrib/completion/options.awk" "$@" |
	    cat "$top/contrib/completion/ehr.bash" - >ehr.bash
	source ./ehr.bash
}

# complete_line WORD...: what is offered for the last of the words.
complete_line() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_ehr
	printf '%s\n' "${COMPREPLY[@]}"
}

page() {
	mkdir -p man1
	{ printf '.Nm %s\n' "$1"; cat; } >"man1/$1.1"
}

@test "completion offers options, verbs, commands and values" {
	page ehr <<-'END'
	.Sh SYNOPSIS
	.Nm
	.Op Fl C Ar dir
	.Ar command
	END
	page ehr-user <<-'END'
	.Sh SYNOPSIS
	.Nm
	.Op Fl C Ar dir
	.Cm add
	.Op Fl -role Ar role
	.Fl i Ar key
	.Nm
	.Cm list
	.Op Fl -json
	.Sh DESCRIPTION
	.Cm nothing
	.Bl -tag
	.It Fl -passphrase-file Ar file
	END
	completion man1/*
	mkdir somedir
	: >kun.key
	[ "$(complete_line ehr-user ad)" = add ]
	[ "$(complete_line ehr-user --)" = $'--role\n--json\n--passphrase-file' ]
	[ "$(complete_line ehr-user add --role do)" = doctor ]
	[ "$(complete_line ehr-user -C s)" = somedir ]
	[ "$(complete_line ehr-user add -i k)" = kun.key ]
	[ "$(complete_line ehr-user add k)" = kun.key ]
	[ "$(complete_line ehr us)" = user ]
	[ "$(complete_line ehr -C somedir user li)" = list ]
	[ "$(complete_line ehr user --j)" = --json ]
	[ -z "$(complete_line ehr-user no)" ]
}

@test "completion knows every command and each of its options" {
	completion "$top"/share/man/man1/*
	for f in "$top"/cmd/ehr-*.c; do
		[ -e "$f" ] || skip "no commands"
		f=$(basename "$f" .c)
		[ -n "$(_ehr_words "$f")" ] || { echo "$f"; return 1; }
		complete -p "$f"
		complete_line ehr "${f#ehr-}" | grep -qx -- "${f#ehr-}"
	done
}

@test "a check that repaired succeeds; outvoted or alarmed, its unit fails" {
	cd "$top/contrib/systemd"
	sed -n 's/^SuccessExitStatus=//p' ehr-.service.d/*.conf \
	    ehr-log-merkle-check.service | tr ' ' '\n' | sort -n |
	    tr '\n' ' ' | grep -x '10 75 '
	# Of no other.
	[ "$(grep -l '^SuccessExitStatus' ./*.service)" = \
	    ./ehr-log-merkle-check.service ]
}
