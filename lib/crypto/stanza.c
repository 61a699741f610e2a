#include "crypto/stanza.h"

#include "base/base64.h"

#define COLUMNS 64
#define LINE_BYTES (COLUMNS / 4 * 3)

/* The line that *rest begins with, without its newline. */
static int
take_line(struct span *line, struct span *rest, struct err *e)
{
	const unsigned char *nl = rest->n == 0 ? NULL :
	    memchr(rest->p, '\n', rest->n);

	if (nl == NULL)
		return err_set(e, ERR_BAD, "age header: ends too early");
	*line = span_of(rest->p, (size_t)(nl - rest->p));
	*rest = span_of(nl + 1, rest->n - line->n - 1);
	return 0;
}

bool
stanza_at_mac(struct span rest)
{
	return span_starts(rest, "---");
}

/* One or more words of visible ASCII, with one blank between. */
static bool
arguments_ok(struct span args)
{
	bool in_word = false;

	for (size_t i = 0; i < args.n; i++) {
		unsigned char c = args.p[i];

		if (c < 0x20 || c > 0x7e || (c == ' ' && !in_word))
			return false;
		in_word = c != ' ';
	}
	return in_word;
}

int
stanza_take(struct stanza *out, struct span *rest, struct err *e)
{
	unsigned char scratch[LINE_BYTES];
	const unsigned char *sp;
	struct span line;
	size_t n;

	if (take_line(&line, rest, e) != 0)
		return -1;
	if (!span_starts(line, "-> "))
		return err_set(e, ERR_BAD, "age header: a stanza expected");
	line = span_of(line.p + 3, line.n - 3);
	if (!arguments_ok(line))
		return err_set(e, ERR_BAD,
		    "age header: malformed stanza arguments");
	sp = memchr(line.p, ' ', line.n);
	n = sp == NULL ? line.n : (size_t)(sp - line.p);
	out->type = span_of(line.p, n);
	out->args = sp == NULL ? span_of(line.p + n, 0) :
	    span_of(sp + 1, line.n - n - 1);
	out->body = span_of(rest->p, 0);
	out->body_n = 0;
	do {
		if (take_line(&line, rest, e) != 0)
			return -1;
		if (line.n > COLUMNS || base64_decode(scratch,
		    sizeof(scratch), &n, line, false) != 0)
			return err_set(e, ERR_BAD,
			    "age header: malformed stanza body");
		out->body.n += line.n + 1;
		out->body_n += n;
	} while (line.n == COLUMNS);
	return 0;
}

int
stanza_body(unsigned char *out, size_t n, const struct stanza *s)
{
	struct span rest = s->body, line;
	struct err ignored;
	size_t got;

	if (s->body_n != n)
		return -1;
	while (rest.n > 0) {
		if (take_line(&line, &rest, &ignored) != 0 ||
		    base64_decode(out, n, &got, line, false) != 0)
			return -1;
		out += got;
		n -= got;
	}
	return 0;
}

int
stanza_take_mac(unsigned char mac[STANZA_MAC], struct span *rest,
    struct err *e)
{
	struct span line;
	size_t n;

	if (take_line(&line, rest, e) != 0)
		return -1;
	if (!span_starts(line, "--- ") || base64_decode(mac, STANZA_MAC, &n,
	    span_of(line.p + 4, line.n - 4), false) != 0 || n != STANZA_MAC)
		return err_set(e, ERR_BAD, "age header: malformed MAC line");
	return 0;
}
