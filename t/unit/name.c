/* name, perm, head: what things are called, and the first line. */
#include "check.h"
#include "base/hex.h"
#include "ledger/head.h"
#include "ledger/name.h"
#include "ledger/perm.h"
#include "people.h"

static struct err e;

/* n times the byte c. */
static struct span
run_of(char c, size_t n)
{
	static char many[400];

	assert(n <= sizeof(many));
	memset(many, c, n);
	return span_of(many, n);
}

static void
handles(void)
{
	struct identity id;
	struct sign_pub pub;
	char handle[HANDLE_LEN + 1];

	people_user(&id, "Kun M");
	sign_public(&pub, id.sign);
	name_handle(handle, &pub);
	CHECK(strlen(handle) == HANDLE_LEN && handle[0] == 'u');
	CHECK(name_is_handle(span_str(handle)));
	CHECK(!name_is_node(span_str(handle)));
	CHECK(!name_is_role(span_str(handle)));
	identity_wipe(&id);
	people_user(&id, "Bill");
	CHECK(strcmp(handle, id.name) != 0);
	identity_wipe(&id);

	CHECK(name_is_handle(span_str("u0123456789abcdef")));
	CHECK(!name_is_handle(span_str("u0123456789abcdeF")));
	CHECK(!name_is_handle(span_str("u0123456789abcde")));
	CHECK(!name_is_handle(span_str("u0123456789abcdef0")));
	CHECK(!name_is_handle(span_str("v0123456789abcdef")));
	CHECK(!name_is_handle(span_str("u0123456789abcdeg")));
	CHECK(!name_is_handle(span_of(NULL, 0)));
}

