#include "log/checked.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/stamp.h"
#include "base/text.h"
#include "ledger/head.h"

#define SEAL "hmac "
#define SEAL_LEN (sizeof(SEAL) - 1 + HASH_HEX)	/* the last line */

void
checked_bind(struct hash *digest, struct span bytes)
{
	struct hash h;

	hash_bytes(&h, bytes.p, bytes.n);
	hash_spans(digest, (struct span[]){ span_of(digest->b, HASH_LEN),
	    span_of(h.b, HASH_LEN) }, 2);
}

/* --- groups --------------------------------------------------------------- */

static int
compare(const void *name, const void *group)
{
	return strcmp(name, ((const struct checked_group *)group)->name);
}

const struct checked_group *
checked_find(const struct checked_groups *g, const char *name)
{
	return g->n == 0 ? NULL : bsearch(name, g->v, g->n, sizeof(*g->v),
	    compare);
}

int
checked_add(struct checked_groups *g, const char *name, int64_t time_ms,
    const struct hash *digest, struct err *e)
{
	struct checked_group *more = g->v;

	/* Room is doubled when it is used up. */
	if ((g->n & (g->n - 1)) == 0)
		more = realloc(g->v, (g->n == 0 ? 1 : 2 * g->n) *
		    sizeof(*more));
	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	g->v = more;
	more += g->n++;
	*more = (struct checked_group){ .time_ms = time_ms,
	    .digest = *digest };
	snprintf(more->name, sizeof(more->name), "%s", name);
	return 0;
}

/* --- text ----------------------------------------------------------------- */

static void
hmac(char hex[HASH_HEX], struct span text, const struct hash *key)
{
	struct hash h;

	hash_hmac(&h, span_of(key->b, HASH_LEN), &text, 1);
	hash_format(hex, &h);
}

static void
add_groups(struct buf *out, const struct checked_groups *g)
{
	char time[STAMP_LEN + 1], digest[HASH_HEX];

	for (size_t i = 0; i < g->n; i++) {
		stamp_format(time, g->v[i].time_ms);
		hash_format(digest, &g->v[i].digest);
		buf_addf(out, "group %s %s %s\n", g->v[i].name, time, digest);
	}
}

void
checked_format(struct buf *out, const struct checked *c,
    const struct hash *ledger, const struct hash *key)
{
	char time[STAMP_LEN + 1], a[HASH_HEX], b[HASH_HEX];

	head_add(out, "checked", ledger);
	stamp_format(time, c->full_ms);
	hash_format(a, &c->blocks);
	hash_format(b, &c->state);
	buf_addf(out, "full %s\nheight %llu\nblocks %s\nstate %s\n", time,
	    (unsigned long long)c->height, a, b);
	if (c->logs.end_ms > 0) {
		stamp_format(time, c->logs.end_ms);
		hash_format(a, &c->logs.root);
		hash_format(b, &c->logs.digest);
		buf_addf(out, "logs %s\nroot %s\ndigest %s\n", time, a, b);
	}
	add_groups(out, &c->groups);
	if (out->failed == 0) {
		hmac(a, buf_span(out), key);
		buf_addf(out, SEAL "%s\n", a);
	}
}

/* "NAME TIME DIGEST". */
static int
parse_group(struct checked_group *g, struct span line)
{
	struct span name = text_word(&line);

	if (name.n == 0 || name.n >= sizeof(g->name))
		return -1;
	memcpy(g->name, name.p, name.n);
	g->name[name.n] = '\0';
	if (stamp_parse(&g->time_ms, text_word(&line)) != 0)
		return -1;
	return hash_parse(&g->digest, line);
}

/* Names in order, each once. */
static int
parse_groups(struct checked_groups *all, struct text *t, struct err *e)
{
	struct checked_group g;
	struct span line;

	while (!text_end(t)) {
		if (text_key(t, "group", &line, e) != 0)
			return -1;
		if (parse_group(&g, line) != 0 || (all->n > 0 &&
		    strcmp(all->v[all->n - 1].name, g.name) >= 0))
			return text_bad(t, e, "not a group, or out of order");
		if (checked_add(all, g.name, g.time_ms, &g.digest, e) != 0)
			return -1;
	}
	return 0;
}

static int
parse_logs(struct checked_logs *l, struct text *t, struct err *e)
{
	if (text_time(t, "logs", &l->end_ms, e) != 0 ||
	    text_hash(t, "root", l->root.b, e) != 0 ||
	    text_hash(t, "digest", l->digest.b, e) != 0)
		return -1;
	return l->end_ms > 0 ? 0 : text_bad(t, e, "logs of no hour");
}

static int
parse(struct checked *c, struct text *t, const struct hash *ledger,
    struct err *e)
{
	if (head_expect(t, "checked", ledger, e) != 0 ||
	    text_time(t, "full", &c->full_ms, e) != 0 ||
	    text_u64(t, "height", INT64_MAX, &c->height, e) != 0 ||
	    text_hash(t, "blocks", c->blocks.b, e) != 0 ||
	    text_hash(t, "state", c->state.b, e) != 0)
		return -1;
	if (text_next_is(t, "logs") && parse_logs(&c->logs, t, e) != 0)
		return -1;
	return parse_groups(&c->groups, t, e);
}

int
checked_parse(struct checked *c, struct span whole,
    const struct hash *ledger, const struct hash *key, struct err *e)
{
	struct span signed_part = whole;
	char want[SEAL_LEN + 1] = SEAL;
	struct text t;

	*c = (struct checked){ .height = 0 };
	if (whole.n < SEAL_LEN)
		return err_set(e, ERR_BAD, CHECKED_PATH ": too short");
	/* Whoever does not know the key gets no further. */
	signed_part.n -= SEAL_LEN;
	hmac(want + sizeof(SEAL) - 1, signed_part, key);
	want[SEAL_LEN - 1] = '\n';
	if (!hash_secret_eq(want, whole.p + signed_part.n, SEAL_LEN))
		return err_set(e, ERR_BAD, CHECKED_PATH ": was not made with "
		    "this node's key");
	text_init(&t, signed_part, CHECKED_PATH);
	return parse(c, &t, ledger, e);
}

void
checked_free(struct checked *c)
{
	free(c->groups.v);
	*c = (struct checked){ .height = 0 };
}
