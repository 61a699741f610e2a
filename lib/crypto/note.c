#include "crypto/note.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "crypto/checker.h"

static const char dash[] = "\xe2\x80\x94 ";	/* U+2014 and a blank */
#define DASH_LEN 4

static const char rsa_type[] = "\xff" "ehr.v1/rsa-pkcs1-sha256";

/* Does any of Unicode's spaces begin at p, of n bytes of valid UTF-8? */
static bool
space_at(const unsigned char *p, size_t n)
{
	if (p[0] == ' ')
		return true;
	if (n >= 2 && p[0] == 0xc2)
		return p[1] == 0xa0;	/* U+00A0; U+0085 is a control */
	if (n < 3)
		return false;
	if (p[0] == 0xe2 && p[1] == 0x80)	/* U+2000 to U+200A, U+202F */
		return p[2] <= 0x8a || p[2] == 0xaf;
	return memcmp(p, "\xe1\x9a\x80", 3) == 0 ||	/* U+1680 */
	    memcmp(p, "\xe2\x81\x9f", 3) == 0 ||	/* U+205F */
	    memcmp(p, "\xe3\x80\x80", 3) == 0;	/* U+3000 */
}

bool
note_name_ok(struct span s)
{
	if (s.n == 0 || s.n > NOTE_NAME_MAX || !utf8_line(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '+' || space_at(s.p + i, s.n - i))
			return false;
	return true;
}

struct span
note_key_type(const struct sign_pub *pub)
{
	return pub->alg == SIGN_RSA ? span_str(rsa_type) : span_str("\x01");
}

void
note_key_id_as(unsigned char id[4], struct span name, struct span type,
    const struct sign_pub *pub)
{
	struct span part[] = {
		name, span_str("\n"), type, span_of(pub->b, pub->n)
	};
	struct hash h;

	hash_spans(&h, part, 4);
	memcpy(id, h.b, 4);
}

void
note_key_id(unsigned char id[4], struct span name, const struct sign_pub *pub)
{
	note_key_id_as(id, name, note_key_type(pub), pub);
}

/* Where the text ends: just after its last newline before the last "\n\n". */
static const unsigned char *
find_end(struct span whole)
{
	for (size_t i = whole.n; i-- > 1;)
		if (whole.p[i] == '\n' && whole.p[i - 1] == '\n')
			return whole.p + i;
	return NULL;
}

static int
parse_sig(struct note_sig *s, struct span line, const char *what,
    struct err *e)
{
	const unsigned char *sp;
	struct span rest;

	if (!span_starts(line, dash))
		return err_set(e, ERR_BAD, "%s: malformed signature line",
		    what);
	rest = span_of(line.p + DASH_LEN, line.n - DASH_LEN - 1);
	sp = rest.n == 0 ? NULL : memchr(rest.p, ' ', rest.n);
	if (sp == NULL)
		return err_set(e, ERR_BAD, "%s: malformed signature line",
		    what);
	s->line = line;
	s->name = span_of(rest.p, (size_t)(sp - rest.p));
	s->base64 = span_of(sp + 1, rest.n - s->name.n - 1);
	if (!note_name_ok(s->name) || s->base64.n == 0 ||
	    s->base64.n > BASE64_LEN(SIGN_MAX + 4))
		return err_set(e, ERR_BAD, "%s: malformed signature line",
		    what);
	return 0;
}

/* The text: lines without control characters. */
static bool
text_ok(struct span text)
{
	while (text.n > 0) {
		const unsigned char *nl = memchr(text.p, '\n', text.n);
		size_t n;

		if (nl == NULL)
			return false;
		n = (size_t)(nl - text.p);
		if (!utf8_line(span_of(text.p, n)))
			return false;
		text = span_of(nl + 1, text.n - n - 1);
	}
	return true;
}

int
note_parse(struct note *n, struct span whole, const char *what, struct err *e)
{
	const unsigned char *end, *at;

	n->whole = whole;
	n->nsigs = 0;
	if (whole.n > NOTE_MAX)
		return err_set(e, ERR_BAD, "%s: longer than %u bytes", what,
		    NOTE_MAX);
	if (whole.n == 0 || whole.p[whole.n - 1] != '\n' ||
	    (end = find_end(whole)) == NULL)
		return err_set(e, ERR_BAD, "%s: not a signed note, or cut",
		    what);
	n->text = span_of(whole.p, (size_t)(end - whole.p));
	if (!text_ok(n->text))
		return err_set(e, ERR_BAD,
		    "%s: control or malformed characters", what);
	for (at = end + 1; at < whole.p + whole.n;) {
		const unsigned char *nl = memchr(at, '\n',
		    (size_t)(whole.p + whole.n - at));
		struct span line = span_of(at, (size_t)(nl - at) + 1);

		if (n->nsigs == NOTE_SIGS_MAX)
			return err_set(e, ERR_BAD, "%s: over %d signatures",
			    what, NOTE_SIGS_MAX);
		if (parse_sig(&n->sig[n->nsigs], line, what, e) != 0)
			return -1;
		n->nsigs++;
		at = nl + 1;
	}
	if (n->nsigs == 0)
		return err_set(e, ERR_BAD, "%s: no signature", what);
	return 0;
}

int
note_sig_raw(const struct note_sig *s, unsigned char id[4],
    unsigned char sig[SIGN_MAX], size_t *n)
{
	unsigned char raw[4 + SIGN_MAX];

	if (base64_decode(raw, sizeof(raw), n, s->base64, true) != 0 ||
	    *n <= 4)
		return -1;
	*n -= 4;
	memcpy(id, raw, 4);
	memcpy(sig, raw + 4, *n);
	return 0;
}

int
note_verify(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, struct err *e)
{
	return note_check(n, i, name, pub, NULL, e);
}

int
note_check(const struct note *n, size_t i, struct span name,
    const struct sign_pub *pub, struct checker *c, struct err *e)
{
	const struct note_sig *s = &n->sig[i];
	unsigned char sig[SIGN_MAX], id[4], want[4];
	size_t len;

	if (note_sig_raw(s, id, sig, &len) != 0)
		return err_set(e, ERR_BAD, "signature of %.*s: bad base64",
		    SPAN_FMT(s->name));
	note_key_id(want, name, pub);
	if (!span_eq(s->name, name) || memcmp(id, want, 4) != 0)
		return err_set(e, ERR_NO,
		    "signature of %.*s: made with another key than %.*s's",
		    SPAN_FMT(s->name), SPAN_FMT(name));
	if (!checker_verify(c, pub, n->text, span_of(sig, len)))
		return err_set(e, ERR_NO,
		    "signature of %.*s: does not verify", SPAN_FMT(s->name));
	return 0;
}

int
note_find(const struct note *n, struct span name)
{
	for (size_t i = 0; i < n->nsigs; i++)
		if (span_eq(n->sig[i].name, name))
			return (int)i;
	return -1;
}

void
note_add_sig(struct buf *out, struct span name, const unsigned char id[4],
    const unsigned char *sig, size_t n)
{
	unsigned char raw[4 + SIGN_MAX];

	memcpy(raw, id, 4);
	memcpy(raw + 4, sig, n);
	buf_adds(out, dash);
	buf_add(out, name.p, name.n);
	buf_addc(out, ' ');
	base64_add(out, raw, n + 4, true);
	buf_addc(out, '\n');
}

int
note_sign_line(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, struct err *e)
{
	unsigned char sig[SIGN_MAX], id[4];
	struct sign_pub pub;
	size_t n;

	sign_public(&pub, k);
	note_key_id(id, name, &pub);
	if (sign_make(sig, &n, k, text, e) != 0)
		return -1;
	note_add_sig(out, name, id, sig, n);
	return buf_check(out, "note", e);
}

int
note_sign(struct buf *out, struct span text, struct span name,
    const struct sign_key *k, struct err *e)
{
	if (text.n == 0 || text.p[text.n - 1] != '\n' || !text_ok(text))
		return err_set(e, ERR_BAD,
		    "text to sign: UTF-8 lines without control characters, "
		    "the last one ended by a newline, expected");
	buf_add(out, text.p, text.n);
	buf_addc(out, '\n');
	return note_sign_line(out, text, name, k, e);
}

void
note_fold(struct buf *out, struct span note)
{
	for (size_t i = 0; i + 1 < note.n; i++)
		buf_addc(out, note.p[i] == '\n' ? '\t' : note.p[i]);
}

void
note_unfold(struct buf *out, struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		buf_addc(out, line.p[i] == '\t' ? '\n' : line.p[i]);
	buf_addc(out, '\n');
}
