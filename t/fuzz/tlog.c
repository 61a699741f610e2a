/*
 * tlog: checkpoints, proofs, verifier keys and paths of tiles: each that is
 * read as something is written again as it was.
 */
#include <assert.h>

#include "crypto/tile.h"
#include "crypto/vkey.h"
#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct buf out = BUF_INIT(NOTE_MAX + 4096);
static struct err e;

static void
same(struct span in)
{
	assert(span_eq(buf_span(&out), in));
	buf_reset(&out);
}

static void
proofs(struct span in)
{
	static struct proof p;

	for (int kind = PROOF_INCLUSION; kind <= PROOF_PATH; kind++) {
		if (proof_parse(&p, kind, in, &e) != 0) {
			assert(e.kind == ERR_BAD);
			continue;
		}
		assert(p.n <= MERKLE_DEPTH);
		proof_text(&out, kind, &p);
		same(in);
	}
}

static void
checkpoints(struct span in)
{
	static struct checkpoint c;
	struct hash ledger;

	if (in.n < 2 * HASH_LEN ||
	    hash_parse(&ledger, span_of(in.p, 2 * HASH_LEN)) != 0)
		return;
	if (checkpoint_parse(&c, in, &ledger, &e) != 0) {
		assert(e.kind == ERR_BAD);
		return;
	}
	checkpoint_text(&out, &ledger, c.size, &c.root);
	same(c.note.text);
}

static void
words(struct span in)
{
	char path[TILE_PATH_LEN * 2], back[TILE_PATH_LEN];
	struct vkey k;
	struct tile t;

	if (vkey_parse(&k, in, &e) == 0) {
		vkey_add(&out, k.name, &k.pub, k.cosigns);
		same(in);
	}
	if (in.n == 0 || in.n >= sizeof(path) ||
	    memchr(in.p, '\0', in.n) != NULL)
		return;
	memcpy(path, in.p, in.n);
	path[in.n] = '\0';
	if (tile_parse(&t, path) == 0) {
		tile_path(back, &t);
		assert(strcmp(back, path) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);

	proofs(in);
	checkpoints(in);
	words(in);
	return 0;
}
