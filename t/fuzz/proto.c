/* proto: each line that is read as something is written again as it was. */
#include <assert.h>

#include "net/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct buf out = BUF_INIT(1u << 20);
static struct err e;

static void
same(struct span in)
{
	assert(span_eq(buf_span(&out), in));
	buf_reset(&out);
}

static void
lines(struct span in)
{
	struct proto_version v;
	struct proto_request r;
	struct proto_object o;
	struct proto_root root;
	enum proto_access access;
	struct hash id;
	uint64_t n;

	if (proto_version_parse(&v, in, &e) == 0 &&
	    v.version == PROTO_VERSION) {
		proto_version_format(&out, &v);
		same(in);
	}
	if (proto_request_parse(&r, in, &e) == 0 &&
	    r.verb != PROTO_CONSENSUS) {
		proto_request_format(&out, &r);
		same(in);
	}
	if (proto_object_parse(&o, NULL, in, &e) == 0) {
		proto_object_format(&out, &o, NULL);
		same(in);
	}
	if (proto_object_parse(&o, &id, in, &e) == 0) {
		proto_object_format(&out, &o, &id);
		same(in);
	}
	if (proto_head_parse(&n, &id, in, &e) == 0) {
		proto_head_format(&out, n, &id);
		same(in);
	}
	if (proto_root_parse(&root, in, &e) == 0) {
		proto_root_format(&out, &root);
		same(in);
	}
	if (proto_access_parse(&access, in, &e) == 0) {
		buf_adds(&out, proto_access_name(access));
		same(in);
	}
}

static void
answer(struct span in)
{
	enum proto_answer a;
	enum proto_put put;
	struct span rest;
	uint64_t n;

	if (proto_answer_parse(&a, &rest, in, &e) != 0)
		return;
	if (a != PROTO_OK) {
		e.kind = a == PROTO_NO ? ERR_NO : ERR_AGAIN;
		if (rest.n >= sizeof(e.msg))
			return;
		memcpy(e.msg, rest.p, rest.n);
		e.msg[rest.n] = '\0';
		proto_refusal(&out, &e);
		same(in);
	} else if (proto_put_parse(&put, &n, rest, &e) == 0) {
		proto_put_format(&out, put, n);
		same(in);
	}
}

static void
items(struct span in)
{
	struct span rest = in, item;
	int got;

	while ((got = proto_item_next(&rest, &item, 1u << 20, &e)) == 1)
		proto_item_add(&out, item);
	assert(got == 0 || e.kind == ERR_BAD);
	same(span_of(in.p, in.n - rest.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);

	lines(in);
	answer(in);
	items(in);
	return 0;
}
