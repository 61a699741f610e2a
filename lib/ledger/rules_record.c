#include "ledger/rules_record.h"

#include "ledger/name.h"

static int
find(const struct rules_view *v, const struct hash *id,
    struct rules_record *rec, struct err *e)
{
	int r = v->record(v->arg, id, rec, e);

	if (r == 0)
		rec->status = RECORD_UNKNOWN;
	return r < 0 ? -1 : 0;
}

/* Every reader must be a user, or a role with a library. */
static int
check_readers(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	for (size_t i = 0; i < tx->nreaders; i++) {
		struct span role;
		unsigned perms = 0;
		int r;

		if (name_reader_role(tx->reader[i], &role)) {
			r = v->role(v->arg, role, &perms, e);
			if (r > 0 && (perms & PERM_LIBRARY) == 0)
				r = 0;
		} else
			r = v->perms(v->arg, tx->reader[i], NULL, e);
		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_NO, "reader %.*s: no such user, "
			    "or no role with a library",
			    SPAN_FMT(tx->reader[i]));
	}
	return 0;
}

/* Body and header are this record's alone. */
static int
check_parts(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	if (hash_eq(&tx->header, &tx->staged.body))
		return rules_refuse(e, "one object cannot be body and header");
	if (rules_new_object(v, &tx->staged.body, e) != 0)
		return -1;
	return rules_new_object(v, &tx->header, e);
}

int
rules_authorize(const struct rules_view *v, const struct tx *tx,
    int64_t now_ms, struct err *e)
{
	struct rules_record rec;

	if (rules_need(v, tx->author, PERM_AUTHORIZE, e) != 0 ||
	    find(v, &tx->record, &rec, e) != 0)
		return -1;
	if (!span_eq(tx->author, tx->staged.patient))
		return rules_refuse(e, "the record is another patient's");
	if (rec.status == RECORD_AUTHORIZED || rec.status == RECORD_ERASED)
		return rules_refuse(e, "the record was authorized already");
	if (rec.status == RECORD_REJECTED &&
	    span_is(tx->author, rec.patient))
		return rules_refuse(e, "the record was rejected");
	if (check_readers(v, tx, e) != 0 || check_parts(v, tx, e) != 0)
		return -1;
	return rules_check_staged(v, &tx->staged, now_ms, e);
}

int
rules_reject(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	struct rules_record rec;

	/*
	 * The manifest is not here, so that what is rejected stays off the
	 * ledger; a rejection counts only against its author's own records.
	 */
	if (rules_need(v, tx->author, PERM_AUTHORIZE, e) != 0 ||
	    find(v, &tx->record, &rec, e) != 0)
		return -1;
	if (rec.status != RECORD_UNKNOWN && rec.status != RECORD_REJECTED)
		return rules_refuse(e, "the record was authorized already");
	if (rec.status == RECORD_REJECTED &&
	    span_is(tx->author, rec.patient))
		return rules_refuse(e, "the record was rejected already");
	return 0;
}

/* The record must be there, whole. */
static int
need_whole(const struct rules_view *v, const struct tx *tx,
    struct rules_record *rec, struct err *e)
{
	if (find(v, &tx->record, rec, e) != 0)
		return -1;
	if (rec->status == RECORD_ERASED)
		return rules_refuse(e, "the record was erased");
	if (rec->status != RECORD_AUTHORIZED)
		return rules_refuse(e, "there is no such record");
	return 0;
}

int
rules_readers(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	struct rules_record rec;

	if (rules_need(v, tx->author, PERM_AUTHORIZE, e) != 0 ||
	    need_whole(v, tx, &rec, e) != 0)
		return -1;
	if (!span_is(tx->author, rec.patient))
		return rules_refuse(e, "the record is another patient's");
	if (tx->nreaders == 0)
		return rules_refuse(e, "no reader is named");
	if (rules_new_object(v, &tx->header, e) != 0)
		return -1;
	if (tx->kind == TX_GRANT)
		return check_readers(v, tx, e);
	for (size_t i = 0; i < tx->nreaders; i++) {
		int r = v->reader(v->arg, &tx->record, tx->reader[i], e);

		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_NO, "%.*s is not admitted to "
			    "the record", SPAN_FMT(tx->reader[i]));
	}
	return 0;
}

int
rules_access(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	struct rules_record rec;
	unsigned perms;
	int r;

	/*
	 * It was read when the transaction was made.  What has been withdrawn
	 * or erased before a block took the mark does not undo the reading.
	 */
	if (find(v, &tx->record, &rec, e) != 0)
		return -1;
	if (rec.status != RECORD_AUTHORIZED && rec.status != RECORD_ERASED)
		return rules_refuse(e, "there is no such record");
	r = v->perms(v->arg, tx->author, &perms, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "%.*s is not a user of this ledger",
		    SPAN_FMT(tx->author));
	if (span_is(tx->author, rec.patient) && (perms & PERM_VIEW_OWN) != 0)
		return 0;
	r = v->opened(v->arg, &tx->record, tx->author, e);
	if (r < 0)
		return -1;
	return r == 1 ? 0 : rules_refuse(e,
	    "the patient has not admitted this reader");
}

int
rules_erase(const struct rules_view *v, const struct tx *tx, struct err *e)
{
	enum perm need = PERM_USERS;
	struct rules_record rec;
	unsigned perms = 0;

	if (need_whole(v, tx, &rec, e) != 0)
		return -1;
	/* The reason says by whose authority, so a patient has only one. */
	if (span_is(tx->author, rec.patient) &&
	    span_is(tx->reason, "patient-request")) {
		if (v->perms(v->arg, tx->author, &perms, e) < 0)
			return -1;
		if ((perms & PERM_USERS) == 0)
			need = PERM_AUTHORIZE;
	}
	return rules_need(v, tx->author, need, e);
}
