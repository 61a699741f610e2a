#include "net/known_file.h"

#include "base/text.h"
#include "ledger/block.h"

int
known_look(struct known *k, struct repo *r, struct err *e)
{
	struct buf text = BUF_INIT(KNOWN_TEXT_MAX);
	int ret = fs_read(&text, r->dirfd, KNOWN_FILE, e);

	if (ret == 0)
		ret = known_parse_file(k, buf_span(&text), repo_ledger(r), e);
	if (ret != 0)
		k->n = 0;
	buf_free(&text);
	return ret;
}

void
known_load(struct known *k, struct repo *r)
{
	struct err ignored;

	(void)known_look(k, r, &ignored);
}

int
known_store(const struct known *k, struct repo *r, struct err *e)
{
	struct buf text = BUF_INIT(KNOWN_TEXT_MAX);
	struct buf old = BUF_INIT(KNOWN_TEXT_MAX);
	struct err ignored;
	int ret = 0;

	known_format_file(&text, k, repo_ledger(r));
	if (fs_read(&old, r->dirfd, KNOWN_FILE, &ignored) != 0 ||
	    !span_eq(buf_span(&old), buf_span(&text)))
		ret = buf_check(&text, KNOWN_FILE, e) != 0 ? -1 :
		    fs_write(r->dirfd, KNOWN_FILE, "tmp", buf_span(&text),
		    0600, false, e);
	buf_free(&text);
	buf_free(&old);
	return ret;
}

static void
tell(struct known *k, struct span name, struct span address)
{
	struct known_peer *p;

	if (!known_address_ok(address) || (p = known_add(k, name)) == NULL)
		return;
	memset(p->address, 0, sizeof(p->address));
	memcpy(p->address, address.p, address.n);
}

/* The address in "ssh ADDRESS ehr-serve", or nothing. */
static struct span
in_command(const char *command)
{
	struct span rest = span_str(command), address;

	if (!span_is(text_word(&rest), "ssh"))
		return span_of(NULL, 0);
	address = text_word(&rest);
	return span_is(rest, "ehr-serve") ? address : span_of(NULL, 0);
}

void
known_told(struct known *out, struct repo *r)
{
	const char *us = repo_node_name(r), *value;
	struct span name;
	size_t at = 0;

	known_load(out, r);
	while (config_next(&r->config, "peer", "command", &at, &name, &value))
		tell(out, name, in_command(value));
	at = 0;
	while (config_next(&r->config, "peer", "address", &at, &name, &value))
		tell(out, name, span_str(value));
	value = config_get(&r->config, "node.address");
	if (us != NULL && value != NULL)
		tell(out, span_str(us), span_str(value));
}
