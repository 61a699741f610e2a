#include "store/config_line.h"

#include "base/utf8.h"

void
config_reader_init(struct config_reader *r, struct span text,
    const char *what)
{
	*r = (struct config_reader){ text, text, 0, what,
	    BUF_INIT(text.n + 2) };
}

void
config_reader_free(struct config_reader *r)
{
	buf_free(&r->section);
}

void
config_line_free(struct config_line *l)
{
	buf_free(&l->key);
	buf_free(&l->value);
}

static int
bad(const struct config_reader *r, const char *why, struct err *e)
{
	return err_set(e, ERR_BAD, "%s, line %u: %s", r->what, r->line, why);
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool
is_comment(struct span s)
{
	return s.n > 0 && (s.p[0] == '#' || s.p[0] == ';');
}

/* A letter, then letters, digits and dashes: its length, 0 if none. */
static size_t
name_length(struct span s)
{
	size_t n = 0;

	for (; n < s.n; n++) {
		unsigned char c = s.p[n];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			continue;
		if (n == 0 || !((c >= '0' && c <= '9') || c == '-'))
			break;
	}
	return n;
}

static void
add_lower(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_addc(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ?
		    s.p[i] + ('a' - 'A') : s.p[i]);
}

/* Take a quoted string off *s, its quotes removed: appended to out. */
static int
take_quoted(struct buf *out, struct span *s, const struct config_reader *r,
    struct err *e)
{
	size_t i, from = out->len;

	for (i = 1; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\' &&
		    (++i == s->n || (s->p[i] != '"' && s->p[i] != '\\')))
			return bad(r, "only \\\" and \\\\ may follow a "
			    "backslash", e);
		buf_addc(out, s->p[i]);
	}
	if (i == s->n)
		return bad(r, "a quote that does not end", e);
	*s = span_of(s->p + i + 1, s->n - i - 1);
	if (buf_check(out, r->what, e) != 0)
		return -1;
	if (out->len > from &&
	    !utf8_line(span_of(out->p + from, out->len - from)))
		return bad(r, "control or malformed characters", e);
	return 0;
}

/* Only blanks and a comment may follow. */
static int
nothing_more(struct span s, const struct config_reader *r, struct err *e)
{
	s = trim(s);
	if (s.n == 0 || is_comment(s))
		return 0;
	return bad(r, "unexpected text at the end", e);
}

/* [section] or [section "sub"]; s begins with the bracket. */
static int
read_section(struct config_reader *r, struct span s, struct err *e)
{
	size_t n, before;

	s = span_of(s.p + 1, s.n - 1);
	if ((n = name_length(s)) == 0)
		return bad(r, "a section's name expected", e);
	buf_reset(&r->section);
	add_lower(&r->section, span_of(s.p, n));
	buf_addc(&r->section, '.');
	s = span_of(s.p + n, s.n - n);
	if (s.n > 1 && is_blank(s.p[0])) {
		s = trim(s);
		before = r->section.len;
		if (s.p[0] != '"')
			return bad(r, "a name in quotes expected", e);
		if (take_quoted(&r->section, &s, r, e) != 0)
			return -1;
		if (r->section.len == before)
			return bad(r, "an empty name", e);
		buf_addc(&r->section, '.');
	}
	if (buf_check(&r->section, r->what, e) != 0)
		return -1;
	if (s.n == 0 || s.p[0] != ']')
		return bad(r, "\"]\" expected", e);
	return nothing_more(span_of(s.p + 1, s.n - 1), r, e);
}

/*
 * A value without quotes ends before a blank and a comment.  What git would
 * take to pieces in another way (a quote, backslash or comment sign within a
 * word) is refused, so that no value means less than it seems to.
 * *v becomes the value's place; *s is what follows.
 */
static int
take_plain(struct span *v, struct span *s, const struct config_reader *r,
    struct err *e)
{
	struct span all = *s;
	size_t n;

	for (n = 0; n < all.n; n++) {
		bool sign = all.p[n] == '#' || all.p[n] == ';';

		if (sign && n > 0 && is_blank(all.p[n - 1]))
			break;
		if (sign || all.p[n] == '"' || all.p[n] == '\\')
			return bad(r, "put the value in double quotes", e);
	}
	*s = span_of(all.p + n, all.n - n);
	*v = trim(span_of(all.p, n));
	if (v->n == 0)
		*v = span_of(all.p, 0);
	return utf8_line(*v) ? 0 :
	    bad(r, "control or malformed characters", e);
}

