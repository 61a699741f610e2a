/* tx: each kind of transaction, written, read back, and spoiled. */
#include "check.h"
#include "base/stamp.h"
#include "damage.h"
#include "little.h"

static struct little l;
static struct err e;

static bool
refused(void *arg, struct span note)
{
	struct tx tx;

	(void)arg;
	if (tx_parse(&tx, note, &l.id, &e) == 0) {
		tx_free(&tx);
		return false;
	}
	return e.kind == ERR_BAD && tx.manifest.p == NULL;
}

/* Every member of a is that of b; each kind leaves those it lacks zero. */
static void
same(const struct tx *a, const struct tx *b)
{
	CHECK(a->kind == b->kind && a->time_ms == b->time_ms);
	CHECK(span_eq(a->author, b->author));
	CHECK(span_eq(a->user, b->user) && span_eq(a->role, b->role));
	CHECK(span_eq(a->node, b->node) && span_eq(a->reason, b->reason));
	CHECK(sign_pub_eq(&a->sign, &b->sign));
	CHECK(memcmp(&a->seal, &b->seal, sizeof(a->seal)) == 0);
	CHECK(a->perms == b->perms && a->generation == b->generation);
	CHECK(a->members == b->members);
	CHECK(hash_eq(&a->object, &b->object));
	CHECK(a->has_email == b->has_email && hash_eq(&a->email, &b->email));
	CHECK(a->has_profile == b->has_profile &&
	    hash_eq(&a->profile, &b->profile));
	CHECK(hash_eq(&a->record, &b->record));
	CHECK(hash_eq(&a->header, &b->header));
	CHECK(a->nreaders == b->nreaders);
	for (size_t i = 0; i < a->nreaders; i++)
		CHECK(span_eq(a->reader[i], b->reader[i]));
	CHECK(span_eq(buf_span(&a->manifest), buf_span(&b->manifest)));
}

/* Set to zero what a transaction of this kind does not say. */
static void
only_its_own(struct tx *want, const struct tx *all)
{
	enum tx_kind k = all->kind;
	bool user = k == TX_ENROLL || k == TX_REKEY || k == TX_ROLE_GRANT ||
	    k == TX_ROLE_REVOKE;
	bool role = k == TX_ENROLL || (k >= TX_ROLE_DEFINE && k <= TX_ROLE_KEY);
	bool header = k == TX_AUTHORIZE || k == TX_GRANT || k == TX_WITHDRAW;

	memset(want, 0, sizeof(*want));
	want->kind = k;
	want->time_ms = all->time_ms;
	want->author = all->author;
	if (user)
		want->user = all->user;
	if (role)
		want->role = all->role;
	if (k == TX_NODE_ADMIT || k == TX_NODE_REMOVE)
		want->node = all->node;
	if (k == TX_ENROLL || k == TX_REKEY || k == TX_NODE_ADMIT)
		want->sign = all->sign;
	if (k == TX_ENROLL || k == TX_REKEY || k == TX_NODE_ADMIT ||
	    k == TX_ROLE_KEY)
		want->seal = all->seal;
	if (k == TX_ROLE_DEFINE)
		want->perms = all->perms;
	if (k == TX_ROLE_KEY) {
		want->generation = all->generation;
		want->members = all->members;
		want->object = all->object;
	}
	if (k == TX_ENROLL) {
		want->has_email = all->has_email;
		want->email = all->email;
		want->has_profile = all->has_profile;
		want->profile = all->profile;
	}
	if (k >= TX_AUTHORIZE)
		want->record = all->record;
	if (header)
		want->header = all->header;
	if (k == TX_ERASE)
		want->reason = all->reason;
	if (header || k == TX_VOTE) {
		want->nreaders = all->nreaders;
		memcpy(want->reader, all->reader, sizeof(want->reader));
	}
	if (k == TX_AUTHORIZE)
		want->manifest = all->manifest;
}

