#include "ledger/perm.h"

#define NPERMS 6

static const char *const names[NPERMS] = {
	"authorize", "fill", "library", "manage-system", "manage-users",
	"view-own"
};

const char *
perm_name(enum perm p)
{
	for (int i = 0; i < NPERMS; i++)
		if ((unsigned)p == 1u << i)
			return names[i];
	return "none";
}

void
perm_add(struct buf *out, unsigned set)
{
	const char *sep = "";

	if (set == 0)
		buf_adds(out, "none");
	for (int i = 0; i < NPERMS; i++) {
		if ((set & 1u << i) == 0)
			continue;
		buf_addf(out, "%s%s", sep, names[i]);
		sep = ",";
	}
}

int
perm_parse(unsigned *set, struct span text)
{
	int next = 0;

	*set = 0;
	if (span_is(text, "none"))
		return 0;
	for (;;) {
		const unsigned char *comma = text.n == 0 ? NULL :
		    memchr(text.p, ',', text.n);
		struct span word = text;

		if (comma != NULL)
			word.n = (size_t)(comma - text.p);
		while (next < NPERMS && !span_is(word, names[next]))
			next++;
		if (next == NPERMS)
			return -1;
		*set |= 1u << next++;
		if (comma == NULL)
			return 0;
		text = span_of(comma + 1, text.n - word.n - 1);
	}
}
