# options: from mdoc(7) pages of section 1, the table for ehr.bash.
#
# An option is .Fl at the start of a line, or as .It Fl or .Op Fl; what follows
# it as Ar is its value.  A verb is a .Cm in the synopsis.

function add(word) {
	if (!((name, word) in seen)) {
		seen[name, word] = 1
		list[name] = list[name] " " word
	}
}

# All options in the words of a macro line.
function options(   i, word, value) {
	for (i = 1; i <= NF; i++) {
		if ($i == "Cm" && synopsis)
			add($(i + 1))
		if ($i != "Fl")
			continue
		word = $(++i)
		if (word == "Fl")
			word = "-" $(++i)
		if (word !~ /^-?[A-Za-z][A-Za-z-]*$/)
			continue
		value = $(i + 1) == "Ar" ? "=" $(i + 2) : ""
		sub(/[^=a-z].*/, "", value)
		add("-" word value)
	}
}

FNR == 1 { name = ""; synopsis = 0 }
FILENAME !~ /\.1$/ { next }
/^\.Nm / && name == "" {
	name = $2
	order[++n] = name
	if (name ~ /^ehr-/)
		commands = commands " " substr(name, 5)
}
/^\.Sh / { synopsis = ($2 == "SYNOPSIS") }
/^\.(Fl|It|Op|Cm|Nm)/ && name != "" {
	sub(/^\./, "")
	options()
}
END {
	print "_ehr_words() {"
	print "\tcase $1 in"
	for (i = 1; i <= n; i++)
		print "\t" order[i] ") echo \"" substr(list[order[i]], 2) "\" ;;"
	print "\tcommands) echo \"" substr(commands, 2) "\" ;;"
	print "\tesac"
	print "}"
	print ""
	printf "complete -o filenames -F _ehr"
	for (i = 1; i <= n; i++)
		printf " %s", order[i]
	print ""
}
