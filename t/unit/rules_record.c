/* rules_record: what may become of a record: each rule, kept and broken. */
#include "check.h"
#include "world.h"

static struct world w;

/* The little ledger's transaction, in a world where the record has a status. */
static struct world_record *
make(struct tx *tx, enum tx_kind kind, enum record_status status)
{
	struct world_record *r;

	little_kind(tx, &w.l, kind);
	w.nrecords = 0;
	if (status == RECORD_UNKNOWN)
		return NULL;
	r = world_add_record(&w);
	r->r.status = status;
	return r;
}

static void
authorize(void)
{
	const struct identity *bill = &w.l.bill;
	struct buf manifest = BUF_INIT(STAGED_MAX);
	struct world_record *r;
	struct tx tx;

	make(&tx, TX_AUTHORIZE, RECORD_UNKNOWN);
	ALLOWED(&w, &tx, bill);
	REFUSED(&w, &tx, &w.l.anne, "another patient's");
	REFUSED(&w, &tx, &w.l.kun, "\"authorize\" is missing");
	REFUSED(&w, &tx, &w.l.ruth, "\"authorize\" is missing");
	REFUSED(&w, &tx, &w.l.other, "not a user of this ledger");

	/* Once, and not after its own rejection or its end. */
	make(&tx, TX_AUTHORIZE, RECORD_AUTHORIZED);
	REFUSED(&w, &tx, bill, "authorized already");
	make(&tx, TX_AUTHORIZE, RECORD_ERASED);
	REFUSED(&w, &tx, bill, "authorized already");
	r = make(&tx, TX_AUTHORIZE, RECORD_REJECTED);
	REFUSED(&w, &tx, bill, "was rejected");
	strcpy(r->r.patient, w.l.anne.name);	/* it was not hers */
	ALLOWED(&w, &tx, bill);

	/* Its parts are its own: else it could dismiss somebody else's. */
	make(&tx, TX_AUTHORIZE, RECORD_UNKNOWN);
	w.object = tx.header;
	REFUSED(&w, &tx, bill, "named before");
	{
		struct staged s;
		struct err e;

		CHECK(staged_parse(&s, buf_span(&tx.manifest), &w.l.id,
		    &e) == 0);
		w.object = s.body;
		REFUSED(&w, &tx, bill, "named before");
		memset(&w.object, 1, sizeof(w.object));
		tx.header = s.body;
		REFUSED(&w, &tx, bill, "one object");
	}

	/* Readers: users, and roles with a library; or none. */
	make(&tx, TX_AUTHORIZE, RECORD_UNKNOWN);
	tx.nreaders = 0;
	ALLOWED(&w, &tx, bill);
	tx.reader[0] = span_str("role:patient");
	tx.nreaders = 1;
	REFUSED(&w, &tx, bill, "reader role:patient");
	tx.reader[0] = span_str("role:surgeon");
	REFUSED(&w, &tx, bill, "reader role:surgeon");
	tx.reader[0] = span_str(w.l.other.name);
	REFUSED(&w, &tx, bill, "no such user");
	tx.reader[0] = span_str(w.l.anne.name);
	ALLOWED(&w, &tx, bill);

	/* The manifest must be good still: doctor, key, patient, time. */
	tx.nreaders = 0;
	w.user[1].roles = "";
	REFUSED(&w, &tx, bill, "\"fill\" is missing");
	w.user[1].roles = "doctor ";
	w.user[1].id = &w.l.other;
	REFUSED(&w, &tx, bill, "not a user of this ledger");
	w.user[1].id = &w.l.kun;
	tx.time_ms = little_time(0);
	{
		struct err e;

		CHECK(world_check_at(&w, &tx, bill, little_time(3600 - 60),
		    &e) == 0);
		CHECK(world_check_at(&w, &tx, bill, little_time(3600 - 61),
		    &e) == -1 && e.kind == ERR_NO);
	}
	little_manifest(&manifest, &w.l, bill, bill->name);
	tx.manifest = manifest;
	hash_bytes(&tx.record, manifest.p, manifest.len);
	REFUSED(&w, &tx, bill, "\"fill\" is missing");	/* by himself */
	buf_free(&manifest);
}

