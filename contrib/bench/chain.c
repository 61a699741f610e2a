/*
 * chain: a long past for a ledger that has none: blocks with certificates,
 * made with the keys of its delegates.
 *
 *	chain [-o] -a KEY -n COUNT [-t TXS] DIR KEY ...
 *
 * Each of the COUNT blocks enrols one user.  With -t, the first enrols a doctor
 * and a patient, the second authorizes TXS records, whose objects are there
 * with -o only, and each of the others says of each of them that the doctor has
 * read it.  The blocks are written to DIR, one after another and not synced; its
 * state.db follows from them later.  The KEYs are those of the nodes; -a, the
 * administrator's; none has a passphrase.
 */
#define _POSIX_C_SOURCE 200809L	/* openat */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/gz.h"
#include "store/chain.h"
#include "store/object.h"
#include "t/unit/people.h"

#define TXS_MAX 256		/* of -t */

static struct identity admin, doctor, patient;
static struct identity node[GENESIS_NODES_MAX];
static size_t nnodes;

static struct repo *repo;
static struct delegates set;
static struct merkle tree;
static struct hash parent, record[TXS_MAX];
static int64_t time_ms;
static struct object_batch *objects;	/* or NULL: they are not written */

static _Noreturn void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "chain: %s%s%s\n", what, e != NULL ? ": " : "",
	    e != NULL ? e->msg : "");
	exit(e != NULL ? (int)e->kind : 2);
}

static void
read_key(struct identity *id, const char *path)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct err e;

	if (fs_read(&file, AT_FDCWD, path, &e) != 0 ||
	    identity_parse(id, buf_span(&file), span_of(NULL, 0), &e) != 0)
		die(path, &e);
	buf_wipe(&file);
}

/* --- transactions --------------------------------------------------------- */

static void
sign(struct buf *note, struct span text, const struct identity *author)
{
	struct err e;

	buf_reset(note);
	if (identity_sign(note, text, author, &e) != 0)
		die("sign", &e);
}

static void
add_tx(struct buf *body, struct tx *tx, const struct identity *author)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);

	tx->author = span_str(author->name);
	tx_text(&text, tx, repo_ledger(repo));
	sign(&note, buf_span(&text), author);
	block_add_tx(body, buf_span(&note));
	buf_free(&text);
	buf_free(&note);
}

static void
add_user(struct buf *body, const struct identity *who, const char *role)
{
	struct tx tx = { .kind = TX_ENROLL, .time_ms = time_ms };
	struct err e;

	tx.user = span_str(who->name);
	tx.role = span_str(role);
	sign_public(&tx.sign, who->sign);
	if (seal_public(&tx.seal, &who->seal[0], &e) != 0)
		die("key", &e);
	add_tx(body, &tx, &admin);
}

/* Somebody new. */
static void
add_somebody(struct buf *body, uint64_t height)
{
	struct identity who;
	char name[32];

	snprintf(name, sizeof(name), "user %llu", (unsigned long long)height);
	people_user(&who, name);
	add_user(body, &who, "patient");
	identity_wipe(&who);
}

/* An object of these bytes: nobody opens it. */
static void
add_object(struct hash *id, const void *p, size_t n)
{
	struct err e;

	hash_bytes(id, p, n);
	if (objects != NULL &&
	    object_batch_add(objects, span_of(p, n), NULL, &e) != 0)
		die("object", &e);
}

/* Another record, which the patient admits. */
static void
add_record(struct buf *body, struct hash *id, uint64_t number)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct staged s = { .time_ms = time_ms, .body_size = 1000 };
	struct tx tx = { .kind = TX_AUTHORIZE, .time_ms = time_ms };

	s.author = span_str(doctor.name);
	s.patient = span_str(patient.name);
	s.label = span_str("laboratory");
	add_object(&s.body, &number, sizeof(number));
	hash_bytes(&s.header, s.body.b, HASH_LEN);
	add_object(&tx.header, s.header.b, HASH_LEN);
	staged_text(&text, &s, repo_ledger(repo));
	buf_init(&tx.manifest, STAGED_MAX);
	sign(&tx.manifest, buf_span(&text), &doctor);
	hash_bytes(id, tx.manifest.p, tx.manifest.len);
	tx.record = *id;
	tx.reader[tx.nreaders++] = span_str("role:doctor");
	add_tx(body, &tx, &patient);
	buf_free(&tx.manifest);
	buf_free(&text);
}

static void
add_reading(struct buf *body, const struct hash *id)
{
	struct tx tx = { .kind = TX_ACCESS, .time_ms = time_ms,
	    .record = *id };

	add_tx(body, &tx, &doctor);
}

