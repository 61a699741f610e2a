#include "net/proto.h"

#include <assert.h>

#include "base/hex.h"
#include "base/stamp.h"
#include "base/text.h"
#include "base/utf8.h"
#include "store/object.h"

#define ITEM_LINE_MAX 32	/* bytes of an item's line */

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_BAD, "not the protocol: %s", what);
}

/* --- version -------------------------------------------------------------- */

/* A hash, or "-" for none. */
static int
take_hash(bool *has, struct hash *out, struct span *rest)
{
	struct span word = text_word(rest);

	*has = !span_is(word, "-");
	return *has ? hash_parse(out, word) : 0;
}

static int
take_node(struct span *out, struct span *rest)
{
	*out = text_word(rest);
	if (!span_is(*out, "-"))
		return name_is_node(*out) ? 0 : -1;
	out->n = 0;
	return 0;
}

int
proto_version_parse(struct proto_version *v, struct span line, struct err *e)
{
	struct span rest = line;

	memset(v, 0, sizeof(*v));
	if (!span_is(text_word(&rest), "version") ||
	    text_parse_u64(&v->version, text_word(&rest), UINT32_MAX) != 0)
		return bad(e, "a version line was expected");
	if (v->version != PROTO_VERSION)
		return 0;
	/* The last word is the rest, so that nothing follows it. */
	if (take_hash(&v->has_ledger, &v->ledger, &rest) != 0 ||
	    text_parse_u64(&v->height, text_word(&rest),
	    BLOCK_HEIGHT_MAX) != 0 ||
	    take_hash(&v->has_head, &v->head, &rest) != 0 ||
	    stamp_parse(&v->time_ms, text_word(&rest)) != 0 ||
	    take_node(&v->node, &rest) != 0 ||
	    hex_decode(v->nonce, PROTO_NONCE, rest) != 0)
		return bad(e, "malformed version line");
	return 0;
}

static void
add_hash(struct buf *out, bool has, const struct hash *h)
{
	char hex[HASH_HEX] = "-";

	if (has)
		hash_format(hex, h);
	buf_adds(out, hex);
}

void
proto_version_format(struct buf *out, const struct proto_version *v)
{
	char time[STAMP_LEN + 1], nonce[2 * PROTO_NONCE + 1];

	buf_addf(out, "version %u ", PROTO_VERSION);
	add_hash(out, v->has_ledger, &v->ledger);
	buf_addf(out, " %llu ", (unsigned long long)v->height);
	add_hash(out, v->has_head, &v->head);
	stamp_format(time, v->time_ms);
	hex_encode(nonce, v->nonce, PROTO_NONCE);
	if (v->node.n == 0)
		buf_addf(out, " %s - %s", time, nonce);
	else
		buf_addf(out, " %s %.*s %s", time, SPAN_FMT(v->node), nonce);
}

void
proto_hello_text(struct buf *out, const char *kind,
    const struct hash *ledger, const char *node, const char *peer,
    const unsigned char nonce[PROTO_NONCE])
{
	char hex[2 * PROTO_NONCE + 1];

	hex_encode(hex, nonce, PROTO_NONCE);
	head_add(out, kind, ledger);
	buf_addf(out, "node %s\npeer %s\nnonce %s\n", node, peer, hex);
}

/* --- requests ------------------------------------------------------------- */

enum args {
	ARGS_NONE,
	ARGS_HEIGHT,
	ARGS_HOURS,
	ARGS_OFFSET,
	ARGS_SKIP,
	ARGS_RANGE,
	ARGS_STOP,		/* a range, and perhaps where to stop */
	ARGS_ANY		/* not ours to read */
};

