/*
 * openssl_note: the recipes of ehr-note(5), run as they stand there: stock
 * openssl verifies our notes, and signs notes that we accept.
 */
#define _GNU_SOURCE	/* what scratch.h needs */
#include <stdio.h>

#include "check.h"
#include "page.h"
#include "scratch.h"

static struct err e;
static char page[200000];

static void
get(struct buf *out, const char *name)
{
	out->len = page_read((char *)buf_room(out, 100000), 100000, name);
}

/* Run the recipe of that name and kind in the folder; its exit status. */
static int
run(const char *recipe, const char *kind)
{
	char name[100], script[4000];

	snprintf(name, sizeof(name), ".\\\" recipe %s%s\n", recipe, kind);
	CHECK(page_block(script, sizeof(script), page, name) > 0);
	scratch_text("script", script);
	return system("sh -eu script >out 2>&1");
}

static void
their_verdict(const struct sign_pub *pub, const char *kind, struct span note,
    bool good)
{
	struct buf key = BUF_INIT(1000);

	sign_pub_add(&key, pub);
	buf_addc(&key, '\0');
	setenv("KEY", (char *)key.p, 1);
	setenv("NAME", "hospital-a", 1);
	scratch_write("note", note.p, note.n);
	CHECK(run("public-", kind) == 0);
	CHECK(run("split", "") == 0);
	CHECK(run("id-", kind) == 0);
	CHECK((run("verify-", kind) == 0) == good);
	buf_free(&key);
}

static void
both_ways(const char *kind, const struct identity *id)
{
	static const char text[] = "ehr.v1 minutes -\nfirst\n\nlast "
	    "\xe2\x82\xac\n";
	struct buf note = BUF_INIT(100000), file = note;
	struct sign_pub pub;
	struct note n;

	/* We sign, openssl verifies; also among other signatures. */
	sign_public(&pub, id->sign);
	CHECK(identity_sign(&note, span_str(text), id, &e) == 0);
	their_verdict(&pub, kind, buf_span(&note), true);
	CHECK(note_sign_line(&note, span_str(text), span_str("hospital-ab"),
	    id->sign, &e) == 0);
	their_verdict(&pub, kind, buf_span(&note), true);
	note.p[8] ^= 1;
	their_verdict(&pub, kind, buf_span(&note), false);

	/* openssl signs, we verify. */
	CHECK(identity_format(&file, id, span_of(NULL, 0), &e) == 0);
	scratch_write("my.key", file.p, file.len);
	scratch_text("text", text);
	CHECK(run("sign-", kind) == 0);
	buf_reset(&note);
	get(&note, "note");
	CHECK(note_parse(&n, buf_span(&note), "note", &e) == 0);
	CHECK(span_is(n.text, text) && n.nsigs == 1);
	CHECK(note_verify(&n, 0, span_str("hospital-a"), &pub, &e) == 0);
	/* It is the very note that we make. */
	buf_reset(&file);
	CHECK(identity_sign(&file, span_str(text), id, &e) == 0);
	CHECK(span_eq(buf_span(&file), buf_span(&note)));
	buf_wipe(&file);
	buf_free(&note);
}

int
main(void)
{
	struct identity id, rsa = { .name = "hospital-a", .nseals = 1 };
	bool has_seal;
	struct seal_secret seal;
	struct buf pem = BUF_INIT(100000);

	if (system("openssl version >/dev/null 2>&1") != 0) {
		printf("skip openssl_note: no openssl\n");
		return 0;
	}
	CHECK(page_read(page, sizeof(page), "share/man/man5/ehr-note.5") > 0);
	get(&pem, "t/vectors/rsa3072.pem");
	scratch_open();
	people_node(&id, "hospital-a", "hospital-a");
	both_ways("ed25519", &id);
	CHECK(key_pem_read(&rsa.sign, &seal, &has_seal, buf_span(&pem),
	    span_of(NULL, 0), &e) == 0);
	rsa.seal[0] = id.seal[0];
	both_ways("rsa", &rsa);
	scratch_close();
	identity_wipe(&id);
	identity_wipe(&rsa);
	buf_free(&pem);
	return check_done("openssl_note");
}
