#include "base/fs.h"
#include "base/utf8.h"
#include "store/config.h"
#include "store/config_line.h"

/* What an edit has to know about the text that is there. */
struct place {
	size_t count;			/* lines that set the key */
	size_t value_at, value_end;	/* the value of the last of them */
	bool section;			/* there is such a section, */
	size_t section_end;		/* whose last setting ends here */
	struct buf others;		/* all lines but those */
};

static int
find_place(struct place *p, struct span text, const char *key, struct err *e)
{
	struct config_line l = { .kind = CONFIG_NOTHING };
	struct span section = span_of(key, config_key_section(key));
	struct config_reader r;
	int got;

	config_reader_init(&r, text, "config");
	while ((got = config_line_read(&l, &r, e)) > 0) {
		if (l.kind != CONFIG_NOTHING &&
		    span_eq(buf_span(&r.section), section)) {
			p->section = true;
			p->section_end = l.end;
		}
		if (l.kind == CONFIG_ENTRY && span_is(buf_span(&l.key), key)) {
			p->count++;
			p->value_at = l.value_at;
			p->value_end = l.value_end;
		} else
			buf_add(&p->others, text.p + l.at, l.end - l.at);
	}
	config_line_free(&l);
	config_reader_free(&r);
	return got;
}

/* Append a part of the text so that it ends in a newline, if not empty. */
static void
add_lines(struct buf *out, struct span s)
{
	buf_add(out, s.p, s.n);
	if (s.n > 0 && s.p[s.n - 1] != '\n')
		buf_addc(out, '\n');
}

static void
edit(struct buf *out, struct span text, const struct place *p,
    const char *key, const char *value)
{
	size_t end = p->section ? p->section_end : text.n;

	if (p->count > 0) {
		buf_add(out, text.p, p->value_at);
		if (text.p[p->value_at - 1] == '=')
			buf_addc(out, ' ');
		config_value_add(out, value);
		/* A comment may touch what is in quotes, but not a word. */
		if (p->value_end < text.n && (text.p[p->value_end] == '#' ||
		    text.p[p->value_end] == ';'))
			buf_addc(out, ' ');
		buf_add(out, text.p + p->value_end, text.n - p->value_end);
		return;
	}
	add_lines(out, span_of(text.p, end));
	if (!p->section)
		config_section_add(out, key);
	buf_addf(out, "\t%s = ", key + config_key_section(key));
	config_value_add(out, value);
	buf_addc(out, '\n');
	if (end < text.n)
		buf_add(out, text.p + end, text.n - end);
}

/* Does the new text say what it shall?  Better to ask before it counts. */
static int
check_result(struct span text, const char *key, const char *value,
    struct err *e)
{
	struct config c = { NULL, 0 };
	int r = config_parse(&c, text, "config", e);
	const char *got = r == 0 ? config_get(&c, key) : NULL;

	if (r == 0 && (value == NULL ? got != NULL :
	    got == NULL || strcmp(got, value) != 0))
		r = err_set(e, ERR_BAD, "config: cannot set %s", key);
	config_free(&c);
	return r;
}

int
config_edit(struct buf *out, struct span text, const char *key,
    const char *value, struct err *e)
{
	struct place p = { .others = BUF_INIT(CONFIG_MAX) };
	int r = -1;

	if (!config_key_ok(key))
		return err_set(e, ERR_USAGE, "%s: not a key of the config",
		    key);
	if (value != NULL && !utf8_line(span_str(value)))
		return err_set(e, ERR_USAGE, "%s: control or malformed "
		    "characters", key);
	if (find_place(&p, text, key, e) == 0 &&
	    buf_check(&p.others, "config", e) == 0) {
		if (value == NULL)
			buf_add(out, p.others.p, p.others.len);
		else
			edit(out, text, &p, key, value);
		r = buf_check(out, "config", e);
	}
	buf_free(&p.others);
	if (r == 0)
		r = check_result(buf_span(out), key, value, e);
	return r;
}

int
config_set(int dirfd, const char *key, const char *value, struct err *e)
{
	struct buf old = BUF_INIT(CONFIG_MAX), new = BUF_INIT(CONFIG_MAX);
	int r = -1;

	if ((fs_read(&old, dirfd, "config", e) == 0 || e->kind == ERR_NO) &&
	    config_edit(&new, buf_span(&old), key, value, e) == 0) {
		r = 0;
		if (!span_eq(buf_span(&old), buf_span(&new)))
			r = fs_write(dirfd, "config", "tmp", buf_span(&new),
			    0600, false, e);
	}
	buf_free(&old);
	buf_free(&new);
	return r;
}
