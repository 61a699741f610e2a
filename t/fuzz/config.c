/*
 * config: what parses, set anew key by key, says the same; and an edit of any
 * file that parses changes one key and nothing else.
 */
#include <assert.h>

#include "base/utf8.h"
#include "store/config.h"
#include "store/config_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Append what c holds as a file, a section for each entry. */
static void
write_again(struct buf *out, const struct config *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *key = c->entry[i].key;

		assert(config_key_ok(key));
		assert(utf8_line(span_str(c->entry[i].value)));
		config_section_add(out, key);
		buf_addf(out, "%s = ", key + config_key_section(key));
		config_value_add(out, c->entry[i].value);
		buf_addc(out, '\n');
	}
}

static void
same(const struct config *a, const struct config *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert(strcmp(a->entry[i].key, b->entry[i].key) == 0);
		assert(strcmp(a->entry[i].value, b->entry[i].value) == 0);
	}
}

/* Set or remove key: no other key may change, nor their order. */
static void
edit(const struct config *c, struct span text, const char *key,
    const char *value)
{
	struct buf out = BUF_INIT(CONFIG_MAX);
	struct config after = { NULL, 0 };
	size_t i = 0, j = 0;
	struct err e;

	if (config_edit(&out, text, key, value, &e) != 0) {
		/* Only for want of room. */
		assert(text.n > CONFIG_MAX / 2 && e.kind == ERR_BAD);
		buf_free(&out);
		return;
	}
	assert(config_parse(&after, buf_span(&out), "after", &e) == 0);
	for (;;) {
		while (i < c->n && strcmp(c->entry[i].key, key) == 0)
			i++;
		while (j < after.n && strcmp(after.entry[j].key, key) == 0)
			j++;
		if (i == c->n || j == after.n)
			break;
		assert(strcmp(c->entry[i].key, after.entry[j].key) == 0);
		assert(strcmp(c->entry[i++].value, after.entry[j++].value)
		    == 0);
	}
	assert(i == c->n && j == after.n);
	config_free(&after);
	buf_free(&out);
}

static void
edits(const struct config *c, struct span text)
{
	static const char *const key[] = { "a.b", "peer.x.command",
	    "p.\\\".b" };
	static const char *const value[] = { "", "v", " \"#;\\", NULL };

	for (size_t v = 0; v < 4; v++) {
		for (size_t k = 0; k < 3; k++)
			edit(c, text, key[k], value[v]);
		if (c->n > 0)
			edit(c, text, c->entry[c->n / 2].key, value[v]);
	}
}

/* Each line lies where it says, and so does each value. */
static void
places(struct span text)
{
	struct config_line l = { .kind = CONFIG_NOTHING };
	struct config_reader r;
	size_t end = 0;
	struct err e;
	int got;

	config_reader_init(&r, text, "fuzz");
	while ((got = config_line_read(&l, &r, &e)) > 0) {
		assert(l.at == end && l.end > l.at);
		end = l.end;
		if (l.kind != CONFIG_ENTRY)
			continue;
		assert(l.at < l.value_at && l.value_at <= l.value_end &&
		    l.value_end <= l.end);
		assert(l.value.len <= l.value_end - l.value_at);
	}
	assert(got < 0 || end == text.n);
	config_line_free(&l);
	config_reader_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct config c = { NULL, 0 }, again = { NULL, 0 };
	struct buf text = BUF_INIT(CONFIG_MAX);
	const char *value;
	struct span sub;
	size_t at = 0;
	struct err e;

	places(span_of(p, n));
	if (config_parse(&c, span_of(p, n), "fuzz", &e) != 0) {
		assert(e.kind == ERR_BAD && utf8_line(span_str(e.msg)));
		config_free(&c);
		return 0;
	}
	write_again(&text, &c);
	if (buf_check(&text, "fuzz", &e) == 0) {
		assert(config_parse(&again, buf_span(&text), "again", &e) == 0);
		same(&c, &again);
	}
	while (config_next(&c, "peer", "command", &at, &sub, &value))
		assert(sub.n > 0 && value != NULL);
	edits(&c, span_of(p, n));
	config_free(&c);
	config_free(&again);
	buf_free(&text);
	return 0;
}
