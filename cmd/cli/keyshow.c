#define _GNU_SOURCE	/* AT_FDCWD */
#include "cli/keyshow.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "cli/ident.h"
#include "cli/ndjson.h"
#include "ledger/card.h"
#include "ledger/head.h"
#include "ledger/name.h"

/* Where the pairs go: stdout, or an object. */
struct shown {
	json_t *object;		/* NULL: lines */
};

static void
put(struct shown *s, const char *key, struct span value)
{
	if (value.n == 0)
		return;
	if (s->object == NULL)
		printf("%s %.*s\n", key, SPAN_FMT(value));
	else
		json_object_set_new(s->object, key, ndjson_span(value));
}

static void
put_sign(struct shown *s, const struct sign_pub *pub)
{
	struct buf text = BUF_INIT(2 * SIGN_PUB_MAX);

	sign_pub_add(&text, pub);
	put(s, "sign", buf_span(&text));
	buf_free(&text);
}

static void
put_seal(struct shown *s, const char *key, const struct seal_pub *pub)
{
	struct buf text = BUF_INIT(128);

	seal_pub_add(&text, pub);
	put(s, key, buf_span(&text));
	buf_free(&text);
}

static void
put_kind(struct shown *s, bool node)
{
	put(s, "kind", span_str(node ? "node" : "user"));
}

static int
show_card(struct shown *s, struct span file, struct err *e)
{
	char own[HANDLE_LEN + 1];
	struct card c;

	if (card_parse(&c, file, true, e) != 0)
		return -1;
	put_kind(s, c.kind == CARD_NODE);
	put(s, "name", c.name);
	name_handle(own, &c.sign);
	if (c.kind == CARD_USER && !span_is(c.name, own))
		put(s, "replaces", span_str("earlier keys of that name"));
	put_sign(s, &c.sign);
	put_seal(s, "seal", &c.seal);
	put(s, "full-name", c.full_name);
	put(s, "email", c.email);
	put(s, "born", c.born);
	put(s, "phone", c.phone);
	put(s, "sex", c.sex);
	return 0;
}

static int
show_identity(struct shown *s, struct cli *c, const char *path,
    struct err *e)
{
	struct identity id;
	struct sign_pub sign;
	struct seal_pub seal;
	int r = 0;

	if (ident_read(&id, c, path, e) != 0)
		return -1;
	put_kind(s, !name_is_handle(span_str(id.name)));
	put(s, "name", span_str(id.name));
	sign_public(&sign, id.sign);
	put_sign(s, &sign);
	for (size_t i = 0; r == 0 && i < id.nseals; i++) {
		r = seal_public(&seal, &id.seal[i], e);
		if (r == 0)
			put_seal(s, i == 0 ? "seal" : "earlier-seal", &seal);
	}
	identity_wipe(&id);
	return r;
}

int
keyshow(struct cli *c, const char *path, struct err *e)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct shown s = { NULL };
	int r;

	if (fs_read(&file, AT_FDCWD, path, e) != 0) {
		buf_wipe(&file);
		return -1;
	}
	if (c->json)
		s.object = json_object();
	if (!span_is(head_kind(buf_span(&file)), "card"))
		r = show_identity(&s, c, path, e);
	else if ((r = show_card(&s, buf_span(&file), e)) != 0)
		err_wrap(e, "%s", path);
	buf_wipe(&file);
	if (r == 0 && c->json)
		ndjson_line(c, s.object);
	else
		json_decref(s.object);
	return r;
}
