/*
 * later: random transactions of a block, on one state that takes each at once
 * and on one that puts off what nobody asks about, and remembers what was asked
 * of people: the rules say the same of each on both.
 */
#include "four.h"

#include "ledger/rules.h"
#include "store/later.h"
#include "store/verify.h"

#define ROUNDS 250
#define TXS 40			/* of a round */
#define RECORDS 4
#define OBJECTS 5

static struct err e;
static struct four f;
static struct identity kun, bill, anne, fresh;
static struct buf manifest[RECORDS];
static struct hash record[RECORDS], object[OBJECTS];
static unsigned long accepted[TX_KINDS], refused[TX_KINDS];

/* One of the two states. */
struct side {
	struct db *db;
	struct state_view view;
};
static struct side plain, putting;

/* --- random transactions -------------------------------------------------- */

static unsigned
below(unsigned n)
{
	static uint32_t x = 12345;

	x = x * 1664525 + 1013904223;
	return (x >> 16) % n;
}

static const struct identity *
someone(void)
{
	const struct identity *all[] = { &bill, &bill, &anne, &kun, &f.admin };

	return all[below(5)];
}

static void
choose_system(struct tx *tx)
{
	static const enum tx_kind kinds[] = { TX_ENROLL, TX_ROLE_GRANT,
	    TX_ROLE_REVOKE, TX_ROLE_DEFINE };

	tx->kind = kinds[below(4)];
	tx->user = span_str((tx->kind == TX_ENROLL ? &fresh : &anne)->name);
	tx->role = span_str(below(2) ? "doctor" : "patient");
	if (tx->kind == TX_ENROLL) {
		little_keys(&tx->sign, &tx->seal, &fresh);
		tx->has_profile = true;
		tx->profile = object[below(OBJECTS)];
	}
	tx->perms = PERM_AUTHORIZE | (below(2) ? PERM_LIBRARY | PERM_FILL : 0);
}

static void
choose(struct tx *tx)
{
	static const enum tx_kind kinds[] = { TX_AUTHORIZE, TX_AUTHORIZE,
	    TX_REJECT, TX_GRANT, TX_WITHDRAW, TX_ACCESS, TX_ERASE };
	unsigned i = below(RECORDS);

	tx->kind = kinds[below(7)];
	tx->record = record[i];
	tx->header = object[below(OBJECTS)];
	if (tx->kind == TX_AUTHORIZE)
		tx->manifest = manifest[i];
	if (tx->kind == TX_ERASE)
		tx->reason = span_str("patient-request");
	tx->reader[tx->nreaders++] = below(2) ? span_str("role:doctor") :
	    span_str(anne.name);
}

static void
make(struct buf *note)
{
	struct tx tx = { .time_ms = clock_now_ms() };
	const struct identity *who = someone();
	struct buf text = BUF_INIT(TX_MAX);

	if (below(12) == 0) {
		choose_system(&tx);
		who = &f.admin;
	} else
		choose(&tx);
	tx.author = span_str(who->name);
	tx_text(&text, &tx, repo_ledger(f.r[0]));
	buf_init(note, TX_MAX);
	little_ok(identity_sign(note, buf_span(&text), who, &e));
	buf_free(&text);
}

/* Of Kun for Bill; the first and the last name the same body. */
static void
make_manifest(unsigned i)
{
	struct staged s = { .time_ms = clock_now_ms(), .body_size = 10 + i };
	struct buf text = BUF_INIT(STAGED_MAX);

	s.author = span_str(kun.name);
	s.patient = span_str(bill.name);
	s.label = span_str("laboratory");
	hash_bytes(&s.body, i == RECORDS - 1 ? "0" : &"0123"[i], 1);
	s.header = s.body;
	staged_text(&text, &s, repo_ledger(f.r[0]));
	buf_init(&manifest[i], STAGED_MAX);
	little_ok(identity_sign(&manifest[i], buf_span(&text), &kun, &e));
	hash_bytes(&record[i], manifest[i].p, manifest[i].len);
	buf_free(&text);
}

/* --- both ----------------------------------------------------------------- */