/* How many there are in the block. */
static uint64_t
add_all(struct buf *body, uint64_t height, uint64_t txs)
{
	if (txs == 0) {
		add_somebody(body, height);
		return 1;
	}
	if (height == 1) {
		people_user(&doctor, "the doctor");
		people_user(&patient, "the patient");
		add_user(body, &doctor, "doctor");
		add_user(body, &patient, "patient");
		return 2;
	}
	for (uint64_t i = 0; i < txs; i++)
		if (height == 2)
			add_record(body, &record[i], i);
		else
			add_reading(body, &record[i]);
	return txs;
}

/* --- blocks --------------------------------------------------------------- */

static void
make_header(struct buf *out, uint64_t height, struct span body, uint64_t txs)
{
	struct block_header h = { .height = height, .time_ms = time_ms,
	    .parent = parent, .txs = txs };
	struct span rest = body, note;
	struct hash id, leaf;
	struct merkle own;

	h.proposer = span_str(set.d[height % set.n].name);
	merkle_init(&own);
	while (block_next_tx(&rest, &note) == 1) {
		hash_bytes(&id, note.p, note.n);
		merkle_leaf(&leaf, id.b, HASH_LEN);
		merkle_add(&own, &leaf);
		merkle_add(&tree, &leaf);
	}
	merkle_root(&h.root, &own);
	merkle_root(&h.tree, &tree);
	h.size = tree.size;
	delegates_digest(&h.delegates, &set);
	block_header_text(out, &h, repo_ledger(repo));
	hash_bytes(&parent, out->p, out->len);
}

/* By a quorum. */
static void
make_certificate(struct buf *out, uint64_t height)
{
	struct buf text = BUF_INIT(1024);
	struct err e;

	certificate_text(&text, height, 0, &parent, repo_ledger(repo));
	buf_add(out, text.p, text.len);
	buf_addc(out, '\n');
	for (size_t i = 0; i < delegates_quorum(set.n); i++)
		if (note_sign_line(out, buf_span(&text),
		    span_str(node[i].name), node[i].sign, &e) != 0)
			die("sign", &e);
	buf_free(&text);
}

static void
write_block(uint64_t height, struct span text)
{
	struct buf packed = BUF_INIT(CHAIN_FILE_MAX);
	char path[CHAIN_PATH_LEN], *slash;
	struct err e;
	int fd;

	chain_path(path, height);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdirat(repo->dirfd, path, 0700);
	*slash = '/';
	if (gz_pack(&packed, text, &e) != 0)
		die("gzip", &e);
	fd = openat(repo->dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0 || fs_write_all(fd, packed.p, packed.len) != 0)
		die(path, NULL);
	close(fd);
	buf_free(&packed);
}

static void
make_block(uint64_t height, uint64_t txs)
{
	struct buf body = BUF_INIT(1u << 20), header = BUF_INIT(4096);
	struct buf cert = BUF_INIT(BLOCK_CERT_MAX), file = BUF_INIT(2u << 20);

	time_ms++;
	txs = add_all(&body, height, txs);
	make_header(&header, height, buf_span(&body), txs);
	make_certificate(&cert, height);
	block_join(&file, buf_span(&header), buf_span(&cert), buf_span(&body));
	write_block(height, buf_span(&file));
	buf_free(&body);
	buf_free(&header);
	buf_free(&cert);
	buf_free(&file);
}

static void
open_ledger(const char *dir, bool with_objects)
{
	struct head h;
	struct db *db;
	struct err e;

	if (repo_open(&repo, dir, &e) != 0 || chain_head(&h, repo, &e) != 0 ||
	    db_of(&db, repo, &e) != 0 ||
	    state_delegates(&set, db, 1, &e) != 0)
		die(dir, &e);
	if (h.height != 0 || nnodes < delegates_quorum(set.n))
		die("a ledger without blocks, and the keys of its delegates, "
		    "please", NULL);
	if (with_objects && object_batch_open(&objects, repo, &e) != 0)
		die("objects", &e);
	merkle_init(&tree);
	parent = h.id;
	time_ms = h.time_ms;
}

static void
close_ledger(void)
{
	struct err e;

	if (objects != NULL && object_batch_commit(objects, &e) != 0)
		die("objects", &e);
	repo_close(repo);
}

int
main(int argc, char **argv)
{
	uint64_t count = 0, txs = 0;
	bool with_objects = false;
	int c;

	while ((c = getopt(argc, argv, "oa:n:t:")) != -1)
		if (c == 'o')
			with_objects = true;
		else if (c == 'a')
			read_key(&admin, optarg);
		else if (c == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (c == 't')
			txs = strtoull(optarg, NULL, 10);
	if (admin.name[0] == '\0' || argc - optind < 2 ||
	    argc - optind > GENESIS_NODES_MAX || txs > TXS_MAX)
		die("usage: chain [-o] -a KEY -n COUNT [-t TXS] DIR KEY ...",
		    NULL);
	for (int i = optind + 1; i < argc; i++)
		read_key(&node[nnodes++], argv[i]);
	open_ledger(argv[optind], with_objects);
	for (uint64_t h = 1; h <= count; h++)
		make_block(h, txs);
	close_ledger();
	return 0;
}
