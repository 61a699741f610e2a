/* card: what a card says, and cards that say it wrongly. */
#include "check.h"
#include "damage.h"
#include "little.h"

static struct little l;
static struct err e;

/* Kun's card, or hospital-a's. */
static void
fill(struct card *c, enum card_kind kind)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->full_name = span_str("Kun M\xc3\xa9ndez");
	c->email = span_str("kun@example.org");
	if (kind == CARD_NODE)
		return;
	c->born = span_str("1971-04-30");
	c->phone = span_str("+27 21 555 0100");
	c->sex = span_str("female");
}

static void
make(struct buf *out, const struct card *c, const struct identity *id)
{
	CHECK(card_make(out, c, id, &e) == 0);
}

static bool
refused(void *arg, struct span note)
{
	struct card c;

	(void)arg;
	return card_parse(&c, note, false, &e) == -1 && e.kind == ERR_BAD;
}

/* Make, parse, compare each member; then damage it. */
static void
round_trip(enum card_kind kind, const struct identity *id)
{
	struct damage d = { id, refused, NULL, "full-name email born phone "
	    "sex " };
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c, back;
	struct sign_pub sign;
	struct seal_pub seal;
	struct note n;

	fill(&c, kind);
	make(&b, &c, id);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == 0);
	little_keys(&sign, &seal, id);
	CHECK(back.kind == kind);
	CHECK(span_is(back.name, id->name));
	CHECK(sign_pub_eq(&back.sign, &sign));
	CHECK(memcmp(&back.seal, &seal, sizeof(seal)) == 0);
	CHECK(span_eq(back.full_name, c.full_name));
	CHECK(span_eq(back.email, c.email));
	CHECK(span_eq(back.born, c.born));
	CHECK(span_eq(back.phone, c.phone));
	CHECK(span_eq(back.sex, c.sex));
	CHECK(note_parse(&n, buf_span(&b), "card", &e) == 0);
	damage_text(&d, n.text);
	/* A flipped bit is malformed, or does not verify. */
	for (size_t i = 0; i < b.len; i++) {
		b.p[i] ^= (unsigned char)(1 << i % 8);
		CHECK(card_parse(&back, buf_span(&b), false, &e) == -1 &&
		    (e.kind == ERR_BAD || e.kind == ERR_NO));
		b.p[i] ^= (unsigned char)(1 << i % 8);
	}
	buf_free(&b);
}

static void
bad_values(void)
{
	struct damage d = { &l.kun, refused, NULL, "" };
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c;
	struct note n;

	fill(&c, CARD_USER);
	make(&b, &c, &l.kun);
	CHECK(note_parse(&n, buf_span(&b), "card", &e) == 0);
	damage_edit(&d, n.text, "ehr.v1 card -", "ehr.v1 card none");
	damage_edit(&d, n.text, "ehr.v1 card", "ehr.v1 vote");
	damage_edit(&d, n.text, "kind user", "kind node");
	damage_edit(&d, n.text, "kind user", "kind patient");
	damage_edit(&d, n.text, "name u", "name v");
	damage_edit(&d, n.text, "sign ed25519:", "sign ed448:");
	damage_edit(&d, n.text, "sign ed25519:", "sign ed25519:A");
	damage_edit(&d, n.text, "=\n", "\n");
	damage_edit(&d, n.text, "seal age1", "seal age1q");
	damage_edit(&d, n.text, "kun@example.org", "kun@example");
	damage_edit(&d, n.text, "phone +27", "phone \x01");
	damage_edit(&d, n.text, "phone +27", "phone \xff");
	damage_edit(&d, n.text, "phone +27", "phone \xe2\x80\xae");
	damage_edit(&d, n.text, "sex female\n", "sex female\nweight 70\n");
	buf_free(&b);
}

/* Lengths at and past the limit of a particular, and of a card. */
static void
lengths(void)
{
	static char name[CARD_VALUE_MAX + 2];
	static unsigned char many[CARD_MAX + 1];
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c, back;

	memset(name, 'x', CARD_VALUE_MAX + 1);
	fill(&c, CARD_USER);
	c.full_name = span_of(name, CARD_VALUE_MAX);
	make(&b, &c, &l.kun);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == 0);
	CHECK(back.full_name.n == CARD_VALUE_MAX);
	buf_reset(&b);
	c.full_name = span_of(name, CARD_VALUE_MAX + 1);
	CHECK(card_make(&b, &c, &l.kun, &e) == -1 && e.kind == ERR_BAD);
	fill(&c, CARD_USER);
	c.email = span_str("not an address");
	CHECK(card_make(&b, &c, &l.kun, &e) == -1 && e.kind == ERR_BAD);
	CHECK(b.len == 0);
	CHECK(card_parse(&back, span_of(many, sizeof(many)), false, &e) == -1 &&
	    strstr(e.msg, "longer") != NULL);
	buf_free(&b);
}

