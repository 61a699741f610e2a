/* genesis: what a ledger starts from, its limits, and bad ones. */
#include "check.h"
#include "damage.h"
#include "little.h"

static struct little l;
static struct genesis g, back;	/* large */
static struct buf made = BUF_INIT(2 * GENESIS_MAX);
static struct err e;

static bool
refused(void *arg, struct span note)
{
	(void)arg;
	return genesis_parse(&back, note, &e) == -1 && e.kind == ERR_BAD;
}

/* The note over g's text by the first node. */
static void
make(struct buf *out)
{
	struct buf text = BUF_INIT(2 * GENESIS_MAX);

	buf_reset(out);
	genesis_text(&text, &g);
	damage_sign(out, buf_span(&text), &l.node[0]);
	buf_free(&text);
}

/* Is what g says accepted?  Then back has it, until the next time. */
static bool
accepted(void)
{
	make(&made);
	if (genesis_parse(&back, buf_span(&made), &e) == 0)
		return true;
	CHECK(e.kind == ERR_BAD);
	return false;
}

static void
same(const struct genesis *a, const struct genesis *b)
{
	CHECK(span_eq(a->name, b->name) && span_eq(a->engine, b->engine));
	CHECK(a->time_ms == b->time_ms);
	CHECK(memcmp(a->nonce, b->nonce, sizeof(a->nonce)) == 0);
	CHECK(memcmp(&a->settings, &b->settings, sizeof(a->settings)) == 0);
	CHECK(a->nroles == b->nroles && a->nnodes == b->nnodes &&
	    a->nadmins == b->nadmins);
	for (size_t i = 0; i < a->nroles; i++)
		CHECK(span_eq(a->role[i].name, b->role[i].name) &&
		    a->role[i].perms == b->role[i].perms);
	for (size_t i = 0; i < a->nnodes; i++)
		CHECK(span_eq(a->node[i].name, b->node[i].name) &&
		    sign_pub_eq(&a->node[i].sign, &b->node[i].sign) &&
		    memcmp(&a->node[i].seal, &b->node[i].seal, 32) == 0);
	for (size_t i = 0; i < a->nadmins; i++) {
		const struct genesis_admin *x = &a->admin[i];
		const struct genesis_admin *y = &b->admin[i];

		CHECK(span_eq(x->handle, y->handle));
		CHECK(sign_pub_eq(&x->sign, &y->sign));
		CHECK(memcmp(&x->seal, &y->seal, 32) == 0);
		CHECK(x->has_email == y->has_email && (!x->has_email ||
		    hash_eq(&x->email, &y->email)));
		CHECK(x->has_profile == y->has_profile && (!x->has_profile ||
		    hash_eq(&x->profile, &y->profile)));
	}
}

static void
round_trip(void)
{
	struct damage d = { &l.node[0], refused, NULL, "" };
	struct buf text = BUF_INIT(GENESIS_MAX);
	struct note n;
	struct hash id;

	little_genesis(&g, &l);
	CHECK(genesis_parse(&back, buf_span(&l.genesis), &e) == 0);
	same(&g, &back);
	hash_bytes(&id, l.genesis.p, l.genesis.len);
	CHECK(hash_eq(&back.id, &id));
	genesis_text(&text, &back);
	CHECK(note_parse(&n, buf_span(&l.genesis), "genesis", &e) == 0);
	CHECK(span_eq(n.text, buf_span(&text)));
	/* Doctors, patients and nodes but the signer may be missing. */
	d.optional = "role node ";
	damage_text(&d, n.text);
	for (size_t i = 0; i < l.genesis.len; i++) {
		l.genesis.p[i] ^= (unsigned char)(1 << i % 8);
		CHECK(genesis_parse(&back, buf_span(&l.genesis), &e) == -1);
		l.genesis.p[i] ^= (unsigned char)(1 << i % 8);
	}
	buf_free(&text);
}

/* With PBFT there is a seat for every node. */
static void
engines(void)
{
	little_genesis(&g, &l);
	CHECK(!genesis_all_to_all(&g));
	g.engine = span_str("pbft");
	CHECK(genesis_all_to_all(&g));
	for (uint32_t seats = 4; seats <= 64; seats += 15) {
		g.settings.delegates = seats;
		CHECK(accepted() == (seats == 64));
	}
	CHECK(genesis_all_to_all(&back));
	g.engine = span_str("dbft");
	CHECK(accepted());
	g.engine = span_str("pbft ");
	CHECK(!accepted());
}

