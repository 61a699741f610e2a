/*
 * pinned: the hashes of one little ledger, so that no format drifts unseen.
 *
 * What is here is on disks and signed.  Where one of these differs, every
 * ledger that exists has become unreadable: find out why before you change it.
 */
#include <stdio.h>

#include "check.h"
#include "base/hex.h"
#include "little.h"

static struct little l;
static struct err e;

static void
pin(struct span bytes, const char *want)
{
	char hex[HASH_HEX];
	struct hash h;

	hash_bytes(&h, bytes.p, bytes.n);
	hash_format(hex, &h);
	CHECK_STR(hex, want);
}

static void
pin_hash(const struct hash *h, const char *want)
{
	char hex[HASH_HEX];

	hash_format(hex, h);
	CHECK_STR(hex, want);
}

static void
pin_text(struct buf *b, const char *want)
{
	buf_addc(b, '\0');
	CHECK_STR((char *)b->p, want);
	buf_free(b);
}

static void
keys(void)
{
	struct buf b = BUF_INIT(IDENTITY_FILE_MAX);
	struct sign_pub sign;
	struct seal_pub seal;
	unsigned char id[4];
	char hex[9];

	CHECK_STR(l.kun.name, "ued6ead54ec65606e");
	people_file(&b, l.kun.name, "Kun M");
	pin(buf_span(&b),
	    "fce92d6cdffb4ce07b9afe45e34f93b4daa6fd2e0e9634f0d3a74bfafd6eb670");
	buf_free(&b);
	little_keys(&sign, &seal, &l.kun);
	sign_pub_add(&b, &sign);
	pin_text(&b, "ed25519:rRF64zvr/M/C22BOLLb4C8QYNSAcY0pvnzRexbj4x5w=");
	seal_pub_add(&b, &seal);
	pin_text(&b, "age1v9lpsj8cm3amvhv9j8rls288t72vjh4y8k65kygm7hswt34mt4kq"
	    "aj79w0");
	seal_secret_add(&b, &l.kun.seal[0]);
	pin(buf_span(&b),
	    "3622f1f357db39f1312be4099e17bae460fd9b5304c3f2b1d5ae2aa5a54a74cb");
	buf_free(&b);
	note_key_id(id, span_str(l.kun.name), &sign);
	hex_encode(hex, id, 4);
	CHECK_STR(hex, "613a84ee");
}

/* The text of a file of t/vectors. */
static void
read_vector(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "r");

	CHECK(f != NULL);
	if (f == NULL)
		return;
	out->len += fread(buf_room(out, 4000), 1, 4000, f);
	fclose(f);
}

static void
rsa_note(void)
{
	struct buf pem = BUF_INIT(8000), note = BUF_INIT(NOTE_MAX);
	struct sign_key *sign = NULL;
	struct seal_secret seal;
	struct sign_pub pub;
	unsigned char id[4];
	bool has_seal;
	char hex[9];

	read_vector(&pem, "t/vectors/rsa3072.pem");
	CHECK(key_pem_read(&sign, &seal, &has_seal, buf_span(&pem),
	    span_of(NULL, 0), &e) == 0);
	if (sign == NULL)
		return;
	sign_public(&pub, sign);
	note_key_id(id, span_str("hospital-a"), &pub);
	hex_encode(hex, id, 4);
	CHECK_STR(hex, "667e9167");
	CHECK(note_sign(&note, span_str("a text\n"), span_str("hospital-a"),
	    sign, &e) == 0);
	pin(buf_span(&note),
	    "c96ebfc4765179e1bef9536874a99318e91899551d3d40d2d545e1c46f54f586");
	sign_free(sign);
	buf_free(&pem);
	buf_free(&note);
}

static void
card(void)
{
	struct buf b = BUF_INIT(CARD_MAX);
	struct card c = { .kind = CARD_USER };

	c.full_name = span_str("Kun M");
	c.email = span_str("kun@example.org");
	c.born = span_str("1971-04-30");
	c.phone = span_str("+27 21 555 0100");
	c.sex = span_str("female");
	CHECK(card_make(&b, &c, &l.kun, &e) == 0);
	pin(buf_span(&b),
	    "b292e30ce4c99a954e9e72a414686d09860422d744c8d5e3959e1edaa8879906");
	buf_reset(&b);
	c.name = span_str(l.kun.name);
	card_profile(&b, &c);
	pin(buf_span(&b),
	    "39a628f01181bf38c362d438ad644cc416b53fb51eda679894ebb7c596c009b1");
	buf_reset(&b);
	memset(&c, 0, sizeof(c));
	c.kind = CARD_NODE;
	CHECK(card_make(&b, &c, &l.node[0], &e) == 0);
	pin(buf_span(&b),
	    "7e62cde19fa5a717604f812ddcd4517afa5a37a00551c8394ba799dbf9e73424");
	buf_free(&b);
}

