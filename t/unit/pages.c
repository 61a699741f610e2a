/*
 * pages: the examples in the manual pages of the formats are what the little
 * ledger has, byte for byte, and their recipes do what they say.
 */
#define _GNU_SOURCE	/* what scratch.h needs */
#include <stdio.h>

#include "check.h"
#include "base/gz.h"
#include "page.h"
#include "proven.h"
#include "scratch.h"

static struct little l;
static struct err e;
static char raw[200000], page[200000];

static void
open_page(const char *name)
{
	char path[100];
	size_t n;

	snprintf(path, sizeof(path), "%s/share/man/man5/%s.5",
	    getenv("EHR_UNIT_TOP"), name);
	n = page_read(raw, sizeof(raw), path);
	CHECK(n > 0);
	page_plain(page, raw, raw + n);
}

/* Does the page show these lines, as a literal block? */
static void
shows(struct span lines)
{
	struct buf b = BUF_INIT(100000);

	buf_adds(&b, "\n.Bd -literal -offset indent\n");
	buf_add(&b, lines.p, lines.n);
	buf_adds(&b, ".Ed\n");
	buf_addc(&b, '\0');
	CHECK(strstr(page, (char *)b.p) != NULL);
	buf_free(&b);
}

/* Run a recipe of the page; if it shows the output, that is what comes. */
static void
does(const char *recipe)
{
	char mark[100], script[4000], want[4000], out[4000];

	snprintf(mark, sizeof(mark), ".\\\" recipe %s\n", recipe);
	CHECK(page_block(script, sizeof(script), raw, mark) > 0);
	scratch_text("script", script);
	CHECK(system("sh -eu script >out 2>err") == 0);
	snprintf(mark, sizeof(mark), ".\\\" output %s\n", recipe);
	if (page_block(want, sizeof(want), raw, mark) > 0 &&
	    page_read(out, sizeof(out), "out") > 0)
		CHECK_STR(out, want);
}

static void
keys(void)
{
	struct span pass = span_str("correct horse");
	struct buf b = BUF_INIT(IDENTITY_FILE_MAX);
	struct identity id;
	char block[4000];

	open_page("ehr-key");
	people_file(&b, l.kun.name, "Kun M");
	shows(buf_span(&b));
	scratch_write("my.key", b.p, b.len);
	does("public");
	does("handle");
	does("make");
	buf_reset(&b);
	b.len = page_read((char *)buf_room(&b, 10000), 10000, "new.key");
	CHECK(identity_parse(&id, buf_span(&b), span_of(NULL, 0), &e) == 0);
	CHECK_STR(id.name, "hospital-f");
	identity_wipe(&id);

	/* The encrypted one, with salts of its own, holds the same keys. */
	CHECK(page_block(block, sizeof(block), raw,
	    "It is text, at most 65536 bytes:\n") > 0);
	CHECK(identity_parse(&id, span_str(block), pass, &e) == 0);
	CHECK_STR(id.name, l.kun.name);
	CHECK(memcmp(id.seal, l.kun.seal, sizeof(id.seal)) == 0);
	identity_wipe(&id);
	buf_wipe(&b);
}

static void
cards(void)
{
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c = { .kind = CARD_USER };

	open_page("ehr-card");
	c.full_name = span_str("Kun M");
	c.email = span_str("kun@example.org");
	c.born = span_str("1971-04-30");
	c.phone = span_str("+27 21 555 0100");
	c.sex = span_str("female");
	CHECK(card_make(&b, &c, &l.kun, &e) == 0);
	shows(buf_span(&b));
	buf_reset(&b);
	c.name = span_str(l.kun.name);
	card_profile(&b, &c);
	shows(buf_span(&b));
	buf_reset(&b);
	memset(&c, 0, sizeof(c));
	c.kind = CARD_NODE;
	CHECK(card_make(&b, &c, &l.node[0], &e) == 0);
	shows(buf_span(&b));
	buf_free(&b);
}