static const struct {
	const char *name;
	enum args args;
	size_t body;		/* bytes of its payload, at most */
} verbs[PROTO_VERBS] = {
	[PROTO_ADDR] = { "addr", ARGS_NONE, 0 },
	[PROTO_BLOCKS] = { "blocks", ARGS_RANGE, 0 },
	[PROTO_BYE] = { "bye", ARGS_NONE, 0 },
	[PROTO_CONSENSUS] = { "consensus", ARGS_ANY, PROTO_BODY_MAX },
	[PROTO_COSIGN] = { "cosign", ARGS_NONE, PROTO_COSIGN_MAX },
	[PROTO_DELEGATES] = { "delegates", ARGS_HEIGHT, 0 },
	[PROTO_GENESIS] = { "genesis", ARGS_NONE, 0 },
	[PROTO_GET_PENDING] = { "get-pending", ARGS_NONE,
	    PROTO_IDS_MAX * HASH_LEN },
	[PROTO_GET_STAGED] = { "get-staged", ARGS_NONE,
	    PROTO_IDS_MAX * HASH_LEN },
	[PROTO_HEAD] = { "head", ARGS_NONE, 0 },
	[PROTO_HEADERS] = { "headers", ARGS_STOP, 0 },
	[PROTO_KEEPALIVE] = { "keepalive", ARGS_NONE, 0 },
	[PROTO_OBJECTS] = { "objects", ARGS_NONE, PROTO_IDS_MAX * HASH_LEN },
	[PROTO_PENDING] = { "pending", ARGS_SKIP, 0 },
	[PROTO_PUT_BLOCK] = { "put-block", ARGS_NONE, PROTO_BODY_MAX },
	[PROTO_PUT_OBJECTS] = { "put-objects", ARGS_NONE, SIZE_MAX },
	[PROTO_PUT_PENDING] = { "put-pending", ARGS_NONE, PROTO_PUT_MAX },
	[PROTO_PUT_STAGED] = { "put-staged", ARGS_NONE, PROTO_PUT_MAX },
	[PROTO_REST] = { "rest", ARGS_OFFSET, HASH_LEN },
	[PROTO_ROOTS] = { "roots", ARGS_HOURS, 0 },
	[PROTO_SECRET] = { "secret", ARGS_NONE, 0 },
	[PROTO_STAGED] = { "staged", ARGS_SKIP, 0 },
	[PROTO_WANTED] = { "wanted", ARGS_SKIP, 0 }
};

const char *
proto_verb_name(enum proto_verb verb)
{
	return verbs[verb].name;
}

size_t
proto_verb_body(enum proto_verb verb)
{
	return verbs[verb].body;
}

/* COUNT, the last word. */
static int
parse_count(struct proto_request *r, struct span word)
{
	return text_parse_u64(&r->count, word, PROTO_COUNT_MAX) == 0 &&
	    r->count > 0 ? 0 : -1;
}

static int
parse_range(struct proto_request *r, enum args args, struct span rest)
{
	struct span count;

	if (text_parse_u64(&r->from, text_word(&rest), BLOCK_HEIGHT_MAX) != 0 ||
	    r->from == 0)
		return -1;
	if (args == ARGS_RANGE || memchr(rest.p, ' ', rest.n) == NULL)
		return parse_count(r, rest);
	count = text_word(&rest);
	r->has_stop = true;
	return parse_count(r, count) == 0 ? hash_parse(&r->stop, rest) : -1;
}

static int
parse_args(struct proto_request *r, enum args args, struct span rest)
{
	switch (args) {
	case ARGS_NONE:
		return rest.n == 0 ? 0 : -1;
	case ARGS_HEIGHT:
		return text_parse_u64(&r->from, rest, BLOCK_HEIGHT_MAX) == 0 &&
		    r->from > 0 ? 0 : -1;
	case ARGS_HOURS:
		return stamp_hour_parse(&r->hour_ms, text_word(&rest)) == 0 ?
		    parse_count(r, rest) : -1;
	case ARGS_OFFSET:
		return text_parse_u64(&r->from, rest, OBJECT_MAX);
	case ARGS_SKIP:
		return text_parse_u64(&r->from, rest, UINT32_MAX);
	case ARGS_RANGE:
	case ARGS_STOP:
		return parse_range(r, args, rest);
	case ARGS_ANY:
		return 0;
	}
	return -1;
}

