#include "record/unseal.h"

int
unseal_key_of(struct age_key *key, struct span header,
    const struct keyring *k, struct err *e)
{
	return age_header_open(key, header, k->secret, k->n, e);
}

int
unseal_key(struct age_key *key, struct repo *r, const struct hash *header,
    const struct keyring *k, struct err *e)
{
	struct buf bytes = BUF_INIT(AGE_HEADER_MAX);
	int ret = object_read(&bytes, r, header, e);

	if (ret == 0)
		ret = unseal_key_of(key, buf_span(&bytes), k, e);
	buf_free(&bytes);
	return ret;
}

static long
read_body(void *arg, void *p, size_t n, struct err *e)
{
	return object_file_read(arg, p, n, e);
}

int
unseal_open(struct unseal *u, struct repo *r, const struct hash *body,
    const struct age_key *key, struct err *e)
{
	memset(u, 0, sizeof(*u));
	if (object_open(&u->body, r, body, e) != 0)
		return -1;
	u->open = true;
	u->reader = age_reader_open(key, read_body, &u->body, e);
	if (u->reader == NULL) {
		unseal_close(u);
		return -1;
	}
	return 0;
}

long
unseal_read(void *arg, void *p, size_t n, struct err *e)
{
	struct unseal *u = arg;
	size_t got;

	return age_reader_read(u->reader, p, n, &got, e) != 0 ? -1 : (long)got;
}

void
unseal_close(struct unseal *u)
{
	if (!u->open)
		return;
	age_reader_free(u->reader);
	object_file_close(&u->body);
	u->open = false;
}

int
unseal_meta(struct meta *meta, struct repo *r, const struct hash *body,
    const struct hash *header, struct span header_bytes,
    const struct keyring *k, struct err *e)
{
	struct age_key key;
	struct unseal u;
	int ret;

	ret = header != NULL ? unseal_key(&key, r, header, k, e) :
	    unseal_key_of(&key, header_bytes, k, e);
	if (ret == 0)
		ret = unseal_open(&u, r, body, &key, e);
	hash_wipe(&key, sizeof(key));
	if (ret != 0)
		return -1;
	ret = payload_read_meta(meta, unseal_read, &u, e);
	unseal_close(&u);
	return ret;
}