/* A flipped bit in each byte is malformed, or does not verify. */
static void
flips(struct buf *note, const struct identity *author)
{
	struct sign_pub pub;
	struct tx tx;

	sign_public(&pub, author->sign);
	for (size_t i = 0; i < note->len; i++) {
		note->p[i] ^= (unsigned char)(1 << i % 8);
		if (tx_parse(&tx, buf_span(note), &l.id, &e) == 0) {
			CHECK(note_verify(&tx.note, 0, tx.author, &pub,
			    &e) == -1);
			tx_free(&tx);
		} else
			CHECK(e.kind == ERR_BAD);
		note->p[i] ^= (unsigned char)(1 << i % 8);
	}
}

static void
round_trip(enum tx_kind kind)
{
	struct buf note = BUF_INIT(TX_MAX), text = BUF_INIT(TX_MAX);
	struct tx tx, want, back;
	const struct identity *author = little_kind(&tx, &l, kind);
	struct damage d = { author, refused, NULL, "reader for " };
	struct sign_pub pub;
	struct hash id;

	little_sign(&note, &l, &tx, author);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	only_its_own(&want, &tx);
	same(&back, &want);
	hash_bytes(&id, note.p, note.len);
	CHECK(hash_eq(&back.id, &id));
	sign_public(&pub, author->sign);
	CHECK(note_verify(&back.note, 0, back.author, &pub, &e) == 0);
	tx_text(&text, &back, &l.id);
	CHECK(span_eq(buf_span(&text), back.note.text));
	if (kind == TX_AUTHORIZE) {
		CHECK(hash_eq(&back.staged.id, &back.record));
		CHECK(span_is(back.staged.author, l.kun.name));
		CHECK(span_is(back.staged.patient, l.bill.name));
	}
	damage_text(&d, back.note.text);
	tx_free(&back);
	flips(&note, author);
	buf_free(&note);
	buf_free(&text);
}

static void
kinds(void)
{
	static const char *const names[TX_KINDS] = {
		"enroll", "rekey", "role-define", "role-grant", "role-revoke",
		"role-key", "node-admit", "node-remove", "vote", "authorize",
		"reject", "grant", "withdraw", "access", "erase"
	};
	static const char *const said[TX_KINDS] = {
		"enroll doctor", "rekey", "role-define doctor",
		"role-grant doctor", "role-revoke doctor", "role-key doctor",
		"node-admit hospital-e", "node-remove hospital-e", "vote",
		"authorize laboratory", "reject", "grant", "withdraw",
		"access", "erase patient-request"
	};

	for (int k = 0; k < TX_KINDS; k++) {
		struct buf note = BUF_INIT(TX_MAX), b = BUF_INIT(200);
		struct tx tx;

		CHECK_STR(tx_kind_name((enum tx_kind)k), names[k]);
		CHECK(tx_kind_of(span_str(names[k])) == k);
		little_note(&note, &l, (enum tx_kind)k);
		CHECK(tx_parse(&tx, buf_span(&note), &l.id, &e) == 0);
		tx_describe(&b, &tx);
		CHECK(span_is(buf_span(&b), said[k]));
		tx_free(&tx);
		buf_free(&note);
		buf_free(&b);
	}
	CHECK(tx_kind_of(span_str("record")) == -1);
	CHECK(tx_kind_of(span_str("commit")) == -1);
	CHECK(tx_kind_of(span_str("")) == -1);
}

