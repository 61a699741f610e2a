/*
 * damage: signed texts that are nearly right, for parsers that must refuse
 * them all.
 */
#ifndef UNIT_DAMAGE_H
#define UNIT_DAMAGE_H

#include "check.h"
#include "crypto/identity.h"

#define DAMAGE_LINES_MAX 256

/* Is this note refused, as it should be? */
typedef bool damage_refused(void *arg, struct span note);

struct damage {
	const struct identity *signer;
	damage_refused *refused;
	void *arg;
	const char *optional;	/* keys of lines that may be missing: "a b " */
};

/* A note over any text, however malformed. */
static inline void
damage_sign(struct buf *note, struct span text, const struct identity *signer)
{
	struct err e;

	buf_add(note, text.p, text.n);
	buf_addc(note, '\n');
	if (note_sign_line(note, text, span_str(signer->name), signer->sign,
	    &e) != 0)
		checks_failed++;
}

static inline void
damage_try(const struct damage *d, struct span text, const char *what)
{
	struct buf note = BUF_INIT(NOTE_MAX);

	damage_sign(&note, text, d->signer);
	checks_made++;
	if (!d->refused(d->arg, buf_span(&note))) {
		checks_failed++;
		printf("accepted with %s:\n%.*s\n", what,
		    SPAN_FMT(buf_span(&note)));
	}
	buf_free(&note);
}

/* Replace the first from by to, which must be there, and try. */
static inline void
damage_edit(const struct damage *d, struct span text, const char *from,
    const char *to)
{
	struct buf b = BUF_INIT(NOTE_MAX);
	size_t n = strlen(from), i = 0;

	while (i + n <= text.n && memcmp(text.p + i, from, n) != 0)
		i++;
	CHECK(i + n <= text.n);
	if (i + n <= text.n) {
		buf_add(&b, text.p, i);
		buf_adds(&b, to);
		buf_add(&b, text.p + i + n, text.n - i - n);
		damage_try(d, buf_span(&b), to);
	}
	buf_free(&b);
}

/* Line i is replaced by three texts around itself or its key's rest. */
static inline void
damage_line(const struct damage *d, const struct span *line, size_t n,
    size_t i, const char *what)
{
	struct buf b = BUF_INIT(NOTE_MAX);
	struct span l = line[i], body = span_of(l.p, l.n - 1);
	const unsigned char *sp = memchr(l.p, ' ', l.n);
	size_t key = sp == NULL ? l.n - 1 : (size_t)(sp - l.p);

	for (size_t k = 0; k < n; k++) {
		if (k != i) {
			buf_add(&b, line[k].p, line[k].n);
		} else if (strcmp(what, "a line twice") == 0) {
			buf_add(&b, l.p, l.n);
			buf_add(&b, l.p, l.n);
		} else if (strcmp(what, "two lines in the wrong order") == 0) {
			buf_add(&b, line[i + 1].p, line[i + 1].n);
			buf_add(&b, l.p, l.n);
			k++;
		} else if (strcmp(what, "CRLF") == 0) {
			buf_add(&b, body.p, body.n);
			buf_adds(&b, "\r\n");
		} else if (strcmp(what, "a trailing blank") == 0) {
			buf_add(&b, body.p, body.n);
			buf_adds(&b, " \n");
		} else if (strcmp(what, "a leading blank") == 0) {
			buf_addc(&b, ' ');
			buf_add(&b, l.p, l.n);
		} else if (strcmp(what, "a double blank") == 0) {
			buf_add(&b, l.p, key);
			buf_addc(&b, ' ');
			buf_add(&b, l.p + key, l.n - key);
		} else if (strcmp(what, "no value") == 0) {
			buf_add(&b, l.p, key);
			buf_addc(&b, '\n');
		} else if (strcmp(what, "an unknown key") == 0) {
			buf_addc(&b, 'x');
			buf_add(&b, l.p, l.n);
		} else if (strcmp(what, "an empty line") == 0) {
			buf_addc(&b, '\n');
			buf_add(&b, l.p, l.n);
		} else if (strcmp(what, "a NUL") == 0) {
			buf_add(&b, body.p, body.n);
			buf_add(&b, "\0\n", 2);
		}
	}
	damage_try(d, buf_span(&b), what);
	buf_free(&b);
}

/* May lines of line's key be missing? */
static inline bool
damage_optional(const struct damage *d, struct span line)
{
	const char *p = d->optional;

	while (*p != '\0') {
		size_t n = strcspn(p, " ");

		if (line.n > n && memcmp(line.p, p, n) == 0 &&
		    line.p[n] == ' ')
			return true;
		p += n + 1;
	}
	return false;
}

/* Every line damaged in every way; then the text as a whole. */
static inline void
damage_text(const struct damage *d, struct span text)
{
	static const char *const ways[] = {
		"a line twice", "CRLF", "a trailing blank", "a leading blank",
		"a double blank", "no value", "an unknown key",
		"an empty line", "a NUL"
	};
	struct span line[DAMAGE_LINES_MAX], rest = text;
	struct buf more = BUF_INIT(NOTE_MAX);
	size_t n = 0;

	while (rest.n > 0 && n < DAMAGE_LINES_MAX) {
		const unsigned char *nl = memchr(rest.p, '\n', rest.n);
		size_t len = (size_t)(nl - rest.p) + 1;

		line[n++] = span_of(rest.p, len);
		rest = span_of(rest.p + len, rest.n - len);
	}
	CHECK(rest.n == 0 && n > 1);
	for (size_t i = 0; i < n; i++) {
		for (size_t w = 0; w < sizeof(ways) / sizeof(*ways); w++)
			if (memchr(line[i].p, ' ', line[i].n) != NULL ||
			    strcmp(ways[w], "no value") != 0)
				damage_line(d, line, n, i, ways[w]);
		if (i + 1 < n)
			damage_line(d, line, n, i,
			    "two lines in the wrong order");
		if (!damage_optional(d, line[i]))
			damage_line(d, line, n, i, "a line missing");
	}
	buf_add(&more, text.p, text.n);
	buf_adds(&more, "extra text\n");
	damage_try(d, buf_span(&more), "extra text");
	damage_try(d, span_of(text.p, text.n - 1), "no newline at the end");
	damage_try(d, span_of("\n", 1), "nothing");
	buf_free(&more);
}

#endif
