/* rules: what holds for all kinds, and the table of roles and permissions. */
#include "check.h"
#include "world.h"

static struct world w;
static struct err e;

/* Kun's reading of Bill's record, which the rules allow. */
static void
access_of(struct tx *tx)
{
	w.nrecords = 0;
	world_add_record(&w);
	little_kind(tx, &w.l, TX_ACCESS);
}

static void
every_kind(void)
{
	struct buf note = BUF_INIT(TX_MAX);
	struct tx tx;
	int64_t now = little_time(4000);

	/* A transaction counts once. */
	access_of(&tx);
	ALLOWED(&w, &tx, &w.l.kun);
	little_sign(&note, &w.l, &tx, &w.l.kun);
	hash_bytes(&w.tx, note.p, note.len);
	REFUSED(&w, &tx, &w.l.kun, "on the ledger already");
	tx.time_ms++;
	ALLOWED(&w, &tx, &w.l.kun);

	/* Its time: long ago, now, ahead as far as clocks may be apart. */
	tx.time_ms = 0;
	ALLOWED(&w, &tx, &w.l.kun);
	tx.time_ms = now + w.v.skew_ms;
	ALLOWED(&w, &tx, &w.l.kun);
	tx.time_ms = now + w.v.skew_ms + 1;
	REFUSED(&w, &tx, &w.l.kun, "lies in the future");
	tx.time_ms = STAMP_MAX_MS;
	REFUSED(&w, &tx, &w.l.kun, "lies in the future");
	tx.time_ms = now;
	CHECK(world_check_at(&w, &tx, &w.l.kun, 0, &e) == -1 &&
	    e.kind == ERR_NO);
	buf_free(&note);
}

/* A key that is not the author's, or not any more. */
static void
signatures(void)
{
	struct identity as;
	struct buf note = BUF_INIT(TX_MAX);
	struct tx tx, back;

	access_of(&tx);
	people_node(&as, w.l.kun.name, "Kun's next key");
	REFUSED(&w, &tx, &as, "does not verify with the key on the ledger");
	identity_wipe(&as);
	/* Nobody's key: the author is unknown. */
	REFUSED(&w, &tx, &w.l.other, "not a user of this ledger");

	/* Base64 that is none is the note's fault, not the author's. */
	little_sign(&note, &w.l, &tx, &w.l.kun);
	note.p[note.len - 3] = '!';
	CHECK(tx_parse(&back, buf_span(&note), &w.l.id, &e) == 0);
	CHECK(rules_check(&w.v, &back, little_time(4000), &e) == -1 &&
	    e.kind == ERR_BAD);

	/* A user without a key there is a view that contradicts itself. */
	w.user[w.nusers] = w.user[1];
	memset(&back, 0, sizeof(back));
	CHECK(rules_signature(&w.v, &back.note, span_str("u"), &e) == -1 &&
	    e.kind == ERR_NO);
	back.kind = TX_KINDS;
	CHECK(rules_check(&w.v, &back, little_time(4000), &e) == -1 &&
	    e.kind == ERR_NO && strstr(e.msg, "unknown kind") != NULL);
	buf_free(&note);
}

/* A verify that puts off the work answers 1, and then it is allowed. */
static int
verify_later(void *arg, const struct note *n, struct span name,
    const struct sign_pub *pub, struct err *err)
{
	(void)arg, (void)n, (void)name, (void)pub, (void)err;
	return 1;
}

static void
put_off(void)
{
	struct identity as;
	struct tx tx;

	access_of(&tx);
	people_node(&as, w.l.kun.name, "Kun's next key");
	w.v.verify = verify_later;
	CHECK(world_check(&w, &tx, &as, &e) == 0);
	world_view(&w);
	REFUSED(&w, &tx, &as, "does not verify");
	identity_wipe(&as);
}

/*
 * Table 6-3 of the dissertation, kind by kind: may a doctor, a patient, an
 * administrator do this in the best of circumstances?
 */
static const struct {
	enum tx_kind kind;
	bool doctor, patient, administrator;
} table[] = {
	{ TX_ENROLL, false, false, true },
	{ TX_REKEY, false, false, true },
	{ TX_ROLE_DEFINE, false, false, true },
	{ TX_ROLE_GRANT, false, false, true },
	{ TX_ROLE_REVOKE, false, false, true },
	{ TX_ROLE_KEY, true, false, false },
	{ TX_NODE_ADMIT, false, false, true },
	{ TX_NODE_REMOVE, false, false, true },
	{ TX_VOTE, false, false, false },
	{ TX_AUTHORIZE, false, true, false },
	{ TX_REJECT, false, true, false },
	{ TX_GRANT, false, true, false },
	{ TX_WITHDRAW, false, true, false },
	{ TX_ACCESS, true, true, false },
	{ TX_ERASE, false, true, true }
};

