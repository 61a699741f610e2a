#include "ledger/tx_body.h"

#include "ledger/name.h"
#include "ledger/perm.h"

/*
 * The lines that a transaction can have.  Each kind is a fixed sequence of
 * them, so that reading and writing follow one table.
 */
enum line {
	END = 0,
	USER, SUBJECT, ROLE, NODE, SIGN, SEAL, EMAIL, PROFILE, PERMS,
	GENERATION, MEMBERS, OBJECT, RECORD, HEADER, READERS, CHOICES, REASON,
	MANIFEST
};

#define LINES_MAX 8

static const unsigned char lines[TX_KINDS][LINES_MAX] = {
	[TX_ENROLL] = { USER, ROLE, SIGN, SEAL, EMAIL, PROFILE },
	[TX_REKEY] = { SUBJECT, SIGN, SEAL },
	[TX_ROLE_DEFINE] = { ROLE, PERMS },
	[TX_ROLE_GRANT] = { USER, ROLE },
	[TX_ROLE_REVOKE] = { USER, ROLE },
	[TX_ROLE_KEY] = { ROLE, GENERATION, MEMBERS, SEAL, OBJECT },
	[TX_NODE_ADMIT] = { NODE, SIGN, SEAL },
	[TX_NODE_REMOVE] = { NODE },
	[TX_VOTE] = { CHOICES },
	[TX_AUTHORIZE] = { RECORD, HEADER, READERS, MANIFEST },
	[TX_REJECT] = { RECORD },
	[TX_GRANT] = { RECORD, HEADER, READERS },
	[TX_WITHDRAW] = { RECORD, HEADER, READERS },
	[TX_ACCESS] = { RECORD },
	[TX_ERASE] = { RECORD, REASON },
};

/* A value that must pass a test of form. */
static int
read_name(struct span *out, struct text *t, const char *key,
    bool (*ok)(struct span), struct err *e)
{
	if (text_key(t, key, out, e) != 0)
		return -1;
	if (!ok(*out))
		return text_bad(t, e, "\"%s\" is malformed", key);
	return 0;
}

static bool
is_subject(struct span s)
{
	return name_is_handle(s) || name_is_node(s);
}

static int
read_optional_hash(bool *has, struct hash *h, struct text *t, const char *key,
    struct err *e)
{
	struct span v;

	if (text_key(t, key, &v, e) != 0)
		return -1;
	*has = !span_is(v, "none");
	if (*has && hash_parse(h, v) != 0)
		return text_bad(t, e, "\"%s\" is malformed", key);
	return 0;
}

/* Lines of one key, in strictly ascending order of their values. */
static int
read_sorted(struct tx *tx, struct text *t, const char *key,
    bool (*ok)(struct span), struct err *e)
{
	while (text_next_is(t, key)) {
		struct span *v = &tx->reader[tx->nreaders];

		if (tx->nreaders == TX_READERS_MAX)
			return text_bad(t, e, "over %d times \"%s\"",
			    TX_READERS_MAX, key);
		if (read_name(v, t, key, ok, e) != 0)
			return -1;
		if (tx->nreaders > 0 && name_cmp(v[-1], *v) >= 0)
			return text_bad(t, e, "\"%s\" lines not in order", key);
		tx->nreaders++;
	}
	return 0;
}

static int
read_keys(struct tx *tx, struct text *t, enum line line, struct err *e)
{
	struct span v;
	int r;

	if (text_key(t, line == SIGN ? "sign" : "seal", &v, e) != 0)
		return -1;
	r = line == SIGN ? sign_pub_parse(&tx->sign, v, e) :
	    seal_pub_parse(&tx->seal, v, e);
	return r == 0 ? 0 : err_wrap(e, "%s, line %u", t->what, t->line);
}

static int
read_perms(struct tx *tx, struct text *t, struct err *e)
{
	struct span v;

	if (text_key(t, "permissions", &v, e) != 0)
		return -1;
	if (perm_parse(&tx->perms, v) != 0)
		return text_bad(t, e, "\"permissions\" is malformed");
	return 0;
}

static int
read_generation(struct tx *tx, struct text *t, struct err *e)
{
	if (text_u64(t, "generation", UINT32_MAX, &tx->generation, e) != 0)
		return -1;
	return tx->generation > 0 ? 0 :
	    text_bad(t, e, "\"generation\" starts at 1");
}

static int
read_manifest(struct tx *tx, struct text *t, struct err *e)
{
	struct span line;

	if (text_line(t, &line, e) != 0)
		return -1;
	if (!span_is(line, "manifest"))
		return text_bad(t, e, "\"manifest\" expected");
	return text_block(t, &tx->manifest, e);
}

