#include "dbft/msg.h"

#include "t/unit/check.h"

#define L "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define X "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct hash ledger, block;

static bool
reads(const char *text, struct dbft_msg *m)
{
	struct err e;

	return dbft_msg_parse(m, &ledger, span_str(text), &e) == 0;
}

/* The text is read as m, and m is written as the text. */
static void
both_ways(const char *text, const struct dbft_msg *want)
{
	struct buf out = BUF_INIT(DBFT_MSG_MAX);
	struct dbft_msg m;

	CHECK(reads(text, &m));
	CHECK(dbft_msg_eq(&m, want));
	dbft_msg_format(&out, &ledger, want);
	buf_addc(&out, '\0');
	CHECK_STR((const char *)out.p, text);
	buf_free(&out);
}

static void
known_texts(void)
{
	struct dbft_msg m = { DBFT_PREPARE, 42, 0, false, 0, block };

	both_ways("ehr.v1 prepare " L "\nheight 42\nview 0\nblock " X "\n", &m);
	m.kind = DBFT_COMMIT;
	m.height = DBFT_HEIGHT_MAX;
	m.view = DBFT_VIEW_MAX;
	both_ways("ehr.v1 commit " L
	    "\nheight 999999999\nview 999999\nblock " X "\n", &m);
	m = (struct dbft_msg){ DBFT_CHANGE, 7, 3, true, 2, block };
	both_ways("ehr.v1 change-view " L
	    "\nheight 7\nview 3\nprepared 2 " X "\n", &m);
	memset(&m.block, 0, sizeof(m.block));
	m.prepared = false;
	m.prepared_view = 0;
	both_ways("ehr.v1 change-view " L
	    "\nheight 7\nview 3\nprepared none\n", &m);
}

static void
refused(void)
{
	static const char *const bad[] = {
		"",
		"ehr.v1 prepare " L "\nheight 42\nview 0\nblock " X,
		"ehr.v1 prepare " L "\nheight 42\nview 0\nblock " X "\n\n",
		"ehr.v1 prepare " L "\nheight 42\nview 0\nblock " X "\nx y\n",
		"ehr.v1 prepare " L "\nheight 0\nview 0\nblock " X "\n",
		"ehr.v1 prepare " L "\nheight 042\nview 0\nblock " X "\n",
		"ehr.v1 prepare " L "\nheight 42\nview 00\nblock " X "\n",
		"ehr.v1 prepare " L "\nheight 1000000000\nview 0\nblock " X "\n",
		"ehr.v1 prepare " L "\nheight 42\nview 1000000\nblock " X "\n",
		"ehr.v1 prepare " L "\nview 0\nheight 42\nblock " X "\n",
		"ehr.v1 prepare " L "\nheight 42\nview 0\nprepared none\n",
		"ehr.v1 prepare  " L "\nheight 42\nview 0\nblock " X "\n",
		"ehr.v1 prepare " X "\nheight 42\nview 0\nblock " X "\n",
		"ehr.v1 Prepare " L "\nheight 42\nview 0\nblock " X "\n",
		"ehr.v1 enroll " L "\nheight 42\nview 0\nblock " X "\n",
		"ehr.v2 prepare " L "\nheight 42\nview 0\nblock " X "\n",
		"ehr.v1 commit " L "\nheight 42\nview 0\nblock " X "0\n",
		"ehr.v1 commit " L "\nheight 42\r\nview 0\nblock " X "\n",
		"ehr.v1 change-view " L "\nheight 7\nview 0\nprepared none\n",
		"ehr.v1 change-view " L "\nheight 7\nview 3\nblock " X "\n",
		"ehr.v1 change-view " L "\nheight 7\nview 3\nprepared\n",
		"ehr.v1 change-view " L "\nheight 7\nview 3\nprepared 2\n",
		"ehr.v1 change-view " L
		    "\nheight 7\nview 3\nprepared 3 " X "\n",
		"ehr.v1 change-view " L
		    "\nheight 7\nview 3\nprepared 02 " X "\n",
		"ehr.v1 change-view " L
		    "\nheight 7\nview 3\nprepared none " X "\n"
	};
	struct dbft_msg m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reads(bad[i], &m)) {
			printf("accepted: %s", bad[i]);
			CHECK(false);
		} else
			CHECK(true);
}

int
main(void)
{
	CHECK(hash_parse(&ledger, span_str(L)) == 0);
	CHECK(hash_parse(&block, span_str(X)) == 0);
	known_texts();
	refused();
	return check_done("dbft_msg");
}