/* The doctor has other keys now than those that signed the manifest. */
static void
authorize_after_rekey(void)
{
	struct identity as;
	struct tx tx;

	make(&tx, TX_AUTHORIZE, RECORD_UNKNOWN);
	people_node(&as, w.l.kun.name, "Kun's next key");
	w.user[1].id = &as;
	REFUSED(&w, &tx, &w.l.bill, "does not verify");
	w.user[1].id = &w.l.kun;
	ALLOWED(&w, &tx, &w.l.bill);
	identity_wipe(&as);
}

static void
reject(void)
{
	const struct identity *bill = &w.l.bill;
	struct world_record *r;
	struct tx tx;

	make(&tx, TX_REJECT, RECORD_UNKNOWN);
	ALLOWED(&w, &tx, bill);
	REFUSED(&w, &tx, &w.l.kun, "\"authorize\" is missing");
	make(&tx, TX_REJECT, RECORD_AUTHORIZED);
	REFUSED(&w, &tx, bill, "authorized already");
	make(&tx, TX_REJECT, RECORD_ERASED);
	REFUSED(&w, &tx, bill, "authorized already");
	r = make(&tx, TX_REJECT, RECORD_REJECTED);
	REFUSED(&w, &tx, bill, "rejected already");
	/* Another's rejection does not stand in the patient's way. */
	strcpy(r->r.patient, w.l.anne.name);
	ALLOWED(&w, &tx, bill);
}

static void
grant(void)
{
	const struct identity *bill = &w.l.bill;
	struct world_record *r;
	struct tx tx;

	make(&tx, TX_GRANT, RECORD_AUTHORIZED);
	ALLOWED(&w, &tx, bill);		/* doctors are there: sealed anew */
	REFUSED(&w, &tx, &w.l.anne, "another patient's");
	REFUSED(&w, &tx, &w.l.kun, "\"authorize\" is missing");
	tx.reader[0] = span_str("role:patient");
	REFUSED(&w, &tx, bill, "reader role:patient");
	tx.reader[0] = span_str("role:doctor");
	tx.reader[1] = span_str("uffffffffffffffff");
	REFUSED(&w, &tx, bill, "no such user");
	tx.nreaders = 0;
	REFUSED(&w, &tx, bill, "no reader is named");

	make(&tx, TX_GRANT, RECORD_AUTHORIZED);
	w.object = tx.header;
	REFUSED(&w, &tx, bill, "named before");
	memset(&w.object, 1, sizeof(w.object));

	make(&tx, TX_GRANT, RECORD_UNKNOWN);
	REFUSED(&w, &tx, bill, "no such record");
	r = make(&tx, TX_GRANT, RECORD_REJECTED);
	REFUSED(&w, &tx, bill, "no such record");
	r->r.status = RECORD_ERASED;
	REFUSED(&w, &tx, bill, "was erased");
}

static void
withdraw(void)
{
	const struct identity *bill = &w.l.bill;
	struct world_record *r;
	struct tx tx;

	r = make(&tx, TX_WITHDRAW, RECORD_AUTHORIZED);
	w.object = tx.header;
	REFUSED(&w, &tx, bill, "named before");
	memset(&w.object, 1, sizeof(w.object));
	ALLOWED(&w, &tx, bill);
	REFUSED(&w, &tx, &w.l.anne, "another patient's");
	REFUSED(&w, &tx, &w.l.kun, "\"authorize\" is missing");
	tx.nreaders = 0;
	REFUSED(&w, &tx, bill, "no reader is named");
	tx.reader[tx.nreaders++] = span_str(w.l.kun.name);
	REFUSED(&w, &tx, bill, "is not admitted");	/* only as a doctor */
	/* A role that has gone bad is dismissed all the same. */
	tx.reader[0] = span_str("role:doctor");
	w.role[1].perms = 0;
	ALLOWED(&w, &tx, bill);
	w.role[1].perms = PERM_FILL | PERM_LIBRARY;
	r->readers = "";
	REFUSED(&w, &tx, bill, "role:doctor is not admitted");
	r->r.status = RECORD_ERASED;
	REFUSED(&w, &tx, bill, "was erased");
	make(&tx, TX_WITHDRAW, RECORD_UNKNOWN);
	REFUSED(&w, &tx, bill, "no such record");
}