int
proto_request_parse(struct proto_request *r, struct span line, struct err *e)
{
	struct span rest = line, word = text_word(&rest);

	memset(r, 0, sizeof(*r));
	for (int v = 0; v < PROTO_VERBS; v++) {
		if (!span_is(word, verbs[v].name))
			continue;
		r->verb = (enum proto_verb)v;
		/* "bye " is not "bye". */
		if (parse_args(r, verbs[v].args, rest) != 0 ||
		    (verbs[v].args == ARGS_NONE && word.n != line.n))
			return err_set(e, ERR_BAD, "malformed request "
			    "\"%.*s\"", SPAN_FMT(word));
		return 0;
	}
	return err_set(e, ERR_NO, "there is no request \"%.*s\"",
	    word.n > 40 ? 40 : (int)word.n, (const char *)word.p);
}

void
proto_request_format(struct buf *out, const struct proto_request *r)
{
	char hour[STAMP_HOUR_LEN + 1];
	enum args args = verbs[r->verb].args;

	buf_adds(out, verbs[r->verb].name);
	if (args == ARGS_SKIP || args == ARGS_OFFSET || args == ARGS_HEIGHT)
		buf_addf(out, " %llu", (unsigned long long)r->from);
	if (args == ARGS_RANGE || args == ARGS_STOP)
		buf_addf(out, " %llu %llu", (unsigned long long)r->from,
		    (unsigned long long)r->count);
	if (args == ARGS_STOP && r->has_stop) {
		buf_addc(out, ' ');
		add_hash(out, true, &r->stop);
	}
	if (args == ARGS_HOURS) {
		stamp_hour_format(hour, r->hour_ms);
		buf_addf(out, " %s %llu", hour, (unsigned long long)r->count);
	}
}

/* --- answers -------------------------------------------------------------- */

int
proto_answer_parse(enum proto_answer *a, struct span *rest, struct span line,
    struct err *e)
{
	struct span word;

	*rest = line;
	word = text_word(rest);
	if (!utf8_line(line))
		return bad(e, "an answer that is not a line");
	if (span_is(word, "ok"))
		*a = PROTO_OK;
	else if (span_is(word, "no"))
		*a = PROTO_NO;
	else if (span_is(word, "again"))
		*a = PROTO_AGAIN;
	else
		return bad(e, "an answer was expected");
	if (rest->n == 0 && (*a != PROTO_OK || word.n != line.n))
		return bad(e, "an answer with nothing after its word");
	return 0;
}

void
proto_refusal(struct buf *out, const struct err *e)
{
	assert(e->msg[0] != '\0');
	buf_addf(out, "%s %s", e->kind == ERR_AGAIN || e->kind == ERR_SYS ?
	    "again" : "no", e->msg);
}

static const char *const accesses[PROTO_ACCESSES] = {
	[PROTO_CHAIN] = "chain",
	[PROTO_PUBLIC] = "public",
	[PROTO_READER] = "reader",
	[PROTO_NODE] = "node"
};

const char *
proto_access_name(enum proto_access a)
{
	return accesses[a];
}

int
proto_access_parse(enum proto_access *a, struct span word, struct err *e)
{
	for (int i = 0; i < PROTO_ACCESSES; i++)
		if (span_is(word, accesses[i])) {
			*a = (enum proto_access)i;
			return 0;
		}
	return bad(e, "unknown access");
}

int
proto_put_parse(enum proto_put *p, uint64_t *n, struct span rest,
    struct err *e)
{
	struct span all = rest, word = text_word(&rest);

	*n = 0;
	if (all.n == 0)
		*p = PROTO_TAKEN;
	else if (span_is(all, "need"))
		*p = PROTO_NEED;
	else if (span_is(word, "refused") &&
	    text_parse_u64(n, rest, UINT32_MAX) == 0 && *n > 0)
		*p = PROTO_REFUSED;
	else
		return bad(e, "a put was answered wrongly");
	return 0;
}

