#include "store/mirror.h"

struct table {
	const char *name;
	const char *rows;	/* all of them, in one order */
	bool part;		/* made may have more */
};

static const struct table tables[] = {
	/* What it says of itself: no trigger or view, and all indexes. */
	{ "schema", "SELECT type, name, tbl_name, sql FROM sqlite_master "
	    "ORDER BY type, name", false },
	{ "meta", "SELECT * FROM meta WHERE key<>'pending' ORDER BY key",
	    false },
	{ "block", "SELECT * FROM block ORDER BY height", false },
	{ "delegate", "SELECT * FROM delegate ORDER BY since, seat", false },
	{ "user", "SELECT * FROM user ORDER BY handle", false },
	{ "key", "SELECT * FROM key ORDER BY sign", false },
	{ "role", "SELECT * FROM role ORDER BY name", false },
	{ "member", "SELECT * FROM member ORDER BY handle, role", false },
	{ "member_before", "SELECT * FROM member_before ORDER BY handle, role",
	    false },
	{ "node", "SELECT * FROM node ORDER BY name", false },
	{ "vote", "SELECT * FROM vote ORDER BY node, choice", false },
	{ "tx", "SELECT * FROM tx ORDER BY seq", false },
	{ "record", "SELECT * FROM record ORDER BY id", false },
	{ "reader", "SELECT * FROM reader ORDER BY record, reader", false },
	{ "reader_before", "SELECT * FROM reader_before ORDER BY record, "
	    "reader", false },
	{ "named", "SELECT * FROM named ORDER BY object", false },
	{ "want", "SELECT * FROM want ORDER BY object", true },
	{ "dismissed", "SELECT * FROM dismissed ORDER BY object", true },

	/* The same as indexes have them, by which others find them. */
	{ "user", "SELECT email, handle FROM user WHERE email IS NOT NULL "
	    "ORDER BY email", false },
	{ "member", "SELECT role, handle FROM member INDEXED BY member_role "
	    "ORDER BY role, handle", false },
	{ "tx", "SELECT id, seq FROM tx INDEXED BY tx_id ORDER BY id", false },
	{ "tx", "SELECT record, seq FROM tx INDEXED BY tx_record "
	    "WHERE record IS NOT NULL ORDER BY record, seq", false },
	{ "tx", "SELECT author, time, seq FROM tx INDEXED BY tx_author "
	    "ORDER BY author, time, seq", false },
	{ "tx", "SELECT user, seq FROM tx INDEXED BY tx_rekey "
	    "WHERE kind='rekey' ORDER BY user, seq", false },
	{ "record", "SELECT patient, time, id FROM record "
	    "INDEXED BY record_patient ORDER BY patient, time, id", false },
	{ "record", "SELECT author, time, id FROM record "
	    "INDEXED BY record_author ORDER BY author, time, id", false },
	{ "record", "SELECT time, id FROM record INDEXED BY record_time "
	    "ORDER BY time, id", false }
};

/* Is a column the same, in kind and bytes? */
static bool
same_column(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int n = sqlite3_column_bytes(a, i);

	return sqlite3_column_type(a, i) == sqlite3_column_type(b, i) &&
	    n == sqlite3_column_bytes(b, i) && (n == 0 ||
	    memcmp(sqlite3_column_blob(a, i), sqlite3_column_blob(b, i),
	    (size_t)n) == 0);
}

static bool
same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int n = sqlite3_column_count(a);

	if (n != sqlite3_column_count(b))
		return false;
	for (int i = 0; i < n; i++)
		if (!same_column(a, b, i))
			return false;
	return true;
}

/* The rows of a and b side by side: 1 the same, 0, -1. */
static int
walk(struct db *db, sqlite3_stmt *a, struct db *made, sqlite3_stmt *b,
    bool part, struct err *e)
{
	int got, other;

	while ((got = db_step(db, a, e)) == 1) {
		do
			other = db_step(made, b, e);
		while (other == 1 && part && !same_row(a, b));
		if (other != 1 || !same_row(a, b))
			return other < 0 ? -1 : 0;
	}
	if (got < 0 || part)
		return got < 0 ? -1 : 1;
	other = db_step(made, b, e);
	return other < 0 ? -1 : other == 0;
}

int
mirror_same(struct db *db, struct db *made, const char **table,
    struct err *e)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		const struct table *t = &tables[i];
		sqlite3_stmt *a, *b;
		int got;

		*table = t->name;
		if (db_stmt(&a, db, t->rows, e) != 0 ||
		    db_stmt(&b, made, t->rows, e) != 0)
			return -1;
		got = walk(db, a, made, b, t->part, e);
		sqlite3_reset(a);
		sqlite3_reset(b);
		if (got != 1)
			return got;
	}
	return 1;
}
