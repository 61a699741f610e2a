/* block: header, content, file; every bit of a file counts. */
#include "check.h"
#include "base/gz.h"
#include "little.h"

static struct little l;
static struct err e;

/* A block of the little ledger, in its parts. */
struct parts {
	struct block_header h;
	struct buf header, certificate, body;
};

static void
parts_make(struct parts *p, const enum tx_kind *kind, size_t n)
{
	buf_init(&p->header, BLOCK_HEADER_MAX);
	buf_init(&p->certificate, BLOCK_CERT_MAX);
	buf_init(&p->body, BLOCK_CONTENT_MAX);
	for (size_t i = 0; i < n; i++) {
		struct buf note = BUF_INIT(TX_MAX);

		little_note(&note, &l, kind[i]);
		block_add_tx(&p->body, buf_span(&note));
		buf_free(&note);
	}
	little_block(&p->header, &p->h, &l, buf_span(&p->body));
	little_certificate(&p->certificate, &l, 1, 0, &p->h.id, 0xe);
}

static void
parts_free(struct parts *p)
{
	buf_free(&p->header);
	buf_free(&p->certificate);
	buf_free(&p->body);
}

static void
header_same(const struct block_header *a, const struct block_header *b)
{
	CHECK(hash_eq(&a->id, &b->id) && hash_eq(&a->parent, &b->parent));
	CHECK(hash_eq(&a->root, &b->root) && hash_eq(&a->tree, &b->tree));
	CHECK(hash_eq(&a->delegates, &b->delegates));
	CHECK(a->height == b->height && a->time_ms == b->time_ms);
	CHECK(a->txs == b->txs && a->size == b->size);
	CHECK(span_eq(a->proposer, b->proposer));
}

static bool
header_refused(struct span text)
{
	struct block_header h;

	return block_header_parse(&h, text, &l.id, &e) == -1 &&
	    e.kind == ERR_BAD;
}

/* The header with the first from replaced by to. */
static bool
edit_refused(const struct parts *p, const char *from, const char *to)
{
	struct buf b = BUF_INIT(2 * BLOCK_HEADER_MAX), text = b;
	const char *at;
	bool r;

	buf_add(&text, p->header.p, p->header.len);
	buf_addc(&text, '\0');
	at = strstr((char *)text.p, from);
	CHECK(at != NULL);
	buf_add(&b, text.p, (size_t)(at - (char *)text.p));
	buf_adds(&b, to);
	buf_adds(&b, at + strlen(from));
	r = header_refused(buf_span(&b));
	buf_free(&b);
	buf_free(&text);
	return r;
}

static void
headers(const struct parts *p)
{
	static const struct {
		const char *from, *to;
	} edit[] = {
		{ "ehr.v1 block", "ehr.v1 commit" }, { "ehr.v1", "ehr.v2" },
		{ "height 1", "height 0" }, { "height 1", "height 01" },
		{ "height 1", "height 1000000000" }, { "height 1", "height" },
		{ "height 1", "height -1" }, { "height 1", "height 1 " },
		{ "height 1\n", "height 1\r\n" }, { "height 1\n", "" },
		{ ".000Z", "Z" }, { "parent ", "parent -" },
		{ "proposer hospital-b", "proposer Hospital-b" },
		{ "proposer hospital-b", "proposer u0123456789abcdef" },
		{ "txs 2", "txs 02" }, { "txs 2", "txs 100001" },
		{ "root ", "root A" }, { "size 2", "size 0x2" },
		{ "size 2", "size 9223372036854775808" },
		{ "tree ", "tree  " }, { "delegates ", "delegates none" },
		{ "delegates ", "more 1\ndelegates " },
		{ "size 2\ntree ", "tree 2\nsize " }
	};
	struct buf b = BUF_INIT(2 * BLOCK_HEADER_MAX);
	struct block_header h;
	struct hash other;

	CHECK(block_header_parse(&h, buf_span(&p->header), &l.id, &e) == 0);
	header_same(&h, &p->h);
	block_header_text(&b, &h, &l.id);
	CHECK(span_eq(buf_span(&b), buf_span(&p->header)));
	for (size_t i = 0; i < sizeof(edit) / sizeof(*edit); i++)
		CHECK(edit_refused(p, edit[i].from, edit[i].to));
	CHECK(!edit_refused(p, "height 1", "height 999999999"));
	CHECK(!edit_refused(p, "txs 2", "txs 100000"));
	CHECK(!edit_refused(p, "txs 2", "txs 0"));

	little_object(&other, "another ledger");
	CHECK(block_header_parse(&h, buf_span(&p->header), &other, &e) == -1);
	buf_adds(&b, "extra text\n");
	CHECK(header_refused(buf_span(&b)));
	while (b.len <= BLOCK_HEADER_MAX)
		buf_adds(&b, "more text\n");
	CHECK(header_refused(buf_span(&b)));
	CHECK(strstr(e.msg, "too long") != NULL);
	CHECK(header_refused(span_of(NULL, 0)));
	buf_free(&b);
}

