#include "crypto/identity.h"

#include "base/text.h"

#define BEGIN "-----BEGIN "
#define END "-----END "

bool
identity_is_encrypted(struct span file)
{
	static const char mark[] = BEGIN "ENCRYPTED PRIVATE KEY-----\n";
	size_t n = sizeof(mark) - 1;

	for (size_t i = 0; i + n <= file.n; i++)
		if (memcmp(file.p + i, mark, n) == 0)
			return true;
	return false;
}

static int
read_head(struct text *t, struct span *name, struct span file, struct err *e)
{
	struct span line;

	text_init(t, file, "key file");
	if (file.n > IDENTITY_FILE_MAX)
		return text_bad(t, e, "longer than %d bytes",
		    IDENTITY_FILE_MAX);
	if (text_line(t, &line, e) != 0)
		return -1;
	if (!span_is(line, "ehr.v1 identity"))
		return text_bad(t, e, "not an ehr key file");
	if (text_key(t, "name", name, e) != 0)
		return -1;
	if (!note_name_ok(*name))
		return text_bad(t, e, "not a name");
	return 0;
}

int
identity_name(struct span *name, struct span file, struct err *e)
{
	struct text t;

	return read_head(&t, name, file, e);
}

/* The next PEM block, from its BEGIN line to its END line. */
static int
next_block(struct text *t, struct span *pem, struct err *e)
{
	struct span line, start = t->rest;

	if (text_line(t, &line, e) != 0)
		return -1;
	if (!span_starts(line, BEGIN))
		return text_bad(t, e, "a PEM block expected");
	do {
		if (text_line(t, &line, e) != 0)
			return -1;
	} while (!span_starts(line, END));
	*pem = span_of(start.p, start.n - t->rest.n);
	return 0;
}

static int
read_block(struct identity *id, const struct text *t, struct span pem,
    struct span pass, struct err *e)
{
	struct sign_key *sign;
	struct seal_secret seal = { { 0 } };
	bool is_seal;

	if (key_pem_read(&sign, &seal, &is_seal, pem, pass, e) != 0)
		return -1;
	if (sign != NULL) {
		if (id->sign != NULL) {
			sign_free(sign);
			return text_bad(t, e, "a second signature key");
		}
		id->sign = sign;
		return 0;
	}
	if (id->sign == NULL || id->nseals == IDENTITY_SEALS_MAX) {
		hash_wipe(&seal, sizeof(seal));
		return text_bad(t, e, id->sign == NULL ?
		    "the signature key must come first" :
		    "too many sealing keys");
	}
	id->seal[id->nseals++] = seal;
	hash_wipe(&seal, sizeof(seal));
	return 0;
}

int
identity_parse(struct identity *id, struct span file, struct span pass,
    struct err *e)
{
	struct span name, pem;
	struct text t;

	memset(id, 0, sizeof(*id));
	if (read_head(&t, &name, file, e) != 0)
		return -1;
	memcpy(id->name, name.p, name.n);
	while (!text_end(&t))
		if (next_block(&t, &pem, e) != 0 ||
		    read_block(id, &t, pem, pass, e) != 0)
			goto fail;
	if (id->sign == NULL || id->nseals == 0) {
		text_bad(&t, e, "a signature and a sealing key expected");
		goto fail;
	}
	return 0;
fail:
	identity_wipe(id);
	return -1;
}

int
identity_format(struct buf *out, const struct identity *id, struct span pass,
    struct err *e)
{
	buf_addf(out, "ehr.v1 identity\nname %s\n", id->name);
	if (sign_pem_add(out, id->sign, pass, e) != 0)
		return -1;
	for (size_t i = 0; i < id->nseals; i++)
		if (seal_pem_add(out, &id->seal[i], pass, e) != 0)
			return -1;
	return buf_check(out, "key file", e);
}

int
identity_generate(struct identity *id, enum sign_alg alg, struct err *e)
{
	memset(id, 0, sizeof(*id));
	if (sign_generate(&id->sign, alg, e) != 0)
		return -1;
	seal_generate(&id->seal[0]);
	id->nseals = 1;
	return 0;
}

int
identity_copy(struct identity *out, const struct identity *id, struct err *e)
{
	struct sign_key *sign;

	memset(out, 0, sizeof(*out));
	if (sign_copy(&sign, id->sign, e) != 0)
		return -1;
	*out = *id;
	out->sign = sign;
	return 0;
}

void
identity_wipe(struct identity *id)
{
	sign_free(id->sign);
	hash_wipe(id, sizeof(*id));
}

int
identity_sign(struct buf *out, struct span text, const struct identity *id,
    struct err *e)
{
	return note_sign(out, text, span_str(id->name), id->sign, e);
}