static void
enrol(struct side *s, const struct identity *who, const char *role,
    uint64_t seq)
{
	struct tx tx = { .kind = TX_ENROLL, .user = span_str(who->name),
	    .role = span_str(role), .author = span_str(f.admin.name) };

	little_keys(&tx.sign, &tx.seal, who);
	hash_bytes(&tx.id, who->name, strlen(who->name));
	little_ok(state_apply(s->db, &tx, 1, seq, &e));
}

static void
open_side(struct side *s)
{
	little_ok(db_scratch(&s->db, &e));
	little_ok(state_genesis(s->db, f.r[0]->genesis, &e));
	enrol(s, &kun, "doctor", 0);
	enrol(s, &bill, "patient", 1);
	enrol(s, &anne, "patient", 2);
	state_view_init(&s->view, f.r[0], s->db);
	s->view.verify = verify_never;
}

/* What do the rules say?  NULL: yes. */
static const char *
ask(struct side *s, const struct tx *tx, struct err *why)
{
	return rules_check(&s->view.v, tx, clock_now_ms(), why) == 0 ? NULL :
	    why->msg;
}

/* One transaction, on both. */
static void
step(struct later *l, struct buf *body, const struct buf *note, uint64_t seq)
{
	struct err a, b;
	const char *here, *there;
	struct tx tx;

	little_ok(tx_parse(&tx, buf_span(note), repo_ledger(f.r[0]), &e));
	CHECK(later_ask(l, &tx, buf_span(body), &e) == 0);
	here = ask(&plain, &tx, &a);
	there = ask(&putting, &tx, &b);
	CHECK_STR(there == NULL ? "yes" : there, here == NULL ? "yes" : here);
	++(here == NULL ? accepted : refused)[tx.kind];
	if (here == NULL) {
		little_ok(state_apply(plain.db, &tx, 2, seq, &e));
		block_add_tx(body, buf_span(note));
		CHECK(later_take(l, &tx, buf_span(body), &e) == 0);
		if (!tx_names_record(tx.kind))
			state_memo_clear(putting.view.memo);
	}
	tx_free(&tx);
}

static void
play(void)
{
	struct buf body = BUF_INIT(BLOCK_CONTENT_MAX), note[TXS];
	struct later *l;

	little_ok(db_exec(plain.db, "BEGIN", &e));
	little_ok(db_exec(putting.db, "BEGIN", &e));
	little_ok(later_open(&l, putting.db, repo_ledger(f.r[0]), 2, 3, &e));
	putting.view.memo = state_memo_open();
	for (unsigned i = 0; i < TXS; i++) {
		make(&note[i]);
		/* Now and then one comes twice. */
		step(l, &body, &note[below(10) ? i : below(i + 1)], 3 + i);
	}
	for (unsigned i = 0; i < TXS; i++)
		buf_free(&note[i]);
	state_memo_free(putting.view.memo);
	later_free(l);
	little_ok(db_exec(plain.db, "ROLLBACK", &e));
	little_ok(db_exec(putting.db, "ROLLBACK", &e));
	buf_free(&body);
}

int
main(void)
{
	struct settings s;

	scratch_open();
	settings_default(&s);
	four_open(&f, 4, &s);
	people_user(&kun, "Kun M");
	people_user(&bill, "Bill");
	people_user(&anne, "Anne");
	people_user(&fresh, "somebody new");
	for (unsigned i = 0; i < RECORDS; i++)
		make_manifest(i);
	/* The first is a body, too. */
	for (unsigned i = 0; i < OBJECTS; i++)
		hash_bytes(&object[i], &"1abcd"[i], 1);
	open_side(&plain);
	open_side(&putting);
	for (unsigned i = 0; i < ROUNDS; i++)
		play();
	for (enum tx_kind k = TX_ENROLL; k < TX_KINDS; k++)
		if (accepted[k] + refused[k] > 0)
			CHECK(accepted[k] > 9 && refused[k] > 9);
	db_close(plain.db);
	db_close(putting.db);
	for (unsigned i = 0; i < RECORDS; i++)
		buf_free(&manifest[i]);
	identity_wipe(&kun);
	identity_wipe(&bill);
	identity_wipe(&anne);
	identity_wipe(&fresh);
	four_close(&f);
	scratch_close();
	return check_done("later");
}