/* Is the text of one kind refused under the name of another? */
static void
wrong_kinds(void)
{
	for (int k = 0; k < TX_KINDS; k++)
		for (int as = 0; as < TX_KINDS; as++) {
			struct buf text = BUF_INIT(TX_MAX), other = text;
			struct tx tx;
			const struct identity *author;
			struct damage d = { NULL, refused, NULL, "" };

			/* These are written alike; only the word differs. */
			if (k == as || (k == TX_ROLE_GRANT &&
			    as == TX_ROLE_REVOKE) || (k == TX_ROLE_REVOKE &&
			    as == TX_ROLE_GRANT) || ((k == TX_GRANT ||
			    k == TX_WITHDRAW) && (as == TX_GRANT ||
			    as == TX_WITHDRAW)) || ((k == TX_REJECT ||
			    k == TX_ACCESS) && (as == TX_REJECT ||
			    as == TX_ACCESS)))
				continue;
			author = little_kind(&tx, &l, (enum tx_kind)k);
			tx.author = span_str(author->name);
			d.signer = author;
			tx_text(&text, &tx, &l.id);
			buf_addf(&other, "ehr.v1 %s",
			    tx_kind_name((enum tx_kind)as));
			buf_add(&other, text.p + 7 +
			    strlen(tx_kind_name((enum tx_kind)k)), text.len -
			    7 - strlen(tx_kind_name((enum tx_kind)k)));
			damage_try(&d, buf_span(&other), "another kind");
			buf_free(&text);
			buf_free(&other);
		}
}

/* Values that no transaction has. */
static void
bad_values(void)
{
	static const struct {
		enum tx_kind kind;
		const char *from, *to;
	} edit[] = {
		{ TX_ENROLL, "ehr.v1", "ehr.v2" },
		{ TX_ENROLL, "ehr.v1 enroll", "ehr.v1 record" },
		{ TX_ENROLL, "ehr.v1 enroll ", "ehr.v1 enroll -" },
		{ TX_ENROLL, ".000Z", ".0000Z" },
		{ TX_ENROLL, ".000Z", ".000+00:00" },
		{ TX_ENROLL, "author u", "author hospital-" },
		{ TX_ENROLL, "user u", "user hospital-" },
		{ TX_ENROLL, "role doctor", "role role:doctor" },
		{ TX_ENROLL, "sign ed25519:", "sign rsa:" },
		{ TX_ENROLL, "sign ed25519:", "sign " },
		{ TX_ENROLL, "seal age1", "seal AGE1" },
		{ TX_ENROLL, "email ", "email none " },
		{ TX_ENROLL, "email ", "email x" },
		{ TX_ENROLL, "profile none", "profile nobody" },
		{ TX_ENROLL, "profile none", "profile 00" },
		{ TX_REKEY, "user u", "user A" },
		{ TX_REKEY, "author u", "author A" },
		{ TX_ROLE_DEFINE, "fill,library", "library,fill" },
		{ TX_ROLE_DEFINE, "fill,library", "fill,fill" },
		{ TX_ROLE_DEFINE, "fill,library", "none" },
		{ TX_ROLE_DEFINE, "fill,library", "fill, library" },
		{ TX_ROLE_DEFINE, "fill,", "write," },
		{ TX_ROLE_KEY, "generation 1", "generation 0" },
		{ TX_ROLE_KEY, "generation 1", "generation 01" },
		{ TX_ROLE_KEY, "generation 1", "generation 4294967296" },
		{ TX_ROLE_KEY, "generation 1", "generation -1" },
		{ TX_ROLE_KEY, "members 2", "members 02" },
		{ TX_ROLE_KEY, "members 2", "members none" },
		{ TX_ROLE_KEY, "members 2", "members 9223372036854775808" },
		{ TX_ROLE_KEY, "object ", "object none" },
		{ TX_NODE_ADMIT, "node hospital-e", "node Hospital-e" },
		{ TX_NODE_REMOVE, "node hospital-e", "node u0123456789abcdef" },
		{ TX_VOTE, "author hospital-b", "author u0123456789abcdef" },
		{ TX_VOTE, "for hospital-c", "for hospital-a" },
		{ TX_VOTE, "for hospital-a", "for hospital-d" },
		{ TX_VOTE, "for hospital-a", "for role:doctor" },
		{ TX_AUTHORIZE, "reader role:doctor", "reader doctor" },
		{ TX_AUTHORIZE, "manifest\n", "manifest \n" },
		{ TX_AUTHORIZE, "manifest\n", "manifest 1\n" },
		{ TX_AUTHORIZE, "manifest\n", "" },
		{ TX_AUTHORIZE, " label laboratory", " label imaging" },
		{ TX_AUTHORIZE, " ehr.v1 record", "  ehr.v1 record" },
		{ TX_AUTHORIZE, "record ", "record 0" },
		{ TX_REJECT, "record ", "record none" },
		{ TX_GRANT, "reader role:doctor\n", "reader role:doctor\n"
		    "reader role:doctor\n" },
		{ TX_GRANT, "reader role:doctor\n", "reader role:zoo\n"
		    "reader role:doctor\n" },
		{ TX_GRANT, "reader role:doctor", "reader role:Doctor" },
		{ TX_GRANT, "reader role:doctor", "for role:doctor" },
		{ TX_ERASE, "patient-request", "because" },
		{ TX_ERASE, "patient-request", "" }
	};

	for (size_t i = 0; i < sizeof(edit) / sizeof(*edit); i++) {
		struct buf text = BUF_INIT(TX_MAX);
		struct damage d = { NULL, refused, NULL, "" };
		struct tx tx;

		d.signer = little_kind(&tx, &l, edit[i].kind);
		tx.author = span_str(d.signer->name);
		tx_text(&text, &tx, &l.id);
		damage_edit(&d, buf_span(&text), edit[i].from, edit[i].to);
		buf_free(&text);
	}
}