/* Who signs, and under which name. */
static void
signatures(void)
{
	struct buf b = BUF_INIT(CARD_MAX), text = BUF_INIT(CARD_MAX);
	struct identity as;
	struct card c, back;
	struct note n;

	/* Another's signature under the right name. */
	fill(&c, CARD_USER);
	make(&b, &c, &l.kun);
	CHECK(note_parse(&n, buf_span(&b), "card", &e) == 0);
	buf_add(&text, n.text.p, n.text.n);
	buf_reset(&b);
	CHECK(note_sign(&b, buf_span(&text), span_str(l.kun.name), l.bill.sign,
	    &e) == 0);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == -1 &&
	    e.kind == ERR_NO);
	/* The right key under another name. */
	buf_reset(&b);
	CHECK(note_sign(&b, buf_span(&text), span_str(l.bill.name),
	    l.kun.sign, &e) == 0);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == -1);
	/* Two signatures. */
	buf_reset(&b);
	damage_sign(&b, buf_span(&text), &l.kun);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == 0);
	CHECK(note_sign_line(&b, buf_span(&text), span_str("witness"),
	    l.bill.sign, &e) == 0);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == -1 &&
	    e.kind == ERR_BAD);

	/* New keys under an old handle: only where that is asked for. */
	people_node(&as, l.kun.name, "somebody new");
	buf_reset(&b);
	make(&b, &c, &as);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == -1 &&
	    e.kind == ERR_BAD);
	CHECK(card_parse(&back, buf_span(&b), true, &e) == 0);
	identity_wipe(&as);
	people_node(&as, "kun", "somebody new");
	buf_reset(&b);
	CHECK(card_make(&b, &c, &as, &e) == -1 && e.kind == ERR_BAD);
	c.kind = CARD_NODE;
	make(&b, &c, &as);
	CHECK(card_parse(&back, buf_span(&b), false, &e) == 0);
	identity_wipe(&as);
	buf_free(&b);
	buf_free(&text);
}

static void
profiles(void)
{
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c, back;
	static const char *bad[] = {
		"", "ehr.v1 profile -\n", "ehr.v1 card -\nname hospital-a\n",
		"ehr.v1 profile -\nname Kun\n",
		"ehr.v1 profile -\nname hospital-a\nsex x\nborn y\n",
		"ehr.v1 profile -\nname hospital-a\nemail nobody\n",
		"ehr.v1 profile -\nname hospital-a\nfull-name a\nfull-name b\n",
		"ehr.v1 profile -\nname hospital-a\n\n",
		"ehr.v1 profile -\nname hospital-a"
	};

	fill(&c, CARD_USER);
	c.name = span_str(l.kun.name);
	card_profile(&b, &c);
	CHECK(card_profile_parse(&back, buf_span(&b), &e) == 0);
	CHECK(span_eq(back.name, c.name) && span_eq(back.email, c.email));
	CHECK(span_eq(back.full_name, c.full_name));
	CHECK(span_eq(back.born, c.born) && span_eq(back.phone, c.phone));
	CHECK(span_eq(back.sex, c.sex));
	buf_reset(&b);
	memset(&c, 0, sizeof(c));
	c.name = span_str("hospital-a");
	card_profile(&b, &c);
	CHECK(span_is(buf_span(&b), "ehr.v1 profile -\nname hospital-a\n"));
	CHECK(card_profile_parse(&back, buf_span(&b), &e) == 0);
	CHECK(back.full_name.n == 0 && back.sex.n == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(card_profile_parse(&back, span_str(bad[i]), &e) == -1 &&
		    e.kind == ERR_BAD);
	buf_free(&b);
}

int
main(void)
{
	little_open(&l);
	round_trip(CARD_USER, &l.kun);
	round_trip(CARD_NODE, &l.node[0]);
	bad_values();
	lengths();
	signatures();
	profiles();
	little_close(&l);
	return check_done("card");
}
