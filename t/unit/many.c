/*
 * many: a ledger of many transactions, in hours that are over.
 *
 *	many N DIR ...
 *
 * makes the directories, up to four, of hospital-a and so on, for the tests of
 * commands: N transactions, one or more than five, from 2026-03-02T09 on, 2500
 * an hour, and a block that ends the last hour.  Without arguments: receipts of
 * all transactions of a ledger of 10,000 verify, and no longer when one bit of
 * them is another.
 */
#include "past.h"

#include "base/text.h"
#include "ledger/receipt_report.h"
#include "log/prove.h"
#include "log/tiles.h"

#define PER_HOUR 2500
#define FIRST 5			/* what past_begin makes */

static struct past p;
static struct err e;

static void
fill_one(void)
{
	struct buf body = BUF_INIT(1u << 20);

	past_enrol(&p, NULL, &body, &p.l.kun, "doctor", PAST_HOUR(1) + 1);
	past_block(&p, &body, PAST_HOUR(1) + 30000);
	buf_reset(&body);
	past_block(&p, &body, PAST_HOUR(2) + 500);
	buf_free(&body);
}

static void
fill(uint64_t n)
{
	struct buf none = BUF_INIT(1);
	int hour = 1;

	past_begin(&p);
	for (n -= FIRST; n > 0; hour++) {
		unsigned some = n < PER_HOUR ? (unsigned)n : PER_HOUR;

		past_accesses(&p, some, PAST_HOUR(hour) + 120000);
		n -= some;
	}
	past_block(&p, &none, PAST_HOUR(hour) + 500);
}

static int
make(int argc, char **argv)
{
	uint64_t n;

	if (text_parse_u64(&n, span_str(argv[1]), 10000000) != 0 ||
	    (n != 1 && n <= FIRST) || argc > 2 + LITTLE_NODES)
		return 2;
	past_open(&p);
	for (int i = 2; i < argc; i++)
		past_add(&p, argv[i], (unsigned)i - 2);
	if (n == 1)
		fill_one();
	else
		fill(n);
	past_close(&p);
	return checks_failed != 0;
}

/* --- receipts of all of them ---------------------------------------------- */

static void
prove_one(struct prover *prover, const struct hash *id, size_t n)
{
	struct receipt_trust trust = { &p.l.id, NULL };
	struct buf receipt = BUF_INIT(RECEIPT_MAX), out = BUF_INIT(65536);
	struct hash tx;
	char hex[HASH_HEX];

	CHECK(prove_id(&receipt, &tx, prover, id, &e) == 0);
	CHECK(hash_eq(&tx, id));
	CHECK(receipt_report(&out, buf_span(&receipt), &trust, false,
	    &e) == 0);
	hash_format(hex, id);
	buf_addc(&out, '\0');
	CHECK(strncmp((char *)out.p, "transaction ", 12) == 0 &&
	    strncmp((char *)out.p + 12, hex, 64) == 0);
	receipt.p[n * 7919 % receipt.len] ^= (unsigned char)(1 << n % 8);
	CHECK(receipt_report(&out, buf_span(&receipt), &trust, false,
	    &e) == -1);
	buf_free(&receipt);
	buf_free(&out);
}

static int
gather(void *arg, const struct hash *id, struct err *why)
{
	buf_add(arg, id->b, HASH_LEN);
	return buf_check(arg, "ids", why);
}

static void
prove_all(size_t n)
{
	struct buf ids = BUF_INIT(n * HASH_LEN);
	struct prover *prover;
	struct head head;
	struct hash id;
	struct db *db;

	CHECK(chain_head(&head, p.r[0], &e) == 0);
	CHECK(db_of(&db, p.r[0], &e) == 0 && head.tree.size == n);
	CHECK(tree_each_id(db, 0, n, gather, &ids, &e) == 0);
	CHECK(ids.len == n * HASH_LEN);
	CHECK(prove_open(&prover, p.r[0], db, &head, &e) == 0);
	for (size_t i = 0; i < n; i++) {
		memcpy(id.b, ids.p + i * HASH_LEN, HASH_LEN);
		prove_one(prover, &id, i);
	}
	prove_close(prover);
	buf_free(&ids);
}

int
main(int argc, char **argv)
{
	struct head head;
	struct db *db;
	size_t tiles = 0;
	bool made;

	if (argc > 2)
		return make(argc, argv);
	scratch_open();
	past_open(&p);
	past_add(&p, "a", 0);
	fill(10000);
	CHECK(chain_head(&head, p.r[0], &e) == 0);
	CHECK(db_of(&db, p.r[0], &e) == 0);
	CHECK(tiles_roll(p.r[0], db, &head, &tiles, &e) == 0);
	CHECK(checkpoints_roll(p.r[0], db, &head, &made, &e) == 0 && made);
	prove_all(10000);
	past_close(&p);
	scratch_close();
	return check_done("many");
}