static void
transactions(void)
{
	struct buf note = BUF_INIT(TX_MAX);

	open_page("ehr-tx");
	for (int k = 0; k < TX_KINDS; k++) {
		buf_reset(&note);
		little_note(&note, &l, (enum tx_kind)k);
		shows(buf_span(&note));
		if (k == TX_AUTHORIZE)
			scratch_write("authorize", note.p, note.len);
	}
	shows(buf_span(&l.manifest));
	does("ids");
	open_page("ehr-note");
	buf_reset(&note);
	little_note(&note, &l, TX_ACCESS);
	shows(buf_span(&note));
	buf_free(&note);
}

static void
genesis(void)
{
	open_page("ehr-genesis");
	shows(buf_span(&l.genesis));
	CHECK(mkdir(".ehr", 0700) == 0);
	scratch_write(".ehr/genesis", l.genesis.p, l.genesis.len);
	does("id");
}

static void
delegates(void)
{
	struct buf b = BUF_INIT(4000);

	for (size_t i = 0; i < l.delegates.n; i++) {
		buf_addf(&b, "%s ", l.delegates.d[i].name);
		sign_pub_add(&b, &l.delegates.d[i].sign);
		buf_adds(&b, "\n");
	}
	shows(buf_span(&b));
	buf_free(&b);
}

static void
block(void)
{
	static const enum tx_kind kind[] = { TX_REJECT, TX_ACCESS };
	struct buf body = BUF_INIT(100000), header = body, cert = body;
	struct buf file = body, packed = body;
	struct block_header h;

	open_page("ehr-block");
	for (int i = 0; i < 2; i++) {
		struct buf note = BUF_INIT(TX_MAX);

		little_note(&note, &l, kind[i]);
		block_add_tx(&body, buf_span(&note));
		buf_free(&note);
	}
	little_block(&header, &h, &l, buf_span(&body));
	little_certificate(&cert, &l, 1, 0, &h.id, 0x7);
	block_join(&file, buf_span(&header), buf_span(&cert),
	    buf_span(&body));
	shows(buf_span(&file));
	delegates();
	CHECK(gz_pack(&packed, buf_span(&file), &e) == 0);
	scratch_write("000000001.gz", packed.p, packed.len);
	does("id");
	does("certificate");
	CHECK(scratch_holds("note", buf_span(&cert)));
	buf_free(&body);
	buf_free(&header);
	buf_free(&cert);
	buf_free(&file);
	buf_free(&packed);
}

/* A receipt, the checkpoint in it, and whom a policy trusts. */
static void
proofs(void)
{
	struct buf b = BUF_INIT(RECEIPT_MAX), pem = BUF_INIT(4000);
	struct sign_pub pub;
	struct receipt r;
	struct proof p;
	unsigned char der[44] = "\060\052\060\005\006\003\053\145\160\003\041";

	proven_example(&b, &l);
	open_page("ehr-receipt");
	shows(buf_span(&b));
	scratch_write("receipt", b.p, b.len);
	does("proof");
	CHECK(receipt_parse(&r, buf_span(&b), &e) == 0);
	CHECK(scratch_holds("receipt.tlog-proof", r.proof));
	CHECK(proof_parse(&p, PROOF_INCLUSION, r.proof, &e) == 0);
	open_page("ehr-checkpoint");
	shows(p.checkpoint);
	scratch_write("checkpoint", p.checkpoint.p, p.checkpoint.n);
	sign_public(&pub, l.node[1].sign);
	memcpy(der + 12, pub.b, 32);
	buf_adds(&pem, "-----BEGIN PUBLIC KEY-----\n");
	base64_add(&pem, der, sizeof(der), true);
	buf_adds(&pem, "\n-----END PUBLIC KEY-----\n");
	scratch_write("b.pub", pem.p, pem.len);
	does("cosignature");
	buf_reset(&b);
	policy_text(&b, &l.id, &l.delegates);
	shows(buf_span(&b));
	buf_free(&b);
	buf_free(&pem);
}

int
main(void)
{
	char top[PATH_MAX];

	if (getcwd(top, sizeof(top)) == NULL)
		return 1;
	setenv("EHR_UNIT_TOP", top, 1);
	little_open(&l);
	scratch_open();
	keys();
	cards();
	genesis();
	transactions();
	block();
	proofs();
	scratch_close();
	little_close(&l);
	return check_done("pages");
}
