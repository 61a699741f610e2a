/* staged: the manifest of a record that waits for its patient. */
#include "check.h"
#include "damage.h"
#include "little.h"

static struct little l;
static struct err e;

static bool
refused(void *arg, struct span note)
{
	struct staged s;

	(void)arg;
	return staged_parse(&s, note, &l.id, &e) == -1 && e.kind == ERR_BAD;
}

static void
round_trip(void)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct hash id;
	struct staged s;

	CHECK(staged_parse(&s, buf_span(&l.manifest), &l.id, &e) == 0);
	hash_bytes(&id, l.manifest.p, l.manifest.len);
	CHECK(hash_eq(&s.id, &id));
	CHECK(s.time_ms == little_time(3600));
	CHECK(span_is(s.author, l.kun.name));
	CHECK(span_is(s.patient, l.bill.name));
	CHECK(span_is(s.label, "laboratory"));
	little_object(&id, "the sealed body");
	CHECK(hash_eq(&s.body, &id) && s.body_size == 4186);
	little_object(&id, "the first header");
	CHECK(hash_eq(&s.header, &id));
	CHECK(s.note.nsigs == 1);
	staged_text(&text, &s, &l.id);
	CHECK(span_eq(s.note.text, buf_span(&text)));
	buf_free(&text);
}

/* A flipped bit is malformed, or does not verify. */
static void
flips(void)
{
	struct buf b = BUF_INIT(STAGED_MAX);
	struct sign_pub pub;
	struct staged s;

	sign_public(&pub, l.kun.sign);
	buf_add(&b, l.manifest.p, l.manifest.len);
	for (size_t i = 0; i < b.len * 8; i++) {
		b.p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(staged_parse(&s, buf_span(&b), &l.id, &e) == -1 ||
		    note_verify(&s.note, 0, s.author, &pub, &e) == -1);
		b.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK(staged_parse(&s, buf_span(&b), &l.id, &e) == 0 &&
	    note_verify(&s.note, 0, s.author, &pub, &e) == 0);
	buf_free(&b);
}

static void
bad_values(struct span text)
{
	static const struct {
		const char *from, *to;
	} edit[] = {
		{ "ehr.v1 record", "ehr.v1 authorize" },
		{ "ehr.v1 record ", "ehr.v1 record -" },
		{ "ehr.v1", "ehr.v2" },
		{ "09:00:00.000Z", "09:00:00Z" },
		{ "09:00:00.000Z", "09:00:60.000Z" },
		{ "2026-03-02", "2026-02-29" },
		{ "author u", "author v" },
		{ "author u", "author role:u" },
		{ "patient u", "patient hospital-" },
		{ "label laboratory", "label Laboratory" },
		{ "label laboratory", "label angina" },
		{ " 4186", " 04186" },
		{ " 4186", " +4186" },
		{ " 4186", " 0x4186" },
		{ " 4186", " 1099511627777" },
		{ " 4186", "" },
		{ " 4186", " 4186 1" },
		{ "body ", "body A" },
		{ "header ", "header 0" },
		{ "header ", "header none\nheader " }
	};
	struct damage d = { &l.kun, refused, NULL, "" };
	struct buf from = BUF_INIT(100);

	for (size_t i = 0; i < sizeof(edit) / sizeof(*edit); i++)
		damage_edit(&d, text, edit[i].from, edit[i].to);
	d.signer = &l.bill;	/* as if he were the doctor */
	damage_try(&d, text, "another's signature");
	d.signer = &l.kun;
	damage_text(&d, text);
	/* A hospital is no author, though it signs. */
	buf_addf(&from, "author %s", l.kun.name);
	buf_addc(&from, '\0');
	d.signer = &l.node[0];
	damage_edit(&d, text, (char *)from.p, "author hospital-a");
	CHECK(strstr(e.msg, "not a handle") != NULL);
	buf_free(&from);
}

static void
more(struct span text)
{
	static unsigned char many[STAGED_MAX + 1];
	struct buf b = BUF_INIT(STAGED_MAX);
	struct hash other;
	struct staged s;

	/* The largest body; another ledger; two signatures; too long. */
	buf_add(&b, l.manifest.p, l.manifest.len);
	little_object(&other, "another ledger");
	CHECK(staged_parse(&s, buf_span(&b), &other, &e) == -1 &&
	    e.kind == ERR_BAD && strstr(e.msg, "another ledger") != NULL);
	CHECK(note_sign_line(&b, text, span_str(l.bill.name), l.bill.sign,
	    &e) == 0);
	CHECK(refused(NULL, buf_span(&b)));
	CHECK(staged_parse(&s, span_of(many, sizeof(many)), &l.id, &e) == -1 &&
	    strstr(e.msg, "longer") != NULL);
	CHECK(staged_parse(&s, span_of(many, 0), &l.id, &e) == -1);
	buf_free(&b);
}

/* Every label, and the sizes at both ends. */
static void
values(void)
{
	const char *const *label = name_labels();
	struct staged s, back;

	CHECK(staged_parse(&s, buf_span(&l.manifest), &l.id, &e) == 0);
	for (; *label != NULL; label++) {
		struct buf text = BUF_INIT(STAGED_MAX);
		struct buf note = BUF_INIT(STAGED_MAX);

		s.label = span_str(*label);
		s.body_size = label[1] == NULL ? 0 : STAGED_BODY_MAX;
		staged_text(&text, &s, &l.id);
		damage_sign(&note, buf_span(&text), &l.kun);
		CHECK(staged_parse(&back, buf_span(&note), &l.id, &e) == 0);
		CHECK(span_is(back.label, *label));
		CHECK(back.body_size == s.body_size);
		buf_free(&text);
		buf_free(&note);
	}
}

int
main(void)
{
	struct note n;

	little_open(&l);
	CHECK(note_parse(&n, buf_span(&l.manifest), "record", &e) == 0);
	round_trip();
	flips();
	bad_values(n.text);
	more(n.text);
	values();
	little_close(&l);
	return check_done("staged");
}
