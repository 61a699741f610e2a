#include "ledger/bundle.h"

#include "ledger/block.h"
#include "ledger/genesis.h"
#include "ledger/head.h"

#define PARTS_MAX 10			/* of a name */
#define LARGE (1ULL << 40)		/* bytes: objects and segments */

static const struct {
	const char *name;
	bool folder;
	uint64_t limit;
} kinds[BUNDLE_KINDS] = {
	[BUNDLE_HEAD] = { "bundle", false, BUNDLE_TEXT_MAX },
	[BUNDLE_GENESIS] = { "genesis", false, GENESIS_MAX },
	[BUNDLE_BLOCKS] = { "blocks", true, BLOCK_CONTENT_MAX + BLOCK_CERT_MAX +
	    4096 },
	[BUNDLE_OBJECTS] = { "objects", true, LARGE },
	[BUNDLE_LOGS] = { "logs", true, 1ULL << 32 },
	[BUNDLE_TILES] = { "tiles", true, 65536 },
	[BUNDLE_CHECKPOINTS] = { "checkpoints", true, 65536 },
	[BUNDLE_STAGING] = { "staging", true, LARGE },
	[BUNDLE_PENDING] = { "pending", true, LARGE },
	[BUNDLE_END] = { "end", false, BUNDLE_END_LEN }
};

void
bundle_format(struct buf *out, const struct bundle_head *h)
{
	char head[HASH_HEX];

	head_add(out, "bundle", &h->ledger);
	hash_format(head, &h->head);
	buf_addf(out, "since %llu\nheight %llu\nhead %s\n",
	    (unsigned long long)h->since, (unsigned long long)h->height, head);
}

int
bundle_parse(struct bundle_head *h, struct span text, struct err *e)
{
	struct span first;
	struct text t;

	if (text.n > BUNDLE_TEXT_MAX)
		return err_set(e, ERR_BAD, "bundle: its first entry is too "
		    "long");
	text_init(&t, text, "bundle");
	if (text_key(&t, "ehr.v1", &first, e) != 0)
		return -1;
	if (!span_is(text_word(&first), "bundle") ||
	    hash_parse(&h->ledger, first) != 0)
		return text_bad(&t, e, "not that of a bundle");
	if (text_u64(&t, "since", BLOCK_HEIGHT_MAX, &h->since, e) != 0 ||
	    text_u64(&t, "height", BLOCK_HEIGHT_MAX, &h->height, e) != 0 ||
	    text_hash(&t, "head", h->head.b, e) != 0 || text_done(&t, e) != 0)
		return -1;
	if (h->since > h->height)
		return text_bad(&t, e, "it begins after its end");
	if (h->height == 0 && !hash_eq(&h->head, &h->ledger))
		return text_bad(&t, e, "a head without blocks");
	return 0;
}

const char *
bundle_kind_name(enum bundle_kind k)
{
	return kinds[k].name;
}

uint64_t
bundle_limit(enum bundle_kind k)
{
	return kinds[k].limit;
}

static bool
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Parts of such characters and dots; none begins with a dot. */
static bool
is_name(struct span name)
{
	unsigned parts = 1;
	bool start = true;

	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = name.p[i];

		if (start ? !is_word(c) : !is_word(c) && c != '.' && c != '/')
			return false;
		start = c == '/';
		parts += start;
	}
	return !start && name.n <= BUNDLE_NAME_MAX && parts <= PARTS_MAX;
}

int
bundle_name(struct span name)
{
	if (!is_name(name))
		return -1;
	for (int k = 0; k < BUNDLE_KINDS; k++) {
		size_t n = strlen(kinds[k].name);

		if (!kinds[k].folder && span_is(name, kinds[k].name))
			return k;
		if (kinds[k].folder && name.n > n && name.p[n] == '/' &&
		    memcmp(name.p, kinds[k].name, n) == 0)
			return k;
	}
	return -1;
}

/* A slash comes before all else, so that a folder stands together. */
static int
rank(struct span s, size_t i)
{
	return i == s.n ? 0 : s.p[i] == '/' ? 1 : s.p[i];
}

int
bundle_cmp(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	return rank(a, i) - rank(b, i);
}
