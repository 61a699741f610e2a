/*
 * identity: a key file that parses can be written, and reads back as the same
 * keys under the same name.
 */
#include <assert.h>

#include "crypto/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct span no_pass = { NULL, 0 };

static void
write_and_read(const struct identity *id)
{
	struct buf file = BUF_INIT(2 * IDENTITY_FILE_MAX), again = file;
	struct sign_pub a, b;
	struct identity back;
	struct err e;

	assert(identity_format(&file, id, no_pass, &e) == 0);
	assert(!identity_is_encrypted(buf_span(&file)));
	assert(identity_parse(&back, buf_span(&file), no_pass, &e) == 0);
	sign_public(&a, id->sign);
	sign_public(&b, back.sign);
	assert(sign_pub_eq(&a, &b));
	assert(strcmp(id->name, back.name) == 0);
	assert(id->nseals == back.nseals);
	assert(memcmp(id->seal, back.seal, sizeof(id->seal)) == 0);
	assert(identity_format(&again, &back, no_pass, &e) == 0);
	assert(span_eq(buf_span(&file), buf_span(&again)));
	identity_wipe(&back);
	buf_wipe(&file);
	buf_wipe(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n), name;
	struct identity id;
	struct err e;
	int named = identity_name(&name, in, &e);

	if (identity_parse(&id, in, no_pass, &e) != 0) {
		assert(e.kind == ERR_BAD || e.kind == ERR_NO);
		assert(id.sign == NULL && id.nseals == 0);
		return 0;
	}
	assert(named == 0 && span_is(name, id.name));
	assert(id.nseals >= 1 && id.nseals <= IDENTITY_SEALS_MAX);
	write_and_read(&id);
	identity_wipe(&id);
	return 0;
}