void
proto_put_format(struct buf *out, enum proto_put p, uint64_t n)
{
	if (p == PROTO_NEED)
		buf_adds(out, "ok need");
	else if (p == PROTO_REFUSED)
		buf_addf(out, "ok refused %llu", (unsigned long long)n);
	else
		buf_adds(out, "ok");
}

int
proto_head_parse(uint64_t *height, struct hash *id, struct span rest,
    struct err *e)
{
	if (text_parse_u64(height, text_word(&rest), BLOCK_HEIGHT_MAX) != 0 ||
	    hash_parse(id, rest) != 0)
		return bad(e, "malformed head");
	return 0;
}

void
proto_head_format(struct buf *out, uint64_t height, const struct hash *id)
{
	buf_addf(out, "%llu ", (unsigned long long)height);
	add_hash(out, true, id);
}

int
proto_root_parse(struct proto_root *r, struct span line, struct err *e)
{
	struct span rest = line;

	if (stamp_hour_parse(&r->hour_ms, text_word(&rest)) != 0 ||
	    text_parse_u64(&r->size, text_word(&rest), UINT32_MAX) != 0 ||
	    hash_parse(&r->root, rest) != 0)
		return bad(e, "malformed root");
	return 0;
}

void
proto_root_format(struct buf *out, const struct proto_root *r)
{
	char hour[STAMP_HOUR_LEN + 1];

	stamp_hour_format(hour, r->hour_ms);
	buf_addf(out, "%s %llu ", hour, (unsigned long long)r->size);
	add_hash(out, true, &r->root);
}

/* --- payloads ------------------------------------------------------------- */

int
proto_object_parse(struct proto_object *o, struct hash *id, struct span line,
    struct err *e)
{
	struct span rest = line;

	*o = (struct proto_object){ false, 0 };
	if (id == NULL && span_is(line, "absent")) {
		o->absent = true;
		return 0;
	}
	if (!span_is(text_word(&rest), "object") ||
	    (id != NULL && hash_parse(id, text_word(&rest)) != 0) ||
	    text_parse_u64(&o->size, rest, OBJECT_MAX) != 0)
		return bad(e, "an object was expected");
	return 0;
}

void
proto_object_format(struct buf *out, const struct proto_object *o,
    const struct hash *id)
{
	if (o->absent) {
		buf_adds(out, "absent");
		return;
	}
	buf_adds(out, "object ");
	if (id != NULL) {
		add_hash(out, true, id);
		buf_addc(out, ' ');
	}
	buf_addf(out, "%llu", (unsigned long long)o->size);
}

void
proto_item_add(struct buf *out, struct span data)
{
	buf_addf(out, "item %zu\n", data.n);
	buf_add(out, data.p, data.n);
}

int
proto_item_next(struct span *rest, struct span *item, size_t max,
    struct err *e)
{
	size_t look = rest->n < ITEM_LINE_MAX ? rest->n : ITEM_LINE_MAX;
	const unsigned char *nl;
	struct span line;
	uint64_t n;

	if (rest->n == 0)
		return 0;
	nl = memchr(rest->p, '\n', look);
	if (nl == NULL)
		return bad(e, "an item was expected");
	line = span_of(rest->p, (size_t)(nl - rest->p));
	if (!span_is(text_word(&line), "item") ||
	    text_parse_u64(&n, line, UINT32_MAX) != 0)
		return bad(e, "an item was expected");
	line = span_of(nl + 1, rest->n - (size_t)(nl + 1 - rest->p));
	if (n > line.n)
		return bad(e, "an item ends too early");
	if (n > max)
		return err_set(e, ERR_BAD, "an item of %llu bytes, over %zu",
		    (unsigned long long)n, max);
	*item = span_of(line.p, (size_t)n);
	*rest = span_of(line.p + n, line.n - (size_t)n);
	return 1;
}
