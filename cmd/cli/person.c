#include "cli/person.h"

#include <stdio.h>

#include "base/stamp.h"
#include "base/text.h"
#include "base/utf8.h"
#include "ledger/name.h"

/* Administrative gender, the words of FHIR. */
static const char *const sexes[] = { "female", "male", "other", "unknown" };

/* One line of text that a card can hold. */
static int
check_text(const char *option, struct span s, struct err *e)
{
	if (s.n == 0)
		return err_set(e, ERR_USAGE, "%s is empty", option);
	if (s.n > CARD_VALUE_MAX)
		return err_set(e, ERR_USAGE, "%s is over %d bytes", option,
		    CARD_VALUE_MAX);
	if (!utf8_line(s) || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return err_set(e, ERR_USAGE, "%s: one line of UTF-8 without "
		    "blanks around it is expected", option);
	return 0;
}

/*
 * stamp.h knows dates from 1970 on; a Gregorian date has the same twin 400
 * years later, up to 9999.
 */
static bool
is_date(struct span s)
{
	char twin[STAMP_LEN + 1];
	uint64_t year;
	int64_t ms;

	if (s.n != 10 || text_parse_u64(&year, span_of(s.p, 4), 9999) != 0 ||
	    year < 1800)
		return false;
	if (year < 1970)
		year += 400;
	snprintf(twin, sizeof(twin), "%04u%.6sT00:00:00.000Z",
	    (unsigned)year, (const char *)s.p + 4);
	return stamp_parse(&ms, span_str(twin)) == 0;
}

static bool
is_phone(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else if (strchr("+ -./()", s.p[i]) == NULL)
			return false;
	}
	return digits >= 3 && s.n <= 40;
}

static bool
is_sex(struct span s)
{
	for (size_t i = 0; i < sizeof(sexes) / sizeof(sexes[0]); i++)
		if (span_is(s, sexes[i]))
			return true;
	return false;
}

static int
check_form(const struct card *card, struct err *e)
{
	if (card->email.n > 0 && !name_is_email(card->email))
		return err_set(e, ERR_USAGE, "\"%.*s\" is not an e-mail "
		    "address", SPAN_FMT(card->email));
	if (card->born.n > 0 && !is_date(card->born))
		return err_set(e, ERR_USAGE, "--born takes a date, "
		    "YYYY-MM-DD, not \"%.*s\"", SPAN_FMT(card->born));
	if (card->phone.n > 0 && !is_phone(card->phone))
		return err_set(e, ERR_USAGE, "\"%.*s\" is not a telephone "
		    "number", SPAN_FMT(card->phone));
	if (card->sex.n > 0 && !is_sex(card->sex))
		return err_set(e, ERR_USAGE, "--sex takes female, male, other "
		    "or unknown, not \"%.*s\"", SPAN_FMT(card->sex));
	return 0;
}

int
person_card(struct card *card, const struct person *p, struct err *e)
{
	const struct {
		const char *option, *value;
		struct span *to;
	} field[] = {
		{ "-n", p->name, &card->full_name },
		{ "-e", p->email, &card->email },
		{ "--born", p->born, &card->born },
		{ "--phone", p->phone, &card->phone },
		{ "--sex", p->sex, &card->sex }
	};

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		*field[i].to = span_of(NULL, 0);
		if (field[i].value == NULL)
			continue;
		*field[i].to = span_str(field[i].value);
		if (check_text(field[i].option, *field[i].to, e) != 0)
			return -1;
	}
	if (card->kind == CARD_NODE) {
		if (card->born.n > 0 || card->sex.n > 0)
			return err_set(e, ERR_USAGE, "a node has neither a "
			    "birth date nor a sex");
		/* It signs with its name; that is not a particular. */
		card->full_name = span_of(NULL, 0);
	}
	return check_form(card, e);
}