/* Each setting at its limits and beyond. */
static void
settings(void)
{
	static const struct {
		const char *key;
		uint32_t min, max;
	} limit[] = {
		{ "interval-ms", 0, 3600000 },
		{ "timeout-ms", 10, 3600000 },
		{ "block-txs", 1, 100000 },
		{ "block-bytes", 65536, 33554432 },
		{ "delegates", 4, 64 },
		{ "skew-ms", 1000, 3600000 }
	};
	struct settings s;

	settings_default(&s);
	CHECK(settings_check(&s, &e) == 0);
	for (size_t i = 0; i < 6; i++) {
		uint32_t *v, min = limit[i].min, max = limit[i].max;

		little_genesis(&g, &l);
		v = (uint32_t *)&g.settings + i;
		*v = min;
		CHECK(accepted() && settings_check(&g.settings, &e) == 0);
		*v = max;
		CHECK(accepted() && settings_check(&g.settings, &e) == 0);
		*v = max + 1;
		CHECK(!accepted() && strstr(e.msg, limit[i].key) != NULL);
		CHECK(settings_check(&g.settings, &e) == -1 &&
		    e.kind == ERR_USAGE);
		*v = min - 1;
		CHECK(!accepted() && strstr(e.msg, limit[i].key) != NULL);
		CHECK(settings_check(&g.settings, &e) == -1 &&
		    e.kind == ERR_USAGE && strstr(e.msg, limit[i].key));
	}
}

static void
edits(void)
{
	struct damage d = { &l.node[0], refused, NULL, "" };
	struct note n;

	CHECK(note_parse(&n, buf_span(&l.genesis), "genesis", &e) == 0);
	damage_edit(&d, n.text, "ehr.v1 genesis -", "ehr.v1 genesis 0");
	damage_edit(&d, n.text, "ehr.v1 genesis", "ehr.v1 card");
	damage_edit(&d, n.text, "08:00:00.000Z", "08:00:00.00Z");
	damage_edit(&d, n.text, "08:00:00.000Z", "24:00:00.000Z");
	damage_edit(&d, n.text, "nonce 6", "nonce ");
	damage_edit(&d, n.text, "nonce 6120", "nonce AB20");
	damage_edit(&d, n.text, "engine dbft", "engine raft");
	/* With seats for some only. */
	damage_edit(&d, n.text, "engine dbft", "engine pbft");
	damage_edit(&d, n.text, "interval-ms 1000", "interval-ms 01000");
	damage_edit(&d, n.text, "interval-ms 1000", "interval-ms +1000");
	damage_edit(&d, n.text, "interval-ms 1000", "interval-ms 1e3");
	damage_edit(&d, n.text, "interval-ms 1000",
	    "interval-ms 18446744073709552616");
	damage_edit(&d, n.text, "role doctor fill,library",
	    "role doctor library,fill");
	damage_edit(&d, n.text, "role doctor", "role Doctor");
	damage_edit(&d, n.text, "role doctor", "role doctor+");
	damage_edit(&d, n.text, "role doctor", "role zdoctor");
	damage_edit(&d, n.text, "role administrator manage-system,manage-users",
	    "role administrator manage-system");
	damage_edit(&d, n.text, "role administrator manage-system,manage-users",
	    "role administrator none");
	damage_edit(&d, n.text, "role administrator ", "role admin ");
	damage_edit(&d, n.text, "node hospital-a", "node hospital_a");
	damage_edit(&d, n.text, "node hospital-b", "node hospital-a+");
	damage_edit(&d, n.text, "node hospital-b", "node hospital-a");
	damage_edit(&d, n.text, "node hospital-a", "node hospital-e");
	damage_edit(&d, n.text, "ed25519:", "ed25519:A");
	damage_edit(&d, n.text, " age1", " age2");
	damage_edit(&d, n.text, "\nnode hospital-b", " x\nnode hospital-b");
	damage_edit(&d, n.text, "admin u", "admin v");
	damage_edit(&d, n.text, "admin u", "admin u0");
}

/* Is g's text, with more put in before a word of it or at its end, refused
 * with that message? */