/* Content and file: parse back, join again; each is refused as the other. */
static void
forms(const struct parts *p)
{
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	struct buf file = BUF_INIT(BLOCK_FILE_MAX), again = file;
	struct block b;

	block_join(&content, buf_span(&p->header), span_of(NULL, 0),
	    buf_span(&p->body));
	block_join(&file, buf_span(&p->header), buf_span(&p->certificate),
	    buf_span(&p->body));
	CHECK(block_parse(&b, buf_span(&content), false, &l.id, &e) == 0);
	header_same(&b.h, &p->h);
	CHECK(span_eq(b.header, buf_span(&p->header)));
	CHECK(b.certificate.n == 0);
	CHECK(span_eq(b.body, buf_span(&p->body)));
	CHECK(block_parse(&b, buf_span(&content), true, &l.id, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(block_parse(&b, buf_span(&file), false, &l.id, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(block_parse(&b, buf_span(&file), true, &l.id, &e) == 0);
	CHECK(span_eq(b.certificate, buf_span(&p->certificate)));
	CHECK(span_eq(b.body, buf_span(&p->body)));
	block_join(&again, b.header, b.certificate, b.body);
	CHECK(span_eq(buf_span(&again), buf_span(&file)));
	/* Cut anywhere. */
	for (size_t n = 0; n < file.len; n++)
		CHECK(block_parse(&b, span_of(file.p, n), true, &l.id,
		    &e) == -1 && e.kind == ERR_BAD);
	for (size_t n = 0; n < content.len; n++)
		CHECK(block_parse(&b, span_of(content.p, n), false, &l.id,
		    &e) == -1 && e.kind == ERR_BAD);
	buf_free(&content);
	buf_free(&file);
	buf_free(&again);
}

/* The file's text with something else after the header. */
static bool
rest_refused(const struct parts *p, const char *rest, bool with_cert)
{
	struct buf b = BUF_INIT(BLOCK_FILE_MAX);
	struct block parsed;
	bool r;

	buf_add(&b, p->header.p, p->header.len);
	buf_addc(&b, '\n');
	buf_adds(&b, rest);
	r = block_parse(&parsed, buf_span(&b), with_cert, &l.id, &e) == -1 &&
	    e.kind == ERR_BAD;
	buf_free(&b);
	return r;
}

static void
frames(const struct parts *p)
{
	static const char *const bad[] = {
		"tx 1\na", "tx 1\natx 1\nbtx 1\nc", "tx 01\natx 1\nb",
		"tx  1\natx 1\nb", "tx 1\natx 2\nb", "tx 1\natx \nb",
		"tx 1\natx\nb", "tx 1\natx 1\nb\n", "tx 1\r\natx 1\nb",
		"TX 1\natx 1\nb", "tx -1\natx 1\nb", "tx 1 \natx 1\nb",
		"tx 16385\n", "tx 1\natx 1", "tx 1\natx 99999999999999999999\n",
		"tx 1\natx 0000000000000000000000000000000000001\nb", "\n", ""
	};
	static const char *const bad_cert[] = {
		"", "certificate 0\ntx 1\natx 1\nb", "tx 1\natx 1\nb",
		"certificate 01\nctx 1\natx 1\nb", "certificate 1\n",
		"certificate 9\nctx 1\natx 1\nb", "certificate 65537\n"
	};
	struct span body = span_str("tx 1\na"), tx;

	CHECK(!rest_refused(p, "tx 1\natx 1\nb", false));
	CHECK(!rest_refused(p, "tx 0\ntx 1\nb", false));
	CHECK(!rest_refused(p, "certificate 1\nctx 1\natx 1\nb", true));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(rest_refused(p, bad[i], false));
	for (size_t i = 0; i < sizeof(bad_cert) / sizeof(*bad_cert); i++)
		CHECK(rest_refused(p, bad_cert[i], true));
	CHECK(block_next_tx(&body, &tx) == 1 && span_is(tx, "a"));
	CHECK(block_next_tx(&body, &tx) == 0);
	body = span_str("x 1\na");
	CHECK(block_next_tx(&body, &tx) == -1);
}

static void
too_long(void)
{
	unsigned char *many = calloc(1, BLOCK_FILE_MAX + 1);
	struct block b;

	CHECK(many != NULL);
	CHECK(block_parse(&b, span_of(many, BLOCK_FILE_MAX + 1), true, &l.id,
	    &e) == -1 && strstr(e.msg, "longer") != NULL);
	CHECK(block_parse(&b, span_of(many, BLOCK_FILE_MAX), true, &l.id,
	    &e) == -1 && strstr(e.msg, "no header") != NULL);
	CHECK(block_parse(&b, span_of(many, BLOCK_CONTENT_MAX + 1), false,
	    &l.id, &e) == -1 && strstr(e.msg, "longer") != NULL);
	free(many);
}

/* Does the body give the header's root and tree? */
static void
roots(const struct parts *p)
{
	struct buf b = BUF_INIT(BLOCK_CONTENT_MAX), header = b;
	struct block_header h = p->h;
	struct hash leaf, some;
	struct merkle tree, was;
	struct block block;

	block_join(&b, buf_span(&p->header), span_of(NULL, 0),
	    buf_span(&p->body));
	CHECK(block_parse(&block, buf_span(&b), false, &l.id, &e) == 0);
	merkle_init(&tree);
	CHECK(block_check_root(&block, &tree, &e) == 0 && tree.size == 2);
	/* One byte of a transaction. */
	b.p[b.len - 2] ^= 1;
	merkle_init(&tree);
	CHECK(block_check_root(&block, &tree, &e) == -1 && e.kind == ERR_BAD);
	b.p[b.len - 2] ^= 1;
	/* Another tree before it. */
	merkle_init(&tree);
	little_object(&some, "an earlier transaction");
	merkle_leaf(&leaf, some.b, HASH_LEN);
	merkle_add(&tree, &leaf);
	was = tree;
	CHECK(block_check_root(&block, &tree, &e) == -1 && e.kind == ERR_BAD);

	/* The second block: size and tree go on, the root is its own. */
	h.size = 3;
	h.height = 2;
	tree = was;
	block_check_root(&block, &tree, &e);	/* advances tree */
	merkle_root(&h.tree, &tree);
	block_header_text(&header, &h, &l.id);
	buf_reset(&b);
	block_join(&b, buf_span(&header), span_of(NULL, 0),
	    buf_span(&p->body));
	CHECK(block_parse(&block, buf_span(&b), false, &l.id, &e) == 0);
	tree = was;
	CHECK(block_check_root(&block, &tree, &e) == 0 && tree.size == 3);
	/* The right tree, a wrong size. */
	h.size = 4;
	buf_reset(&header);
	block_header_text(&header, &h, &l.id);
	buf_reset(&b);
	block_join(&b, buf_span(&header), span_of(NULL, 0),
	    buf_span(&p->body));
	CHECK(block_parse(&block, buf_span(&b), false, &l.id, &e) == 0);
	tree = was;
	CHECK(block_check_root(&block, &tree, &e) == -1);
	buf_free(&b);
	buf_free(&header);
}

/* Is the packed file exactly a block of this ledger, certified? */
static bool
holds(struct span packed)
{
	struct buf text = BUF_INIT(BLOCK_FILE_MAX);
	struct merkle tree;
	struct block b;
	uint64_t signers;
	bool r;

	merkle_init(&tree);
	r = gz_unpack(&text, packed, "block", &e) == 0 &&
	    block_parse(&b, buf_span(&text), true, &l.id, &e) == 0 &&
	    block_check_root(&b, &tree, &e) == 0 &&
	    certificate_check(b.certificate, &b.h, &l.delegates, &l.id,
	    &signers, &e) == 0;
	buf_free(&text);
	return r;
}

/* Each flipped bit of a file is found, on disk and unpacked. */
static void
flips(const struct parts *p)
{
	struct buf file = BUF_INIT(BLOCK_FILE_MAX), packed = file, b = file;

	block_join(&file, buf_span(&p->header), buf_span(&p->certificate),
	    buf_span(&p->body));
	CHECK(gz_pack(&packed, buf_span(&file), &e) == 0);
	CHECK(holds(buf_span(&packed)));
	for (size_t i = 0; i < packed.len * 8; i++) {
		packed.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(!holds(buf_span(&packed)) && e.kind != ERR_SYS);
		packed.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (size_t i = 0; i < file.len * 8; i++) {
		buf_reset(&b);
		file.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(gz_pack(&b, buf_span(&file), &e) == 0);
		CHECK(!holds(buf_span(&b)) && e.kind != ERR_SYS);
		file.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	buf_free(&file);
	buf_free(&packed);
	buf_free(&b);
}

int
main(void)
{
	static const enum tx_kind two[] = { TX_ENROLL, TX_ACCESS };
	static const enum tx_kind one[] = { TX_REJECT };
	struct parts p, none, small;

	little_open(&l);
	parts_make(&p, two, 2);
	headers(&p);
	forms(&p);
	frames(&p);
	too_long();
	roots(&p);
	parts_make(&none, two, 0);	/* the one that closes an hour */
	forms(&none);
	parts_make(&small, one, 1);
	flips(&small);
	parts_free(&p);
	parts_free(&none);
	parts_free(&small);
	little_close(&l);
	return check_done("block");
}
