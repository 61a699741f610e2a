/* The people and the transactions of the load; their keys come from fixed
 * seeds, so that a second load on the same ledger finds them enrolled. */
#define _DEFAULT_SOURCE	/* usleep */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "load.h"
#include "store/object.h"
#include "store/pool.h"
#include "t/unit/people.h"

#define PATIENTS 64

static struct identity admin, doctor, patient[PATIENTS];

/* --- people --------------------------------------------------------------- */

static bool
is_enrolled(struct pool *p, const struct identity *id)
{
	struct state_view v;
	struct sign_pub pub;
	struct err e;

	state_view_init(&v, pool_repo(p), pool_db(p));
	return v.v.key(v.v.arg, span_str(id->name), &pub, &e) == 1;
}

static void
enrol(struct pool *p, const struct identity *id, const char *role)
{
	struct buf text = BUF_INIT(TX_MAX), note = BUF_INIT(TX_MAX);
	struct tx tx = { .kind = TX_ENROLL, .time_ms = clock_now_ms() };
	struct err e;

	if (is_enrolled(p, id))
		return;
	tx.author = span_str(admin.name);
	tx.user = span_str(id->name);
	tx.role = span_str(role);
	sign_public(&tx.sign, id->sign);
	if (seal_public(&tx.seal, &id->seal[0], &e) != 0)
		load_die("enrol", &e);
	tx_text(&text, &tx, repo_ledger(pool_repo(p)));
	if (identity_sign(&note, buf_span(&text), &admin, &e) != 0 ||
	    pool_add(p, buf_span(&note), false, NULL, NULL, &e) != 0)
		load_die("enrol", &e);
	buf_free(&text);
	buf_free(&note);
}

/* Is the doctor, who is enrolled last, known to this node? */
static bool
is_ready(struct repo *r)
{
	struct state_view v;
	struct sign_pub pub;
	struct db *db;
	struct err e;

	if (chain_catch_up(r, &e) != 0 || db_of(&db, r, &e) != 0)
		return false;
	state_view_init(&v, r, db);
	return v.v.key(v.v.arg, span_str(doctor.name), &pub, &e) == 1;
}

static void
wait_for_people(struct load *l)
{
	double until = clock_s() + l->give_up_s;

	for (unsigned i = 0; i < l->n; i++)
		while (!is_ready(l->node[i].repo)) {
			if (clock_s() > until)
				load_die("the enrolments do not become final",
				    NULL);
			usleep(20000);
		}
}

void
load_people(struct load *l, const char *admin_key)
{
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct pool *p;
	struct err e;
	char who[32];

	if (fs_read(&file, AT_FDCWD, admin_key, &e) != 0 ||
	    identity_parse(&admin, buf_span(&file), span_of(NULL, 0), &e) != 0)
		load_die(admin_key, &e);
	buf_wipe(&file);
	people_user(&doctor, "the doctor of the load");
	if (pool_open(&p, l->node[0].repo, clock_now_ms(), &e) != 0)
		load_die("pool", &e);
	for (int i = 0; i < PATIENTS; i++) {
		snprintf(who, sizeof(who), "patient %d of the load", i);
		people_user(&patient[i], who);
		enrol(p, &patient[i], "patient");
	}
	enrol(p, &doctor, "doctor");
	if (pool_commit(p, &e) != 0)
		load_die("pool", &e);
	wait_for_people(l);
}

/* --- transactions --------------------------------------------------------- */

/* Objects are a few bytes: what is measured does not read them. */
static void
object_text(char out[64], const struct hash *nonce, const char *what, size_t i)
{
	char hex[HASH_HEX];

	hash_format(hex, nonce);
	snprintf(out, 64, "%s %zu of load %.16s", what, i, hex);
}

static void
object_id(struct hash *out, const struct hash *nonce, const char *what,
    size_t i)
{
	char text[64];

	object_text(text, nonce, what, i);
	hash_bytes(out, text, strlen(text));
}

struct making {
	struct load *l;
	struct hash nonce;
	int64_t now_ms;
	struct buf *note;
};

static void
manifest(struct buf *out, const struct making *m, const char *patient_name,
    size_t i)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct staged s = { .time_ms = m->now_ms };
	struct err e;

	s.author = span_str(doctor.name);
	s.patient = span_str(patient_name);
	s.label = span_str("laboratory");
	object_id(&s.body, &m->nonce, "body", i);
	s.body_size = 4186;
	object_id(&s.header, &m->nonce, "first header", i);
	staged_text(&text, &s, repo_ledger(m->l->node[0].repo));
	if (identity_sign(out, buf_span(&text), &doctor, &e) != 0)
		load_die("sign", &e);
	buf_free(&text);
}

/* The patient's signature around the doctor's: two to verify. */
static void
make_one(void *arg, unsigned worker, size_t i)
{
	struct making *m = arg;
	const struct identity *who = &patient[i % PATIENTS];
	struct buf text = BUF_INIT(TX_MAX), man = BUF_INIT(STAGED_MAX);
	struct tx tx = { .kind = TX_AUTHORIZE, .time_ms = m->now_ms };
	struct err e;

	(void)worker;
	manifest(&man, m, who->name, i);
	tx.author = span_str(who->name);
	hash_bytes(&tx.record, man.p, man.len);
	object_id(&tx.header, &m->nonce, "header", i);
	tx.manifest = man;
	tx.reader[tx.nreaders++] = span_str("role:doctor");
	tx_text(&text, &tx, repo_ledger(m->l->node[0].repo));
	buf_init(&m->note[i], TX_MAX);
	if (identity_sign(&m->note[i], buf_span(&text), who, &e) != 0)
		load_die("sign", &e);
	buf_free(&text);
	buf_free(&man);
}

static void
store_objects(const struct making *m, struct repo *r)
{
	static const char *const what[] = { "body", "header" };
	struct object_batch *b;
	struct err e;
	char text[64];

	if (object_batch_open(&b, r, &e) != 0)
		load_die("objects", &e);
	for (size_t i = 0; i < m->l->ntx; i++)
		for (int k = 0; k < 2; k++) {
			object_text(text, &m->nonce, what[k], i);
			if (object_batch_add(b, span_str(text), NULL, &e) != 0)
				load_die("objects", &e);
		}
	if (object_batch_commit(b, &e) != 0)
		load_die("objects", &e);
}

void
load_make(struct load *l)
{
	struct making m = { .l = l, .now_ms = clock_now_ms() };

	m.note = calloc(l->ntx, sizeof(*m.note));
	l->tx = calloc(l->ntx, sizeof(*l->tx));
	if (m.note == NULL || l->tx == NULL)
		load_die("out of memory", NULL);
	hash_random(m.nonce.b, sizeof(m.nonce.b));
	parallel_run(l->ntx, 16, make_one, &m);
	for (size_t i = 0; i < l->ntx; i++) {
		l->tx[i].note = buf_span(&m.note[i]);
		l->tx[i].node = (unsigned)(i % l->n);
		hash_bytes(&l->tx[i].id, m.note[i].p, m.note[i].len);
	}
	for (unsigned i = 0; i < l->n; i++)
		store_objects(&m, l->node[i].repo);
	free(m.note);		/* the notes stay */
}