static bool
refused_with(const char *before, struct span more, const char *msg)
{
	struct buf text = BUF_INIT(NOTE_MAX), note = BUF_INIT(NOTE_MAX);
	struct buf was = BUF_INIT(NOTE_MAX);
	size_t at;
	bool r;

	genesis_text(&was, &g);
	buf_addc(&was, '\0');
	at = was.len - 1;
	if (before != NULL)
		at = (size_t)(strstr((char *)was.p, before) - (char *)was.p);
	buf_add(&text, was.p, at);
	buf_add(&text, more.p, more.n);
	buf_add(&text, was.p + at, was.len - 1 - at);
	damage_sign(&note, buf_span(&text), &l.node[0]);
	r = refused(NULL, buf_span(&note)) && strstr(e.msg, msg) != NULL;
	buf_free(&text);
	buf_free(&note);
	buf_free(&was);
	return r;
}

static void
add_keys(struct buf *out, const struct identity *id)
{
	struct sign_pub sign;
	struct seal_pub seal;

	little_keys(&sign, &seal, id);
	sign_pub_add(out, &sign);
	buf_addc(out, ' ');
	seal_pub_add(out, &seal);
}

/* How many roles and nodes there may be; one node, one key. */
static void
counts(void)
{
	struct buf more = BUF_INIT(NOTE_MAX);

	little_genesis(&g, &l);
	g.nnodes = 0;
	CHECK(!accepted() && strstr(e.msg, "no node") != NULL);
	little_genesis(&g, &l);
	g.nadmins = 0;
	CHECK(!accepted() && strstr(e.msg, "no administrator") != NULL);
	little_genesis(&g, &l);
	g.node[3].sign = g.node[1].sign;
	CHECK(!accepted() && strstr(e.msg, "one key") != NULL);
	g.node[3].sign = g.node[0].sign;
	CHECK(!accepted() && strstr(e.msg, "one key") != NULL);

	little_genesis(&g, &l);
	for (size_t i = g.nroles; i <= GENESIS_ROLES_MAX; i++) {
		CHECK(!refused_with("node hospital-a", buf_span(&more), ""));
		buf_addf(&more, "role role-%02zu none\n", i);
	}
	CHECK(back.nroles == GENESIS_ROLES_MAX);
	CHECK(refused_with("node hospital-a", buf_span(&more), "too many"));
	buf_reset(&more);
	for (size_t i = g.nnodes; i <= GENESIS_NODES_MAX; i++) {
		struct identity id;
		char name[16];

		CHECK(!refused_with("admin u", buf_span(&more), ""));
		snprintf(name, sizeof(name), "node-%02zu", i);
		people_node(&id, name, name);
		buf_addf(&more, "node %s ", name);
		add_keys(&more, &id);
		buf_addc(&more, '\n');
		identity_wipe(&id);
	}
	CHECK(back.nnodes == GENESIS_NODES_MAX);
	CHECK(refused_with("admin u", buf_span(&more), "too many"));
	buf_free(&more);
}