static const char *const tx_ids[TX_KINDS] = {
	[TX_ENROLL] =
	    "c8bf8f754e68390df5e1fa049b751cf367195153e9ebd7b91914e67fdeb35c69",
	[TX_REKEY] =
	    "2c25fe30624b72705eac0ba97a88dc6c12e0f81d8390cf1781743300ebbaa877",
	[TX_ROLE_DEFINE] =
	    "57eb8ef0903860ef88138c73a4f27c2e6df6bfdc84275a0e3f63996912e93d68",
	[TX_ROLE_GRANT] =
	    "86c7b91215e4362ce19c26558e4c671adb969648eac1335562e4e11f823b107b",
	[TX_ROLE_REVOKE] =
	    "c332028c9c77b414ac7c88b76814590c58b68aefbc10b3a01ab2369fca9df689",
	[TX_ROLE_KEY] =
	    "63efa366e9467343fe1566cc592c2fee7ffa50caa8bbf27462941ef081763aa9",
	[TX_NODE_ADMIT] =
	    "374a53b68ccd611a5e5b579f2ada31bf68808b745acc2c7885cd357b7ef4475c",
	[TX_NODE_REMOVE] =
	    "9a2efbbf1f0daa74faf597d7ab1f47c15d010018696029085d2a2e4de813e95f",
	[TX_VOTE] =
	    "e2518c4aa58ddc73284a106e1e06c49b3b322eb533847bbe339c09ce653cb636",
	[TX_AUTHORIZE] =
	    "c9ddea2f7bab3a0de4ffac213889359f76039da16dbffff3febf8e07352d775a",
	[TX_REJECT] =
	    "ccef6c26694321885aef58b8f1a1d21333699a0f0a57e1e357cba8ecef4b9afa",
	[TX_GRANT] =
	    "9858307a57e0ced0d72002a0d77b7b64941f0e0d54d4828f3611a752ca3f08bb",
	[TX_WITHDRAW] =
	    "d765f631c8d513d3316aaa532d9f708f91f7aa981d5ddca58598a1f169da174b",
	[TX_ACCESS] =
	    "d8d7b272513ed29b3dbb355446a70299fa33e7ca215bac2af0e0b42462067389",
	[TX_ERASE] =
	    "5ece7bf6d3c333ecd9314fc795c6472a483429082bc92187e9e13f5e18b7ccb4",
};

/* One block of one transaction of each kind. */
static void
block(void)
{
	struct buf body = BUF_INIT(BLOCK_CONTENT_MAX), header = body;
	struct buf cert = body, content = body, file = body;
	struct block_header h;
	struct hash digest;

	for (int k = 0; k < TX_KINDS; k++) {
		struct buf note = BUF_INIT(TX_MAX);

		little_note(&note, &l, (enum tx_kind)k);
		pin(buf_span(&note), tx_ids[k]);
		block_add_tx(&body, buf_span(&note));
		buf_free(&note);
	}
	little_block(&header, &h, &l, buf_span(&body));
	pin_hash(&h.id,
	    "f822c30e2a467e4c8a5b47a4ec6a388b65d480f146dad34fcab333a0c9ec2282");
	pin_hash(&h.root,
	    "bd90738bd3df14bb5f47954b47b2dce341eb473b0ebb62b537078d46e01ec5ce");
	delegates_digest(&digest, &l.delegates);
	pin_hash(&digest,
	    "49e33684d6b2d102e933e358f226aa3461aab165a54a9f8ec43cb683f2c5326a");
	little_certificate(&cert, &l, 1, 0, &h.id, 0x7);
	pin(buf_span(&cert),
	    "c54bcaa546663e6cfd6b5c28c7dd672de89234a438bd501cec566355725b2cbc");
	block_join(&content, buf_span(&header), span_of(NULL, 0),
	    buf_span(&body));
	pin(buf_span(&content),
	    "5d9e5234abea8faf10f80ed07a019d3987a6469a8f62cf0b2aa180590d74a3a7");
	block_join(&file, buf_span(&header), buf_span(&cert),
	    buf_span(&body));
	pin(buf_span(&file),
	    "7994550a9abd7d90776e2d41308a9f3c3318daf2b92e805e4ee7b0a03eccc9aa");
	buf_free(&body);
	buf_free(&header);
	buf_free(&cert);
	buf_free(&content);
	buf_free(&file);
}

int
main(void)
{
	struct hash email;

	little_open(&l);
	keys();
	rsa_note();
	card();
	pin_hash(&l.id,
	    "2a4ef91937c2b58a033af9a8b4e83ff3c7a982a265354f3773a80e65e600ea3f");
	pin(buf_span(&l.manifest),
	    "e08b363c19ff45712526c8b2120e37c9c725a361350729b8e82e70603199c9f3");
	name_email_digest(&email, &l.secret, span_str("kun@example.org"));
	pin_hash(&email,
	    "9df9c246b4526d70f10f07ceba753a3f38cdde8e6ae735e5ed4551ed9ec11ce4");
	block();
	little_close(&l);
	return check_done("pinned");
}