/* The value, from after the "=". */
static int
read_value(struct config_line *l, struct config_reader *r, struct span s,
    struct err *e)
{
	struct span v = trim(s);

	if (v.n > 0 && v.p[0] == '"') {
		s = v;
		if (take_quoted(&l->value, &s, r, e) != 0)
			return -1;
		v.n = (size_t)(s.p - v.p);
	} else {
		if (take_plain(&v, &s, r, e) != 0)
			return -1;
		buf_add(&l->value, v.p, v.n);
		if (buf_check(&l->value, r->what, e) != 0)
			return -1;
	}
	l->value_at = (size_t)(v.p - r->whole.p);
	l->value_end = l->value_at + v.n;
	return nothing_more(s, r, e);
}

static int
read_entry(struct config_line *l, struct config_reader *r, struct span s,
    struct err *e)
{
	size_t n = name_length(s);

	if (n == 0)
		return bad(r, "neither a section nor a setting", e);
	if (r->section.len == 0)
		return bad(r, "a setting before the first section", e);
	buf_add(&l->key, r->section.p, r->section.len);
	add_lower(&l->key, span_of(s.p, n));
	if (buf_check(&l->key, r->what, e) != 0)
		return -1;
	s = trim(span_of(s.p + n, s.n - n));
	if (s.n == 0 || s.p[0] != '=')
		return bad(r, "\"=\" expected", e);
	return read_value(l, r, span_of(s.p + 1, s.n - 1), e);
}

int
config_line_read(struct config_line *l, struct config_reader *r,
    struct err *e)
{
	const unsigned char *nl;
	struct span s = r->rest;

	if (s.n == 0)
		return 0;
	nl = memchr(s.p, '\n', s.n);
	if (nl != NULL)
		s.n = (size_t)(nl - s.p);
	r->line++;
	l->at = r->whole.n - r->rest.n;
	l->end = l->at + s.n + (nl != NULL);
	r->rest = span_of(r->whole.p + l->end, r->whole.n - l->end);
	l->key.max = l->value.max = r->section.max + s.n;
	buf_reset(&l->key);
	buf_reset(&l->value);
	s = trim(s);
	l->kind = CONFIG_NOTHING;
	if (s.n == 0 || is_comment(s))
		return 1;
	if (s.p[0] == '[') {
		l->kind = CONFIG_SECTION;
		return read_section(r, s, e) == 0 ? 1 : -1;
	}
	l->kind = CONFIG_ENTRY;
	return read_entry(l, r, s, e) == 0 ? 1 : -1;
}

static void
add_quoted(struct buf *out, struct span s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

void
config_value_add(struct buf *out, const char *value)
{
	struct span v = span_str(value);

	if (v.n == 0 || v.p[0] == ' ' || v.p[v.n - 1] == ' ' ||
	    strpbrk(value, "#;\"\\") != NULL)
		add_quoted(out, v);
	else
		buf_add(out, v.p, v.n);
}

size_t
config_key_section(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot == NULL ? 0 : (size_t)(dot - key) + 1;
}

void
config_section_add(struct buf *out, const char *key)
{
	size_t first = strcspn(key, "."), n = config_key_section(key);

	buf_addf(out, "[%.*s", (int)first, key);
	if (n > first + 1) {
		buf_addc(out, ' ');
		add_quoted(out, span_of(key + first + 1, n - first - 2));
	}
	buf_adds(out, "]\n");
}

/* Is s a name, without capitals? */
static bool
is_lower_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
	return s.n > 0 && name_length(s) == s.n;
}

bool
config_key_ok(const char *key)
{
	size_t first = strcspn(key, "."), n = config_key_section(key);

	if (n == 0 || !is_lower_name(span_of(key, first)) ||
	    !is_lower_name(span_str(key + n)))
		return false;
	return n == first + 1 ||
	    (n > first + 2 && utf8_line(span_of(key + first + 1,
	    n - first - 2)));
}
