/*
 * chain: makes a long chain for benchmarks of what reads one, and measures
 * what verifying its signatures takes alone.
 *
 *	chain -k NODEKEY... -a ADMINKEY -n BLOCKS -t TXS DIR
 *		extends the ledger in DIR by so many blocks of so many
 *		transactions each, certified with these keys of delegates
 *	chain -v DIR
 *		prints the seconds that all cores need for all signatures of
 *		the chain, and how many these are
 *
 * The transactions are those of one doctor who opens records, each with one
 * signature; no key has a passphrase.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "store/accept.h"
#include "store/object.h"
#include "t/unit/people.h"

#define RECORDS 64
#define TOGETHER 256		/* blocks that are made or verified at once */

static struct identity admin, doctor, patient, node[16];
static unsigned nnodes;
static struct hash record[RECORDS];
static struct repo *repo;

static _Noreturn void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "chain: %s%s%s\n", what, e == NULL ? "" : ": ",
	    e == NULL ? "" : e->msg);
	exit(1);
}

static void
must(int ret, const char *what, const struct err *e)
{
	if (ret != 0)
		die(what, e);
}

static void
read_key(struct identity *id, const char *path)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct err e;

	must(fs_read(&file, AT_FDCWD, path, &e), path, &e);
	must(identity_parse(id, buf_span(&file), span_of(NULL, 0), &e), path,
	    &e);
	buf_wipe(&file);
}

/* --- transactions --------------------------------------------------------- */

static void
sign_tx(struct buf *note, struct tx *tx, const struct identity *author,
    int64_t time_ms)
{
	struct buf text = BUF_INIT(TX_MAX);
	struct err e;

	tx->time_ms = time_ms;
	tx->author = span_str(author->name);
	tx_text(&text, tx, repo_ledger(repo));
	buf_init(note, TX_MAX);
	must(identity_sign(note, buf_span(&text), author, &e), "sign", &e);
	buf_free(&text);
}

static void
enrol(struct buf *note, const struct identity *id, const char *role,
    int64_t time_ms)
{
	struct tx tx = { .kind = TX_ENROLL };
	struct err e;

	tx.user = span_str(id->name);
	tx.role = span_str(role);
	sign_public(&tx.sign, id->sign);
	must(seal_public(&tx.seal, &id->seal[0], &e), "key", &e);
	sign_tx(note, &tx, &admin, time_ms);
}

static void
put_object(struct hash *id, const char *what, size_t i)
{
	char text[64];
	struct err e;

	snprintf(text, sizeof(text), "%s %zu of a long chain", what, i);
	must(object_put(repo, span_str(text), id, &e), "object", &e);
}

static void
authorize(struct buf *note, size_t i, int64_t time_ms)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct staged s = { .time_ms = time_ms, .body_size = 30 };
	struct tx tx = { .kind = TX_AUTHORIZE };
	struct err e;

	s.author = span_str(doctor.name);
	s.patient = span_str(patient.name);
	s.label = span_str("laboratory");
	put_object(&s.body, "body", i);
	put_object(&s.header, "first header", i);
	put_object(&tx.header, "header", i);
	staged_text(&text, &s, repo_ledger(repo));
	buf_init(&tx.manifest, STAGED_MAX);
	must(identity_sign(&tx.manifest, buf_span(&text), &doctor, &e),
	    "sign", &e);
	hash_bytes(&tx.record, tx.manifest.p, tx.manifest.len);
	record[i] = tx.record;
	tx.reader[tx.nreaders++] = span_str("role:doctor");
	sign_tx(note, &tx, &patient, time_ms);
	buf_free(&tx.manifest);
	buf_free(&text);
}

/* --- blocks --------------------------------------------------------------- */

struct making {
	unsigned kind;		/* 0 and 1 prepare */
	unsigned txs;
	int64_t time_ms;	/* of the first block */
	struct buf body[TOGETHER];
	struct merkle own[TOGETHER];
	struct hash *leaf;	/* txs for each block */
};

