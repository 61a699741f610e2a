#include "crypto/age.h"
#include "crypto/stream.h"

uint64_t
age_body_size(uint64_t n)
{
	uint64_t chunks = n / AGE_CHUNK + (n % AGE_CHUNK != 0 || n == 0);

	return AGE_NONCE + n + chunks * AGE_TAG;
}

int
age_body_make(struct buf *out, const struct age_key *key, struct span plain,
    struct err *e)
{
	uint64_t size = age_body_size(plain.n);
	unsigned char *to = size > SIZE_MAX ? NULL :
	    buf_room(out, (size_t)size);
	struct stream s;
	size_t n;

	if (to == NULL)
		return buf_check(out, "age body", e);
	hash_random(to, AGE_NONCE);
	stream_start(&s, key, to, true);
	to += AGE_NONCE;
	do {
		n = plain.n < AGE_CHUNK ? plain.n : AGE_CHUNK;
		stream_seal(&s, to, span_of(plain.p, n), n == plain.n);
		to += n + AGE_TAG;
		plain = span_of(n == 0 ? NULL : plain.p + n, plain.n - n);
	} while (plain.n > 0);
	stream_end(&s);
	out->len += (size_t)size;
	return 0;
}

int
age_body_open(struct buf *out, const struct age_key *key, struct span body,
    struct err *e)
{
	size_t start = out->len, n;
	struct stream s;
	int r = 0;

	if (body.n < AGE_NONCE)
		return err_set(e, ERR_BAD, "age body: cut off");
	stream_start(&s, key, body.p, false);
	body = span_of(body.p + AGE_NONCE, body.n - AGE_NONCE);
	do {
		unsigned char *to;

		n = body.n < STREAM_SEALED ? body.n : STREAM_SEALED;
		to = buf_room(out, n < AGE_TAG ? 0 : n - AGE_TAG);
		if (to == NULL)
			r = buf_check(out, "age body", e);
		else
			r = stream_open(&s, to, span_of(body.p, n),
			    n == body.n, e);
		if (r == 0) {
			out->len += n - AGE_TAG;
			body = span_of(body.p + n, body.n - n);
		}
	} while (r == 0 && body.n > 0);
	stream_end(&s);
	if (r != 0 && out->len > start) {
		hash_wipe(out->p + start, out->len - start);
		out->len = start;
	}
	return r;
}

int
age_seal(struct buf *out, struct span plain, const struct seal_pub *to,
    size_t n, struct err *e)
{
	size_t start = out->len;
	struct age_key key;
	int r;

	age_key_generate(&key);
	r = age_header_make(out, &key, to, n, e);
	if (r == 0)
		r = age_body_make(out, &key, plain, e);
	if (r != 0)
		out->len = start;
	hash_wipe(&key, sizeof(key));
	return r;
}

int
age_open(struct buf *out, struct span file, const struct seal_secret *with,
    size_t n, struct err *e)
{
	struct age_key key;
	size_t len;
	int r;

	if (age_header_length(&len, file, e) != 0 ||
	    age_header_open(&key, span_of(file.p, len), with, n, e) != 0)
		return -1;
	r = age_body_open(out, &key, span_of(file.p + len, file.n - len), e);
	hash_wipe(&key, sizeof(key));
	return r;
}
