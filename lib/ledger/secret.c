#include "ledger/secret.h"

#include "ledger/tail.h"

void
secret_text(struct buf *out, const struct hash *secret)
{
	size_t start = out->len;
	char hex[HASH_HEX];

	hash_format(hex, secret);
	buf_addf(out, "%s\n", hex);
	hash_wipe(hex, sizeof(hex));
	tail_add(out, start);
}

static int
parse(struct hash *out, bool *checked, struct span whole, struct err *e)
{
	struct span line;
	struct text t;

	text_init(&t, whole, "secret");
	if (text_line(&t, &line, e) != 0)
		return -1;
	if (hash_parse(out, line) != 0)
		return text_bad(&t, e, "64 hex digits expected");
	*checked = !text_end(&t);
	return *checked ? tail_expect(&t, whole, e) : 0;
}

int
secret_parse(struct hash *out, bool *checked, struct span whole,
    struct err *e)
{
	*checked = false;
	if (parse(out, checked, whole, e) == 0)
		return 0;
	hash_wipe(out, sizeof(*out));
	return -1;
}
