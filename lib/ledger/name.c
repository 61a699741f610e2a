#include "ledger/name.h"

#include "base/hex.h"

static const char *const labels[] = {
	"consultation", "discharge", "document", "imaging", "immunization",
	"laboratory", "other", "pathology", "prescription", "procedure",
	"referral", "vital-signs", NULL
};

static const char *const erase_reasons[] = {
	"court-order", "entered-in-error", "patient-request",
	"retention-ended", NULL
};

void
name_handle(char out[HANDLE_LEN + 1], const struct sign_pub *pub)
{
	struct buf key = BUF_INIT(1024);
	struct span part[2];
	struct hash h;

	sign_pub_add(&key, pub);
	part[0] = span_str("ehr.v1 handle\n");
	part[1] = buf_span(&key);
	hash_spans(&h, part, 2);
	out[0] = 'u';
	hex_encode(out + 1, h.b, (HANDLE_LEN - 1) / 2);
	buf_free(&key);
}

bool
name_is_handle(struct span s)
{
	unsigned char raw[(HANDLE_LEN - 1) / 2];

	return s.n == HANDLE_LEN && s.p[0] == 'u' &&
	    hex_decode(raw, sizeof(raw), span_of(s.p + 1, s.n - 1)) == 0;
}

static bool
lower_or_digit(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
name_is_node(struct span s)
{
	if (s.n == 0 || s.n > NAME_MAX_LEN || !lower_or_digit(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!lower_or_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
			return false;
	return !name_is_handle(s);
}

bool
name_is_role(struct span s)
{
	return name_is_node(s);
}

bool
name_reader_role(struct span s, struct span *role)
{
	if (!span_starts(s, "role:"))
		return false;
	*role = span_of(s.p + 5, s.n - 5);
	return true;
}

bool
name_is_reader(struct span s)
{
	struct span role;

	if (name_reader_role(s, &role))
		return name_is_role(role);
	return name_is_handle(s);
}

static bool
in_list(const char *const *list, struct span s)
{
	for (; *list != NULL; list++)
		if (span_is(s, *list))
			return true;
	return false;
}

bool
name_is_label(struct span s)
{
	return in_list(labels, s);
}

const char *const *
name_labels(void)
{
	return labels;
}

bool
name_is_erase_reason(struct span s)
{
	return in_list(erase_reasons, s);
}

const char *const *
name_erase_reasons(void)
{
	return erase_reasons;
}

static bool
email_char(unsigned char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Characters that ok allows, in parts joined by single dots. */
static bool
dotted(struct span s, bool (*ok)(unsigned char), size_t part_max)
{
	size_t part = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.') {
			if (part == 0)
				return false;
			part = 0;
		} else if (!ok(s.p[i]) || ++part > part_max)
			return false;
	}
	return part > 0;
}

static bool
domain_char(unsigned char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-';
}

bool
name_is_email(struct span s)
{
	const unsigned char *at = s.n == 0 ? NULL : memchr(s.p, '@', s.n);
	struct span local, domain;

	if (at == NULL || s.n > 254)
		return false;
	local = span_of(s.p, (size_t)(at - s.p));
	domain = span_of(at + 1, s.n - local.n - 1);
	return local.n <= 64 && dotted(local, email_char, 64) &&
	    dotted(domain, domain_char, 63) &&
	    memchr(domain.p, '.', domain.n) != NULL;
}

int
name_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

void
name_email_digest(struct hash *out, const struct hash *secret,
    struct span email)
{
	unsigned char lower[254];
	struct span part;

	if (email.n > sizeof(lower))
		email.n = sizeof(lower); /* name_is_email refuses it */
	for (size_t i = 0; i < email.n; i++) {
		unsigned char c = email.p[i];

		lower[i] = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
	}
	part = span_of(lower, email.n);
	hash_hmac(out, span_of(secret->b, HASH_LEN), &part, 1);
	hash_wipe(lower, sizeof(lower));
}