static void
administrators(void)
{
	struct identity id[GENESIS_ADMINS_MAX + 1];
	struct buf more = BUF_INIT(NOTE_MAX);
	struct genesis_admin first;
	char who[] = "admin a";

	/* Sorted by handle: they are hashes, so sort them here. */
	little_genesis(&g, &l);
	for (size_t i = 0; i <= GENESIS_ADMINS_MAX; i++, who[6]++) {
		struct identity one;
		size_t at = i;

		people_user(&one, who);
		for (; at > 0 && strcmp(id[at - 1].name, one.name) > 0; at--)
			id[at] = id[at - 1];
		id[at] = one;
	}
	for (size_t i = 0; i < GENESIS_ADMINS_MAX; i++) {
		g.admin[i].handle = span_str(id[i].name);
		little_keys(&g.admin[i].sign, &g.admin[i].seal, &id[i]);
		g.admin[i].has_email = g.admin[i].has_profile = false;
	}
	g.nadmins = GENESIS_ADMINS_MAX;
	CHECK(accepted());
	same(&g, &back);
	buf_addf(&more, "admin %s ", id[GENESIS_ADMINS_MAX].name);
	add_keys(&more, &id[GENESIS_ADMINS_MAX]);
	buf_adds(&more, " none none\n");
	CHECK(refused_with(NULL, buf_span(&more), "too many"));
	buf_free(&more);

	/* In another order; one of them twice. */
	first = g.admin[0];
	g.admin[0] = g.admin[1];
	g.admin[1] = first;
	CHECK(!accepted() && strstr(e.msg, "not in order") != NULL);
	g.admin[0] = first;
	CHECK(!accepted() && strstr(e.msg, "not in order") != NULL);
	g.admin[1].handle = span_str(id[1].name);
	little_keys(&g.admin[1].sign, &g.admin[1].seal, &id[1]);
	CHECK(accepted());

	/* An address twice; twice no address. */
	g.nadmins = 2;
	g.admin[0].has_email = g.admin[1].has_email = true;
	little_object(&g.admin[0].email, "kun@example.org");
	little_object(&g.admin[1].email, "bill@example.org");
	CHECK(accepted());
	g.admin[1].email = g.admin[0].email;
	CHECK(!accepted() && strstr(e.msg, "twice") != NULL);
	/* A node's key. */
	little_genesis(&g, &l);
	identity_wipe(&id[GENESIS_ADMINS_MAX]);
	people_user(&id[GENESIS_ADMINS_MAX], "hospital-b");
	g.admin[0].handle = span_str(id[GENESIS_ADMINS_MAX].name);
	g.admin[0].sign = g.node[1].sign;
	CHECK(!accepted() && strstr(e.msg, "twice") != NULL);
	little_genesis(&g, &l);
	identity_wipe(&id[GENESIS_ADMINS_MAX]);
	people_user(&id[GENESIS_ADMINS_MAX], "hospital-a");
	g.admin[0].handle = span_str(id[GENESIS_ADMINS_MAX].name);
	g.admin[0].sign = g.node[0].sign;
	CHECK(!accepted() && strstr(e.msg, "twice") != NULL);
	/* The handle of another key. */
	little_genesis(&g, &l);
	g.admin[0].handle = span_str(l.kun.name);
	CHECK(!accepted() && strstr(e.msg, "malformed") != NULL);
	for (size_t i = 0; i <= GENESIS_ADMINS_MAX; i++)
		identity_wipe(&id[i]);
}

static void
names(void)
{
	static char many[LEDGER_NAME_MAX + 2];

	memset(many, 'x', LEDGER_NAME_MAX + 1);
	little_genesis(&g, &l);
	g.name = span_of(many, LEDGER_NAME_MAX);
	CHECK(accepted());
	g.name = span_of(many, LEDGER_NAME_MAX + 1);
	CHECK(!accepted());
	g.name = span_str("Gesundheit \xc3\x96sterreich");
	CHECK(accepted());
}

static void
signatures(void)
{
	static unsigned char many[GENESIS_MAX + 1];
	struct buf b = BUF_INIT(GENESIS_MAX);
	struct note n;

	CHECK(note_parse(&n, buf_span(&l.genesis), "genesis", &e) == 0);
	/* Any of its nodes, and nobody else. */
	damage_sign(&b, n.text, &l.node[3]);
	CHECK(genesis_parse(&back, buf_span(&b), &e) == 0);
	buf_reset(&b);
	damage_sign(&b, n.text, &l.ruth);
	CHECK(refused(NULL, buf_span(&b)));
	CHECK(strstr(e.msg, "none of its nodes") != NULL);
	buf_reset(&b);
	CHECK(note_sign(&b, n.text, span_str("hospital-a"), l.ruth.sign,
	    &e) == 0);
	CHECK(genesis_parse(&back, buf_span(&b), &e) == -1 &&
	    e.kind == ERR_NO);
	buf_reset(&b);
	damage_sign(&b, n.text, &l.node[0]);
	CHECK(note_sign_line(&b, n.text, span_str(l.node[1].name),
	    l.node[1].sign, &e) == 0);
	CHECK(refused(NULL, buf_span(&b)));
	CHECK(genesis_parse(&back, span_of(many, sizeof(many)), &e) == -1 &&
	    strstr(e.msg, "longer") != NULL);
	buf_free(&b);
}

int
main(void)
{
	little_open(&l);
	round_trip();
	engines();
	settings();
	edits();
	counts();
	administrators();
	names();
	signatures();
	buf_free(&made);
	little_close(&l);
	return check_done("genesis");
}