/* The best of circumstances: the record is the actor's own if it can be. */
static void
favour(struct tx *tx, enum tx_kind kind, const struct identity *actor,
    struct buf *manifest)
{
	struct world_record *r;

	w.nrecords = 0;
	w.user[1].roles = "doctor ";
	little_kind(tx, &w.l, kind);
	if (kind == TX_ENROLL) {
		tx->user = span_str(w.l.other.name);
		little_keys(&tx->sign, &tx->seal, &w.l.other);
	} else if (kind == TX_ROLE_GRANT) {
		w.user[1].roles = "";
	} else if (kind == TX_REKEY) {
		tx->user = span_str(w.l.anne.name);
	} else if (kind == TX_NODE_REMOVE) {
		tx->node = span_str("hospital-d");
	} else if (kind >= TX_AUTHORIZE) {
		buf_reset(manifest);
		little_manifest(manifest, &w.l, &w.l.kun, actor->name);
		tx->manifest = *manifest;
		hash_bytes(&tx->record, manifest->p, manifest->len);
		if (kind > TX_REJECT) {
			r = world_add_record(&w);
			r->id = tx->record;
			strcpy(r->r.patient, actor->name);
		}
	}
}

static void
roles(void)
{
	const struct identity *actor[3] = { &w.l.kun, &w.l.bill, &w.l.ruth };
	struct buf manifest = BUF_INIT(STAGED_MAX);

	w.role[1].changes = 2;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const bool may[3] = { table[i].doctor, table[i].patient,
		    table[i].administrator };

		CHECK(table[i].kind == (enum tx_kind)i);
		for (int k = 0; k < 3; k++) {
			struct tx tx;
			bool did;

			favour(&tx, table[i].kind, actor[k], &manifest);
			/* Granted to himself, a doctor would be none first. */
			if (table[i].kind == TX_ROLE_GRANT && k == 0)
				tx.user = span_str(w.l.anne.name);
			if (table[i].kind == TX_ROLE_GRANT)
				w.user[1].roles = k == 0 ? "doctor " : "";
			did = world_check(&w, &tx, actor[k], &e) == 0;
			CHECK(did == may[k]);
			if (did != may[k])
				printf("\t%s by %d: %s\n",
				    tx_kind_name(table[i].kind), k,
				    did ? "allowed" : e.msg);
		}
	}
	w.user[1].roles = "doctor ";
	buf_free(&manifest);
}

/* Who may stage a record, for whom. */
static void
staged(void)
{
	const struct identity *all[] = { &w.l.kun, &w.l.bill, &w.l.ruth,
	    &w.l.other };
	struct identity as;

	for (size_t a = 0; a < 4; a++)
		for (size_t p = 0; p < 4; p++) {
			struct buf b = BUF_INIT(STAGED_MAX);
			struct staged s;
			bool want = a == 0 && p == 1;

			little_manifest(&b, &w.l, all[a], all[p]->name);
			CHECK(staged_parse(&s, buf_span(&b), &w.l.id, &e) == 0);
			w.fail_at = 0;
			memset(&e, 0, sizeof(e));
			CHECK((rules_check_staged(&w.v, &s, little_time(4000),
			    &e) == 0) == want);
			CHECK(want || e.kind == ERR_NO);
			for (int i = 1; want && i <= 4; i++) {
				w.calls = 0;
				w.fail_at = i;
				CHECK(rules_check_staged(&w.v, &s,
				    little_time(4000), &e) == -1 &&
				    e.kind == ERR_SYS);
			}
			w.fail_at = 0;
			CHECK(!want || rules_check_staged(&w.v, &s,
			    little_time(0), &e) == -1);
			buf_free(&b);
		}
	people_node(&as, w.l.kun.name, "Kun's next key");
	{
		struct buf b = BUF_INIT(STAGED_MAX);
		struct staged s;

		little_manifest(&b, &w.l, &as, w.l.bill.name);
		CHECK(staged_parse(&s, buf_span(&b), &w.l.id, &e) == 0);
		CHECK(rules_check_staged(&w.v, &s, little_time(4000),
		    &e) == -1 && e.kind == ERR_NO);
		buf_free(&b);
	}
	identity_wipe(&as);
}

int
main(void)
{
	world_open(&w);
	every_kind();
	signatures();
	put_off();
	roles();
	staged();
	world_close(&w);
	return check_done("rules");
}