static void
add(struct making *m, size_t b, size_t i, struct buf *note)
{
	struct hash id;

	block_add_tx(&m->body[b], buf_span(note));
	hash_bytes(&id, note->p, note->len);
	merkle_leaf(&m->leaf[b * m->txs + i], id.b, HASH_LEN);
	merkle_add(&m->own[b], &m->leaf[b * m->txs + i]);
	buf_free(note);
}

static void
make_body(void *arg, unsigned worker, size_t b)
{
	struct making *m = arg;
	int64_t time_ms = m->time_ms + (int64_t)b;
	struct buf note;

	(void)worker;
	buf_init(&m->body[b], BLOCK_CONTENT_MAX);
	merkle_init(&m->own[b]);
	for (size_t i = 0; i < m->txs; i++) {
		struct tx tx = { .kind = TX_ACCESS,
		    .record = record[i % RECORDS] };

		if (m->kind == 0)
			enrol(&note, i == 0 ? &doctor : &patient, i == 0 ?
			    "doctor" : "patient", time_ms);
		else if (m->kind == 1)
			authorize(&note, i, time_ms);
		else
			sign_tx(&note, &tx, &doctor, time_ms -
			    (int64_t)(i / RECORDS));
		add(m, b, i, &note);
	}
}

static void
certify(struct buf *file, struct head *head, const struct making *m, size_t b,
    const struct hash *delegates)
{
	struct buf header = BUF_INIT(BLOCK_HEADER_MAX);
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX);
	struct buf say = BUF_INIT(1024);
	struct block_header h = { .height = head->height + 1,
	    .time_ms = m->time_ms + (int64_t)b, .parent = head->id,
	    .proposer = span_str(node[0].name), .txs = m->txs,
	    .delegates = *delegates };
	struct err e;

	for (size_t i = 0; i < m->txs; i++)
		merkle_add(&head->tree, &m->leaf[b * m->txs + i]);
	merkle_root(&h.root, &m->own[b]);
	merkle_root(&h.tree, &head->tree);
	h.size = head->tree.size;
	block_header_text(&header, &h, repo_ledger(repo));
	hash_bytes(&head->id, header.p, header.len);
	head->height++;
	certificate_text(&say, h.height, 0, &head->id, repo_ledger(repo));
	buf_add(&cert, say.p, say.len);
	buf_addc(&cert, '\n');
	for (unsigned i = 0; i < nnodes; i++)
		must(note_sign_line(&cert, buf_span(&say),
		    span_str(node[i].name), node[i].sign, &e), "certify", &e);
	block_join(file, buf_span(&header), buf_span(&cert),
	    buf_span(&m->body[b]));
	buf_free(&header);
	buf_free(&cert);
	buf_free(&say);
}

/* n blocks on top of *head. */
static void
extend(struct head *head, struct making *m, size_t n)
{
	static struct buf file[TOGETHER];
	struct chain_block all[TOGETHER];
	struct delegates set;
	struct hash digest;
	struct db *db;
	struct err e;
	size_t done;

	m->time_ms = head->time_ms + 1;
	m->leaf = calloc(n * m->txs, sizeof(*m->leaf));
	if (m->leaf == NULL)
		die("out of memory", NULL);
	parallel_run(n, 1, make_body, m);
	must(db_of(&db, repo, &e), "state", &e);
	must(state_delegates(&set, db, head->height + 1, &e), "state", &e);
	delegates_digest(&digest, &set);
	for (size_t b = 0; b < n; b++) {
		buf_init(&file[b], CHAIN_FILE_MAX);
		certify(&file[b], head, m, b, &digest);
		all[b] = (struct chain_block){ .text = buf_span(&file[b]),
		    .known = true };
		buf_free(&m->body[b]);
	}
	must(accept_blocks(repo, all, n, clock_now_ms(), &done, &e), "block",
	    &e);
	for (size_t b = 0; b < n; b++)
		buf_free(&file[b]);
	free(m->leaf);
	head->time_ms = m->time_ms + (int64_t)n - 1;
}

