#include "net/final.h"

#include "crypto/note.h"
#include "dbft/msg.h"
#include "store/accept.h"
#include "store/bodies.h"

int
final_accept(struct repo *r, struct span content, struct span cert,
    bool known, struct err *e)
{
	struct buf text = BUF_INIT(BLOCK_FILE_MAX);
	struct block b;
	int ret;

	if (block_parse(&b, content, false, repo_ledger(r), e) != 0)
		return -1;
	block_join(&text, b.header, cert, b.body);
	ret = buf_check(&text, "block", e);
	/* M delegates found its time right: ours is no reason to refuse it. */
	if (ret == 0)
		ret = accept_block(r, buf_span(&text), known, INT64_MAX, e);
	buf_free(&text);
	return ret;
}

/* What the certificate says is final. */
static int
read_cert(struct dbft_msg *m, struct repo *r, struct span cert,
    struct err *e)
{
	struct note n;

	if (note_parse(&n, cert, "certificate", e) != 0 ||
	    dbft_msg_parse(m, repo_ledger(r), n.text, e) != 0)
		return -1;
	if (m->kind != DBFT_COMMIT)
		return err_set(e, ERR_BAD, "consensus: no certificate of "
		    "commits");
	return 0;
}

int
final_take(struct repo *r, const struct wire_msg *m, struct err *e)
{
	struct span cert = wire_find(m, WIRE_CERTIFICATE);
	struct span content = wire_find(m, WIRE_BLOCK);
	struct buf body = BUF_INIT(BLOCK_CONTENT_MAX);
	struct dbft_msg what;
	struct head h;
	int ret;

	if (read_cert(&what, r, cert, e) != 0 || chain_head(&h, r, e) != 0)
		return -1;
	if (what.height <= h.height)
		return 0;
	if (what.height > h.height + 1)
		return err_set(e, ERR_AGAIN, "blocks from %llu on are missing",
		    (unsigned long long)h.height + 1);
	ret = bodies_get(&body, r, what.height, &what.block, e);
	if (ret == 0)
		ret = final_accept(r, buf_span(&body), cert, true, e);
	else if (content.n > 0)
		ret = final_accept(r, content, cert, false, e);
	else if (e->kind == ERR_NO)
		ret = err_set(e, ERR_AGAIN, "block %llu is not here",
		    (unsigned long long)what.height);
	buf_free(&body);
	return ret;
}

int
final_add(struct buf *out, struct repo *r, uint64_t height, struct err *e)
{
	struct buf text = BUF_INIT(BLOCK_FILE_MAX);
	struct buf content = BUF_INIT(BLOCK_CONTENT_MAX);
	struct wire_msg m;
	struct block b;
	int ret = -1;

	if (chain_read(&text, r, height, e) == 0 &&
	    block_parse(&b, buf_span(&text), true, repo_ledger(r), e) == 0) {
		block_join(&content, b.header, span_of(NULL, 0), b.body);
		wire_start(&m, WIRE_FINAL);
		wire_part(&m, WIRE_CERTIFICATE, b.certificate);
		wire_part(&m, WIRE_BLOCK, buf_span(&content));
		wire_add(out, &m);
		ret = buf_check(&content, "block", e) != 0 ? -1 :
		    buf_check(out, "block", e);
	}
	buf_free(&text);
	buf_free(&content);
	return ret;
}