static int
read_line(struct tx *tx, struct text *t, enum line line, struct err *e)
{
	switch (line) {
	case USER:
		return read_name(&tx->user, t, "user", name_is_handle, e);
	case SUBJECT:
		return read_name(&tx->user, t, "user", is_subject, e);
	case ROLE:
		return read_name(&tx->role, t, "role", name_is_role, e);
	case NODE:
		return read_name(&tx->node, t, "node", name_is_node, e);
	case SIGN:
	case SEAL:
		return read_keys(tx, t, line, e);
	case EMAIL:
		return read_optional_hash(&tx->has_email, &tx->email, t,
		    "email", e);
	case PROFILE:
		return read_optional_hash(&tx->has_profile, &tx->profile, t,
		    "profile", e);
	case PERMS:
		return read_perms(tx, t, e);
	case GENERATION:
		return read_generation(tx, t, e);
	case MEMBERS:
		return text_u64(t, "members", INT64_MAX, &tx->members, e);
	case OBJECT:
		return text_hash(t, "object", tx->object.b, e);
	case RECORD:
		return text_hash(t, "record", tx->record.b, e);
	case HEADER:
		return text_hash(t, "header", tx->header.b, e);
	case READERS:
		return read_sorted(tx, t, "reader", name_is_reader, e);
	case CHOICES:
		return read_sorted(tx, t, "for", name_is_node, e);
	case REASON:
		return read_name(&tx->reason, t, "reason",
		    name_is_erase_reason, e);
	case MANIFEST:
		return read_manifest(tx, t, e);
	case END:
		break;
	}
	return 0;
}

int
tx_body_read(struct tx *tx, struct text *t, struct err *e)
{
	const unsigned char *l = lines[tx->kind];

	for (; *l != END; l++)
		if (read_line(tx, t, (enum line)*l, e) != 0)
			return -1;
	return 0;
}

static void
add_name(struct buf *out, const char *key, struct span v)
{
	buf_addf(out, "%s %.*s\n", key, SPAN_FMT(v));
}

static void
add_hash(struct buf *out, const char *key, bool has, const struct hash *h)
{
	char hex[HASH_HEX] = "none";

	if (has)
		hash_format(hex, h);
	buf_addf(out, "%s %s\n", key, hex);
}

static void
add_line(struct buf *out, const struct tx *tx, enum line line)
{
	switch (line) {
	case USER:
	case SUBJECT:
		add_name(out, "user", tx->user);
		break;
	case ROLE:
		add_name(out, "role", tx->role);
		break;
	case NODE:
		add_name(out, "node", tx->node);
		break;
	case SIGN:
		buf_adds(out, "sign ");
		sign_pub_add(out, &tx->sign);
		buf_addc(out, '\n');
		break;
	case SEAL:
		buf_adds(out, "seal ");
		seal_pub_add(out, &tx->seal);
		buf_addc(out, '\n');
		break;
	case EMAIL:
		add_hash(out, "email", tx->has_email, &tx->email);
		break;
	case PROFILE:
		add_hash(out, "profile", tx->has_profile, &tx->profile);
		break;
	case PERMS:
		buf_adds(out, "permissions ");
		perm_add(out, tx->perms);
		buf_addc(out, '\n');
		break;
	case GENERATION:
		buf_addf(out, "generation %llu\n",
		    (unsigned long long)tx->generation);
		break;
	case MEMBERS:
		buf_addf(out, "members %llu\n",
		    (unsigned long long)tx->members);
		break;
	case OBJECT:
		add_hash(out, "object", true, &tx->object);
		break;
	case RECORD:
		add_hash(out, "record", true, &tx->record);
		break;
	case HEADER:
		add_hash(out, "header", true, &tx->header);
		break;
	case READERS:
	case CHOICES:
		for (size_t i = 0; i < tx->nreaders; i++)
			add_name(out, line == READERS ? "reader" : "for",
			    tx->reader[i]);
		break;
	case REASON:
		add_name(out, "reason", tx->reason);
		break;
	case MANIFEST:
		buf_adds(out, "manifest\n");
		text_add_block(out, buf_span(&tx->manifest));
		break;
	case END:
		break;
	}
}

void
tx_body_add(struct buf *out, const struct tx *tx)
{
	const unsigned char *l = lines[tx->kind];

	for (; *l != END; l++)
		add_line(out, tx, (enum line)*l);
}
