/* known: addresses that cannot hurt, and the file of peers. */
#include "check.h"
#include "net/known.h"

static struct err e;
static struct known k;
static struct hash ledger;

static void
addresses(void)
{
	static const char *const good[] = { "b", "ehr@b.example.org",
	    "ssh://ehr@b.example.org:2222", "10.0.0.1", "a-b", "a--b", "a_b",
	    "/srv/ehr", "./B", "B" };
	static const char *const bad[] = { "", "-b", "-oProxyCommand=x",
	    "ehr@-b", "ssh://-b", "a b", "a;b", "a$b", "a'b", "a\"b", "a`b",
	    "a\nb", "a%b", "a=b", "[::1]", "~", "b\xc3\xa4", "a&b", "a.-b",
	    "a\\b", "a|b", "a*" };
	char long_one[KNOWN_ADDRESS_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(known_address_ok(span_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (known_address_ok(span_str(bad[i])))
			CHECK_STR(bad[i], "(refused)");
	CHECK(!known_address_ok(span_of("a\0b", 3)));
	memset(long_one, 'a', sizeof(long_one));
	CHECK(known_address_ok(span_of(long_one, KNOWN_ADDRESS_MAX)));
	CHECK(!known_address_ok(span_of(long_one, KNOWN_ADDRESS_MAX + 1)));
}

static bool
same(const char *text)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);
	bool yes;

	known_format(&out, &k, &ledger);
	yes = span_is(buf_span(&out), text);
	buf_free(&out);
	return yes;
}

#define HEAD "ehr.v1 peers " \
    "0000000000000000000000000000000000000000000000000000000000000000\n"
#define WHEN "2026-11-22T19:34:00.123Z"

static void
files(void)
{
	static const char *const good[] = {
		HEAD,
		HEAD "address a x\naddress b y\n",
		HEAD "address b y\nbad a " WHEN " was slow\n",
		HEAD "address b y\nbad a " WHEN " x\nbad b " WHEN " y\n"
	};
	static const char *const bad[] = {
		"", HEAD "\n", HEAD "address b y\naddress a x\n",
		HEAD "address a x\naddress a y\n", HEAD "address a\n",
		HEAD "address a -x\n", HEAD "address A x\n",
		HEAD "address u0123456789abcdef x\n", HEAD "address a x y\n",
		HEAD "bad a " WHEN "\n", HEAD "bad a " WHEN " \n",
		HEAD "bad a 2026 why\n", HEAD "bad a " WHEN " x\nbad a "
		WHEN " x\n", HEAD "bad b " WHEN " x\nbad a " WHEN " x\n",
		HEAD "bad a " WHEN " x\naddress b y\n", HEAD "good a\n",
		HEAD "address a x"
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK(known_parse(&k, span_str(good[i]), &ledger, &e) == 0);
		CHECK(same(good[i]));
	}
	CHECK(k.n == 2 && strcmp(k.p[0].name, "a") == 0 &&
	    k.p[0].address[0] == '\0' && strcmp(k.p[0].why, "x") == 0 &&
	    k.p[0].bad_ms == 1795376040123);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(known_parse(&k, span_str(bad[i]), &ledger, &e) == -1);
	ledger.b[0] = 1;
	CHECK(known_parse(&k, span_str(HEAD), &ledger, &e) == -1);
	ledger.b[0] = 0;
}

static void
answers(void)
{
	struct buf out = BUF_INIT(KNOWN_TEXT_MAX);

	CHECK(known_parse_answer(&k, span_str("a x\nb y\n"), &e) == 0 &&
	    k.n == 2 && strcmp(k.p[1].address, "y") == 0);
	known_format_answer(&out, &k);
	CHECK(span_is(buf_span(&out), "a x\nb y\n"));
	CHECK(known_parse_answer(&k, span_of(NULL, 0), &e) == 0 && k.n == 0);
	CHECK(known_parse_answer(&k, span_str("a x;reboot\n"), &e) == -1);
	CHECK(known_parse_answer(&k, span_str("b x\na y\n"), &e) == -1);
	CHECK(known_parse_answer(&k, span_str("a x"), &e) == -1);
	buf_free(&out);
}

/* No more than there is room for, whoever sends them. */
static void
many(void)
{
	struct buf lines = BUF_INIT(KNOWN_TEXT_MAX);
	char name[16];

	k.n = 0;
	for (int i = KNOWN_MAX - 1; i >= 0; i--) {
		snprintf(name, sizeof(name), "n%03d", i);
		CHECK(known_add(&k, span_str(name)) != NULL);
	}
	CHECK(known_add(&k, span_str("one-more")) == NULL);
	CHECK(known_add(&k, span_str("Not A Name")) == NULL);
	CHECK(k.n == KNOWN_MAX && strcmp(k.p[7].name, "n007") == 0);
	known_remove(&k, known_find(&k, span_str("n007")));
	known_remove(&k, known_find(&k, span_str("n127")));
	CHECK(k.n == KNOWN_MAX - 2 && strcmp(k.p[7].name, "n008") == 0 &&
	    known_find(&k, span_str("n007")) == NULL);
	for (int i = 0; i <= KNOWN_MAX; i++)
		buf_addf(&lines, "n%03d x\n", i);
	CHECK(known_parse_answer(&k, buf_span(&lines), &e) == -1);
	buf_free(&lines);
}

int
main(void)
{
	addresses();
	files();
	answers();
	many();
	return check_done("known");
}