/* A manifest of another record, and of another ledger. */
static void
manifests(void)
{
	struct buf other = BUF_INIT(STAGED_MAX), note = BUF_INIT(TX_MAX);
	struct hash id = l.id;
	struct tx tx;

	little_kind(&tx, &l, TX_AUTHORIZE);
	little_manifest(&other, &l, &l.kun, l.anne.name);
	tx.manifest = other;
	little_sign(&note, &l, &tx, &l.bill);
	CHECK(refused(NULL, buf_span(&note)));
	CHECK(strstr(e.msg, "not the manifest's hash") != NULL);
	hash_bytes(&tx.record, other.p, other.len);
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.bill);
	CHECK(!refused(NULL, buf_span(&note)));	/* the rules refuse that */

	little_object(&l.id, "another ledger");
	buf_reset(&other);
	little_manifest(&other, &l, &l.kun, l.bill.name);
	l.id = id;
	tx.manifest = other;
	hash_bytes(&tx.record, other.p, other.len);
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.bill);
	CHECK(refused(NULL, buf_span(&note)));
	CHECK(strstr(e.msg, "another ledger") != NULL);

	/* One line too long for a manifest. */
	buf_free(&other);
	buf_init(&other, 2 * STAGED_MAX);
	for (int i = 0; i < STAGED_MAX / 8 + 1; i++)
		buf_adds(&other, "1234567\n");
	tx.manifest = other;
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.bill);
	CHECK(refused(NULL, buf_span(&note)));
	CHECK(strstr(e.msg, "longer") != NULL);
	buf_free(&other);
	buf_free(&note);
}

static void
signatures(void)
{
	static unsigned char many[TX_MAX + 1];
	struct buf note = BUF_INIT(TX_MAX), text = BUF_INIT(TX_MAX);
	struct hash other;
	struct tx tx, back;

	little_kind(&tx, &l, TX_ACCESS);
	tx.author = span_str(l.kun.name);
	tx_text(&text, &tx, &l.id);
	damage_sign(&note, buf_span(&text), &l.bill);
	CHECK(refused(NULL, buf_span(&note)));
	CHECK(strstr(e.msg, "author's signature") != NULL);
	buf_reset(&note);
	damage_sign(&note, buf_span(&text), &l.kun);
	CHECK(!refused(NULL, buf_span(&note)));
	little_object(&other, "another ledger");
	CHECK(tx_parse(&back, buf_span(&note), &other, &e) == -1 &&
	    e.kind == ERR_BAD && strstr(e.msg, "another ledger") != NULL);
	CHECK(note_sign_line(&note, buf_span(&text), span_str(l.bill.name),
	    l.bill.sign, &e) == 0);
	CHECK(refused(NULL, buf_span(&note)));
	CHECK(refused(NULL, span_of(many, sizeof(many))));
	CHECK(strstr(e.msg, "longer") != NULL);
	CHECK(refused(NULL, span_of(many, 0)));
	buf_free(&note);
	buf_free(&text);
}