static void
access_rule(void)
{
	char list[sizeof(w.l.anne.name) + 1];
	struct world_record *r;
	struct tx tx;

	r = make(&tx, TX_ACCESS, RECORD_AUTHORIZED);
	ALLOWED(&w, &tx, &w.l.kun);		/* as a doctor */
	ALLOWED(&w, &tx, &w.l.bill);		/* it is his own */
	REFUSED(&w, &tx, &w.l.anne, "has not admitted this reader");
	REFUSED(&w, &tx, &w.l.ruth, "has not admitted this reader");
	REFUSED(&w, &tx, &w.l.other, "not a user of this ledger");
	r->readers = "";
	REFUSED(&w, &tx, &w.l.kun, "has not admitted this reader");
	ALLOWED(&w, &tx, &w.l.bill);
	w.user[2].roles = "";		/* Bill is no patient any more */
	REFUSED(&w, &tx, &w.l.bill, "has not admitted this reader");
	w.user[2].roles = "patient ";
	/* Named himself, anybody: even one without a role. */
	snprintf(list, sizeof(list), "%s ", w.l.anne.name);
	r->readers = list;
	ALLOWED(&w, &tx, &w.l.anne);
	w.user[3].roles = "";
	ALLOWED(&w, &tx, &w.l.anne);
	w.user[3].roles = "patient ";
	/* A role that has lost its library opens nothing. */
	r->readers = "role:doctor ";
	w.role[1].perms = PERM_FILL;
	REFUSED(&w, &tx, &w.l.kun, "has not admitted this reader");
	w.role[1].perms = PERM_FILL | PERM_LIBRARY;

	make(&tx, TX_ACCESS, RECORD_UNKNOWN);
	REFUSED(&w, &tx, &w.l.kun, "no such record");
	make(&tx, TX_ACCESS, RECORD_REJECTED);
	REFUSED(&w, &tx, &w.l.bill, "no such record");
	/* A mark of reading outlives what has ended since. */
	make(&tx, TX_ACCESS, RECORD_ERASED);
	ALLOWED(&w, &tx, &w.l.kun);
	REFUSED(&w, &tx, &w.l.anne, "has not admitted this reader");
	r = make(&tx, TX_ACCESS, RECORD_AUTHORIZED);
	r->before = list;
	ALLOWED(&w, &tx, &w.l.anne);
	r->before = "role:doctor ";
	r->readers = "";
	ALLOWED(&w, &tx, &w.l.kun);
	REFUSED(&w, &tx, &w.l.anne, "has not admitted this reader");
}

static void
erase(void)
{
	const char *const *reason = name_erase_reasons();
	struct tx tx;

	for (; *reason != NULL; reason++) {
		make(&tx, TX_ERASE, RECORD_AUTHORIZED);
		tx.reason = span_str(*reason);
		ALLOWED(&w, &tx, &w.l.ruth);
		ALLOWED(&w, &tx, &w.clerk);
		if (strcmp(*reason, "patient-request") == 0)
			ALLOWED(&w, &tx, &w.l.bill);
		else
			REFUSED(&w, &tx, &w.l.bill, "\"manage-users\"");
		REFUSED(&w, &tx, &w.l.anne, "\"manage-users\"");
		REFUSED(&w, &tx, &w.l.kun, "\"manage-users\"");
		REFUSED(&w, &tx, &w.engineer, "\"manage-users\"");
	}
	make(&tx, TX_ERASE, RECORD_AUTHORIZED);
	w.user[2].roles = "administrator ";
	ALLOWED(&w, &tx, &w.l.bill);
	w.user[2].roles = "";
	REFUSED(&w, &tx, &w.l.bill, "\"authorize\" is missing");
	w.user[2].roles = "patient ";
	make(&tx, TX_ERASE, RECORD_UNKNOWN);
	REFUSED(&w, &tx, &w.l.ruth, "no such record");
	make(&tx, TX_ERASE, RECORD_REJECTED);
	REFUSED(&w, &tx, &w.l.bill, "no such record");
	make(&tx, TX_ERASE, RECORD_ERASED);
	REFUSED(&w, &tx, &w.l.bill, "was erased");
}

int
main(void)
{
	world_open(&w);
	authorize();
	authorize_after_rekey();
	reject();
	grant();
	withdraw();
	access_rule();
	erase();
	world_close(&w);
	return check_done("rules_record");
}
