# bash completion for ehr and its commands.
#
# The table at the end, _ehr_words, is made from the manual pages when ehr is
# installed: the options and verbs of each command, those that take a value
# with "=" and what the manual calls it.

# The words of command $1 that begin with $2.
_ehr_match() {
	local word

	for word in $(_ehr_words "$1"); do
		word=${word%%=*}
		[[ $word == "$2"* ]] && COMPREPLY+=("$word")
	done
	return 0
}

# Complete the value $2 of a kind that a manual page names $1.
_ehr_value() {
	case $1 in
	dir | directory | outdir)
		mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	role)
		mapfile -t COMPREPLY < \
		    <(compgen -W "patient doctor administrator" -- "$2") ;;
	label)
		mapfile -t COMPREPLY < <(compgen -W \
		    "laboratory imaging prescription" -- "$2") ;;
	format)
		mapfile -t COMPREPLY < \
		    <(compgen -W "csv ndjson fhir" -- "$2") ;;
	file | key | card | identity | pem)
		mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	*)
		COMPREPLY=() ;;
	esac
}

# The name of the value that option $2 of command $1 takes, or nothing.
_ehr_kind() {
	local word

	for word in $(_ehr_words "$1"); do
		[[ $word == "$2="* ]] && echo "${word#*=}"
	done
	return 0
}

_ehr() {
	local cmd=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} kind i

	COMPREPLY=()
	if [ "$cmd" = ehr ]; then
		for ((i = 1; i < COMP_CWORD; i++)); do
			[[ ${COMP_WORDS[i]} == -* ]] && continue
			[[ ${COMP_WORDS[i - 1]} == -C ]] && continue
			cmd=ehr-${COMP_WORDS[i]}
			break
		done
	fi
	kind=$(_ehr_kind "$cmd" "${COMP_WORDS[COMP_CWORD - 1]}")
	if [ -n "$kind" ]; then
		_ehr_value "$kind" "$cur"
		return
	fi
	_ehr_match "$cmd" "$cur"
	[ "$cmd" = ehr ] && _ehr_match commands "$cur"
	[ ${#COMPREPLY[@]} -gt 0 ] || _ehr_value file "$cur"
}