/* Nodes vote, users do all else; both rekey. */
static void
authors(void)
{
	for (int k = 0; k < TX_KINDS; k++) {
		struct buf note = BUF_INIT(TX_MAX);
		struct tx tx;

		little_kind(&tx, &l, (enum tx_kind)k);
		little_sign(&note, &l, &tx, &l.node[0]);
		CHECK(refused(NULL, buf_span(&note)) ==
		    (k != TX_VOTE && k != TX_REKEY));
		buf_reset(&note);
		little_sign(&note, &l, &tx, &l.kun);
		CHECK(refused(NULL, buf_span(&note)) == (k == TX_VOTE));
		buf_free(&note);
	}
}

/* The ends of each range; "none" where it may stand. */
static void
values(void)
{
	struct buf note = BUF_INIT(TX_MAX);
	char name[TX_READERS_MAX + 1][20];
	struct tx tx, back;

	little_kind(&tx, &l, TX_ENROLL);
	tx.has_email = false;
	tx.has_profile = true;
	tx.time_ms = STAMP_MAX_MS;
	little_sign(&note, &l, &tx, &l.ruth);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	CHECK(!back.has_email && back.has_profile);
	CHECK(back.time_ms == STAMP_MAX_MS);

	little_kind(&tx, &l, TX_ROLE_KEY);
	tx.generation = UINT32_MAX;
	tx.members = INT64_MAX;
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.kun);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	CHECK(back.generation == UINT32_MAX && back.members == INT64_MAX);

	little_kind(&tx, &l, TX_REKEY);
	tx.user = span_str("hospital-b");
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.node[1]);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	CHECK(span_is(back.author, "hospital-b"));

	/* 64 votes, none, and 65. */
	for (tx.nreaders = 0; tx.nreaders < TX_VOTES_MAX; tx.nreaders++) {
		snprintf(name[tx.nreaders], 20, "node-%02zu", tx.nreaders);
		tx.reader[tx.nreaders] = span_str(name[tx.nreaders]);
	}
	tx.kind = TX_VOTE;
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.node[1]);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	CHECK(back.nreaders == TX_VOTES_MAX);
	tx.nreaders = 0;
	buf_reset(&note);
	little_sign(&note, &l, &tx, &l.node[1]);
	CHECK(tx_parse(&back, buf_span(&note), &l.id, &e) == 0);
	CHECK(back.nreaders == 0);
	buf_free(&note);
}

static void
too_many_readers(void)
{
	struct buf text = BUF_INIT(TX_MAX), more = text;
	struct damage d = { &l.bill, refused, NULL, "" };
	struct tx tx;

	little_kind(&tx, &l, TX_GRANT);
	tx.author = span_str(l.bill.name);
	tx.nreaders = 0;
	tx_text(&text, &tx, &l.id);
	buf_add(&more, text.p, text.len);
	for (int i = 0; i <= TX_READERS_MAX; i++)
		buf_addf(&more, "reader role:r%02d\n", i);
	damage_try(&d, buf_span(&more), "65 readers");
	CHECK(strstr(e.msg, "over 64 times") != NULL);
	buf_free(&text);
	buf_free(&more);
}

int
main(void)
{
	little_open(&l);
	for (int k = 0; k < TX_KINDS; k++)
		round_trip((enum tx_kind)k);
	kinds();
	wrong_kinds();
	bad_values();
	manifests();
	signatures();
	authors();
	values();
	too_many_readers();
	little_close(&l);
	return check_done("tx");
}