static void
make(size_t blocks, unsigned txs)
{
	static struct making m;
	struct head head;
	struct err e;

	people_user(&doctor, "the doctor of a long chain");
	people_user(&patient, "the patient of a long chain");
	must(chain_head(&head, repo, &e), "head", &e);
	m = (struct making){ .kind = 0, .txs = 2 };
	extend(&head, &m, 1);
	m = (struct making){ .kind = 1, .txs = RECORDS };
	extend(&head, &m, 1);
	while (blocks > 0) {
		size_t n = blocks < TOGETHER ? blocks : TOGETHER;

		m = (struct making){ .kind = 2, .txs = txs };
		extend(&head, &m, n);
		blocks -= n;
	}
}

/* --- verifying ------------------------------------------------------------ */

struct cert {
	struct buf text;
	struct block b;
};

static struct delegates set;

static void
check_cert(void *arg, unsigned worker, size_t i)
{
	struct cert *c = arg;
	uint64_t signers;
	struct err e;

	(void)worker;
	must(certificate_check(c[i].b.certificate, &c[i].b.h, &set,
	    repo_ledger(repo), &signers, &e), "certificate", &e);
}

/* Only what is between the two clocks counts. */
static int64_t
verify_some(struct verify_batch *batch, struct cert *c, size_t n, size_t *sigs)
{
	struct state_view v;
	struct sign_pub pub;
	struct db *db;
	struct err e;
	int64_t start;

	must(db_of(&db, repo, &e), "state", &e);
	state_view_init(&v, repo, db);
	for (size_t i = 0; i < n; i++) {
		struct span body = c[i].b.body, note;
		struct note parsed;
		struct tx tx;

		while (block_next_tx(&body, &note) == 1) {
			must(tx_parse(&tx, note, repo_ledger(repo), &e), "tx",
			    &e);
			must(note_parse(&parsed, note, "tx", &e), "tx", &e);
			if (v.v.key(v.v.arg, tx.author, &pub, &e) != 1 ||
			    verify_later(batch, &parsed, tx.author, &pub,
			    &e) != 1)
				die("a key", NULL);
			tx_free(&tx);
		}
		*sigs += nnodes;
	}
	*sigs += verify_count(batch);
	start = clock_mono_ms();
	must(verify_all(batch, &e), "signatures", &e);
	parallel_run(n, 8, check_cert, c);
	return clock_mono_ms() - start;
}

static void
verify(void)
{
	static struct cert c[TOGETHER];
	struct verify_batch *batch;
	uint64_t at = 0;
	int64_t ms = 0;
	size_t sigs = 0;
	struct head h;
	struct db *db;
	struct err e;

	must(chain_head(&h, repo, &e), "head", &e);
	must(db_of(&db, repo, &e), "state", &e);
	must(state_delegates(&set, db, h.height, &e), "state", &e);
	must(verify_open(&batch, &e), "verify", &e);
	nnodes = (unsigned)delegates_quorum(set.n);
	while (at < h.height) {
		size_t n = 0;

		for (; n < TOGETHER && at < h.height; n++) {
			buf_init(&c[n].text, CHAIN_FILE_MAX);
			must(chain_read(&c[n].text, repo, ++at, &e), "block",
			    &e);
			must(block_parse(&c[n].b, buf_span(&c[n].text), true,
			    repo_ledger(repo), &e), "block", &e);
		}
		ms += verify_some(batch, c, n, &sigs);
		while (n > 0)
			buf_free(&c[--n].text);
	}
	verify_free(batch);
	printf("%.3f %zu\n", (double)ms / 1000, sigs);
}

int
main(int argc, char **argv)
{
	size_t blocks = 0;
	unsigned txs = 20;
	bool only = false;
	struct err e;
	int opt;

	while ((opt = getopt(argc, argv, "a:k:n:t:v")) != -1)
		switch (opt) {
		case 'a':
			read_key(&admin, optarg);
			break;
		case 'k':
			if (nnodes == 16)
				die("too many keys", NULL);
			read_key(&node[nnodes++], optarg);
			break;
		case 'n':
			blocks = strtoul(optarg, NULL, 10);
			break;
		case 't':
			txs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			only = true;
			break;
		default:
			return 2;
		}
	if (optind + 1 != argc)
		die("a directory is expected", NULL);
	must(repo_open(&repo, argv[optind], &e), argv[optind], &e);
	if (only)
		verify();
	else
		make(blocks, txs);
	repo_close(repo);
	return 0;
}