static void
nodes(void)
{
	static const char *good[] = {
		"a", "0", "hospital-a", "st.mary-2", "u", "u0123456789abcde",
		"u0123456789abcdef0", "abcdefghijklmnopqrstuvwxyz012345"
	};
	static const char *bad[] = {
		"", "-a", ".a", "A", "hospital a", "hospital_a", "a\n",
		"h\xc3\xb6pital", "u0123456789abcdef", "a+b", "a/b",
		"abcdefghijklmnopqrstuvwxyz0123456"
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(name_is_node(span_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(!name_is_node(span_str(bad[i])));
		CHECK(!name_is_role(span_str(bad[i])));
	}
	CHECK(!name_is_node(span_of("a\0b", 3)));
}

static void
readers(void)
{
	struct span role;

	CHECK(name_is_reader(span_str("u0123456789abcdef")));
	CHECK(name_is_reader(span_str("role:doctor")));
	CHECK(!name_is_reader(span_str("role:")));
	CHECK(!name_is_reader(span_str("role:Doctor")));
	CHECK(!name_is_reader(span_str("role:u0123456789abcdef")));
	CHECK(!name_is_reader(span_str("doctor")));
	CHECK(name_reader_role(span_str("role:x"), &role) &&
	    span_is(role, "x"));
	CHECK(!name_reader_role(span_str("u0123456789abcdef"), &role));
}

/* A list is sorted, and exactly what it names is in it. */
static void
check_list(const char *const *list, bool (*is)(struct span), size_t n)
{
	size_t i;

	for (i = 0; list[i] != NULL; i++) {
		CHECK(is(span_str(list[i])));
		CHECK(!is(span_of(list[i], strlen(list[i]) - 1)));
		CHECK(i == 0 || strcmp(list[i - 1], list[i]) < 0);
	}
	CHECK(i == n);
	CHECK(!is(span_str("")));
	CHECK(!is(span_str("Laboratory")));
	CHECK(!is(span_str("laboratory ")));
}

static void
emails(void)
{
	static const char *good[] = {
		"kun@example.org", "Kun.M+x@Example.ORG", "a@b.c",
		"!#$%&'*+-/=?^_`{|}~@x-y.example", "AZaz09@AZ-az.09"
	};
	static const char *bad[] = {
		"", "kun", "@example.org", "kun@", "kun@org", ".kun@x.org",
		"kun.@x.org", "k..un@x.org", "kun@.x.org", "kun@x..org",
		"kun@x.org.", "kun m@x.org", "\"kun m\"@x.org", "k@x_y.org",
		"a@b@c.org", "k\xc3\xbcn@x.org", "kun@x.org\n", "kun@x,org"
	};
	struct buf b = BUF_INIT(400);

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(name_is_email(span_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!name_is_email(span_str(bad[i])));
	CHECK(!name_is_email(span_of("a\0b@x.org", 9)));

	/* Lengths: 64 before the @, 63 for a label, 254 together. */
	for (size_t n = 63; n <= 65; n++) {
		buf_reset(&b);
		buf_add(&b, run_of('x', n).p, n);
		buf_adds(&b, "@example.org");
		CHECK(name_is_email(buf_span(&b)) == (n <= 64));
		buf_reset(&b);
		buf_adds(&b, "x@");
		buf_add(&b, run_of('x', n).p, n);
		buf_adds(&b, ".org");
		CHECK(name_is_email(buf_span(&b)) == (n <= 63));
	}
	for (size_t n = 53; n <= 55; n++) {
		buf_reset(&b);
		buf_adds(&b, "xxxxxxx@");
		for (int i = 0; i < 3; i++) {
			buf_add(&b, run_of('y', 63).p, 63);
			buf_addc(&b, '.');
		}
		buf_add(&b, run_of('z', n).p, n);
		CHECK(b.len == 200 + n);
		CHECK(name_is_email(buf_span(&b)) == (b.len <= 254));
	}
	buf_free(&b);
}

static void
email_digests(void)
{
	struct hash secret, other, a, b;
	struct span part = span_str("kun.m@example.org");

	memset(&secret, 7, sizeof(secret));
	memset(&other, 8, sizeof(other));
	name_email_digest(&a, &secret, span_str("Kun.M@EXAMPLE.org"));
	hash_hmac(&b, span_of(secret.b, 32), &part, 1);
	CHECK(hash_eq(&a, &b));
	part = span_str("az@az[`{.za");
	name_email_digest(&a, &secret, span_str("AZ@az[`{.ZA"));
	hash_hmac(&b, span_of(secret.b, 32), &part, 1);
	CHECK(hash_eq(&a, &b));
	name_email_digest(&b, &other, part);
	CHECK(!hash_eq(&a, &b));
	/* name_is_email refuses such, but it must not overflow. */
	name_email_digest(&a, &secret, run_of('x', 400));
	name_email_digest(&b, &secret, run_of('x', 254));
	CHECK(hash_eq(&a, &b));
}

static void
order(void)
{
	CHECK(name_cmp(span_str("a"), span_str("b")) < 0);
	CHECK(name_cmp(span_str("b"), span_str("a")) > 0);
	CHECK(name_cmp(span_str("a"), span_str("a")) == 0);
	CHECK(name_cmp(span_str("a"), span_str("aa")) < 0);
	CHECK(name_cmp(span_str("aa"), span_str("a")) > 0);
	CHECK(name_cmp(span_of(NULL, 0), span_str("a")) < 0);
	CHECK(name_cmp(span_of(NULL, 0), span_of(NULL, 0)) == 0);
	CHECK(name_cmp(span_str("\x80"), span_str("a")) > 0);
}

static void
perms(void)
{
	static const char *bad[] = {
		"", ",", "fill,", ",fill", "fill,authorize", "fill,fill",
		"none,fill", "fill,none", "Fill", "fill, library", "all"
	};
	unsigned set;

	for (unsigned s = 0; s < 64; s++) {
		struct buf b = BUF_INIT(200);

		perm_add(&b, s);
		CHECK(perm_parse(&set, buf_span(&b)) == 0 && set == s);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(perm_parse(&set, span_str(bad[i])) == -1);
	CHECK(perm_parse(&set, span_str("authorize,fill,library,"
	    "manage-system,manage-users,view-own")) == 0 && set == 63);
	CHECK(perm_parse(&set, span_str("none")) == 0 && set == 0);
	CHECK_STR(perm_name(PERM_AUTHORIZE), "authorize");
	CHECK_STR(perm_name(PERM_FILL), "fill");
	CHECK_STR(perm_name(PERM_LIBRARY), "library");
	CHECK_STR(perm_name(PERM_SYSTEM), "manage-system");
	CHECK_STR(perm_name(PERM_USERS), "manage-users");
	CHECK_STR(perm_name(PERM_VIEW_OWN), "view-own");
	CHECK_STR(perm_name((enum perm)0), "none");
}

/* Is line refused as the head of a "vote" of ledger? */
static bool
refused(const char *line, const struct hash *ledger)
{
	struct text t;

	text_init(&t, span_str(line), "test");
	return head_expect(&t, "vote", ledger, &e) == -1 && e.kind == ERR_BAD;
}

static void
heads(void)
{
	static const char *bad[] = {
		"", "\n", "ehr.v1\n", "ehr.v1 vote\n", "ehr.v1 vote \n",
		"ehr.v2 vote -\n", "ehr.v1  vote -\n", "ehr.v1 vote  -\n",
		"ehr.v1 vote - \n", "ehr.v1 vote -", "ehr.v1 vote -\r\n",
		" ehr.v1 vote -\n", "ehr.v1 vote --\n", "ehr.v1 access -\n"
	};
	struct buf b = BUF_INIT(200);
	struct hash id, other;
	struct span kind;
	struct text t;

	memset(&id, 0xab, sizeof(id));
	memset(&other, 0xac, sizeof(other));
	head_add(&b, "vote", &id);
	buf_addc(&b, '\0');
	CHECK_STR((char *)b.p, "ehr.v1 vote abababababababababababababababab"
	    "abababababababababababababababab\n");
	CHECK(!refused((char *)b.p, &id));
	CHECK(refused((char *)b.p, &other));
	CHECK(refused((char *)b.p, NULL));
	b.p[20] = 'A';
	CHECK(refused((char *)b.p, &id));
	CHECK(!refused("ehr.v1 vote -\n", NULL));
	CHECK(refused("ehr.v1 vote -\n", &id));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(refused(bad[i], NULL));

	text_init(&t, span_str("ehr.v1 what -\nmore\n"), "test");
	CHECK(head_read(&t, &kind, NULL, &e) == 0 && span_is(kind, "what"));
	CHECK(span_is(head_kind(span_str("ehr.v1 vote -\nx")), "vote"));
	CHECK(span_is(head_kind(span_str("ehr.v1 vote\n")), "vote"));
	CHECK(head_kind(span_str("ehr.v1 vote -")).n == 0);
	CHECK(head_kind(span_str("ehr.v2 vote -\n")).n == 0);
	CHECK(head_kind(span_of(NULL, 0)).n == 0);
	buf_free(&b);
}

int
main(void)
{
	handles();
	nodes();
	readers();
	check_list(name_labels(), name_is_label, 12);
	check_list(name_erase_reasons(), name_is_erase_reason, 4);
	emails();
	email_digests();
	order();
	perms();
	heads();
	return check_done("name");
}
