#include "log/hourtext.h"

#include "base/stamp.h"
#include "ledger/name.h"

void
hourtext_add_head(struct buf *out, const struct hourtext_head *h,
    const struct hash *ledger)
{
	char hour[STAMP_HOUR_LEN + 1], root[HASH_HEX];

	stamp_hour_format(hour, h->hour_ms);
	hash_format(root, &h->previous);
	head_add(out, "log", ledger);
	buf_addf(out, "hour %s\nprevious %s\n", hour, root);
}

void
hourtext_add_line(struct buf *out, const struct tx *tx, struct span user)
{
	char time[STAMP_LEN + 1], id[HASH_HEX];

	stamp_format(time, tx->time_ms);
	hash_format(id, &tx->id);
	if (user.n == 0)
		user = span_str("-");
	buf_addf(out, "%.*s %.*s %s %s ", SPAN_FMT(user),
	    SPAN_FMT(tx->author), time, id);
	tx_describe(out, tx);
	buf_addc(out, '\n');
}

static bool
is_name(struct span s)
{
	return name_is_handle(s) || name_is_node(s);
}

static int
read_line(struct merkle *tree, struct text *t, struct err *e)
{
	struct span line, user, author, time, digest;
	struct hash id, leaf;
	int64_t ms;

	if (text_line(t, &line, e) != 0)
		return -1;
	user = text_word(&line);
	author = text_word(&line);
	time = text_word(&line);
	digest = text_word(&line);
	if ((!span_is(user, "-") && !is_name(user)) || !is_name(author) ||
	    stamp_parse(&ms, time) != 0 || hash_parse(&id, digest) != 0 ||
	    line.n == 0)
		return text_bad(t, e, "not five columns of a log");
	merkle_leaf(&leaf, id.b, HASH_LEN);
	merkle_add(tree, &leaf);
	return 0;
}

int
hourtext_parse(struct hourtext_head *h, struct merkle *tree,
    struct span text, const struct hash *ledger, struct err *e)
{
	struct span hour;
	struct text t;

	text_init(&t, text, "log");
	merkle_init(tree);
	if (head_expect(&t, "log", ledger, e) != 0 ||
	    text_key(&t, "hour", &hour, e) != 0)
		return -1;
	if (stamp_hour_parse(&h->hour_ms, hour) != 0)
		return text_bad(&t, e, "\"hour\" is not an hour");
	if (text_hash(&t, "previous", h->previous.b, e) != 0)
		return -1;
	while (!text_end(&t))
		if (read_line(tree, &t, e) != 0)
			return -1;
	return 0;
}
