/* fields: whatever comes in, short lines of UTF-8 come out. */
#include "said.h"
#include "base/utf8.h"

static struct fields f;

static const char *
one(const char *raw, enum fields_text text)
{
	f.n = 0;
	fields_add(&f, FIELD_CODE, span_str(raw), text);
	return said(&f);
}

static const char *
day(const char *raw)
{
	f.n = 0;
	fields_add_day(&f, FIELD_DATE, span_str(raw));
	return said(&f);
}

static void
cleaned(void)
{
	CHECK_STR(one("Penicillin", FIELDS_UTF8), "code: Penicillin\n");
	CHECK_STR(one(" \t two\r\n  words ", FIELDS_UTF8),
	    "code: two words\n");
	CHECK_STR(one("", FIELDS_UTF8), "");
	CHECK_STR(one(" \n ", FIELDS_UTF8), "");
	CHECK_STR(one("bell\a", FIELDS_UTF8), "");
	CHECK_STR(one("esc\033[2J", FIELDS_UTF8), "");
	CHECK_STR(one("over\xe2\x80\xaeride", FIELDS_UTF8), "");
}

static void
encodings(void)
{
	CHECK_STR(one("Mej\xc3\xad" "a", FIELDS_UTF8), "code: Mej\xc3\xad" "a\n");
	CHECK_STR(one("Mej\xed" "a", FIELDS_UTF8), "");
	CHECK_STR(one("Mej\xed" "a", FIELDS_LATIN1),
	    "code: Mej\xc3\xad" "a\n");
	CHECK_STR(one("\x85", FIELDS_LATIN1), "");
	CHECK_STR(one("Mej\xc3\xad" "a", FIELDS_ASCII), "");
	CHECK_STR(one("Mejia", FIELDS_ASCII), "code: Mejia\n");
}

/* Cut at a character, never within one. */
static void
cut(void)
{
	char text[600], want[300];

	for (size_t lead = 0; lead < 4; lead++) {
		size_t n = lead;

		memset(text, 'a', lead);
		while (n + 4 < sizeof(text)) {
			memcpy(text + n, "\xf0\x9f\x90\x98", 4);
			n += 4;
		}
		f.n = 0;
		fields_add(&f, FIELD_TITLE, span_of(text, n), FIELDS_UTF8);
		CHECK(f.n == 1 && f.v[0].n <= FIELD_VALUE_MAX);
		CHECK(f.v[0].n > FIELD_VALUE_MAX - 4);
		CHECK(utf8_valid(field_value(&f.v[0])));
	}
	memset(text, 0xe9, sizeof(text));
	f.n = 0;
	fields_add(&f, FIELD_TITLE, span_of(text, sizeof(text)),
	    FIELDS_LATIN1);
	CHECK(f.n == 1 && f.v[0].n == FIELD_VALUE_MAX);
	memset(want, 'b', sizeof(want));
	f.n = 0;
	fields_add(&f, FIELD_TITLE, span_of(want, 256), FIELDS_UTF8);
	CHECK(f.v[0].n == 256);
	fields_add(&f, FIELD_TITLE, span_of(want, 257), FIELDS_UTF8);
	CHECK(f.n == 1);
	CHECK(fields_whole("ab\xc3", 3) == 2);
	CHECK(fields_whole("ab\xc3\xa9", 4) == 4);
	CHECK(fields_whole("\xf0\x9f\x90", 3) == 0);
	CHECK(fields_whole("", 0) == 0);
}

/* No value twice; each key has its share; the whole has an end. */
static void
bounded(void)
{
	char text[16];

	f.n = 0;
	fields_add(&f, FIELD_CODE, span_str("a"), FIELDS_UTF8);
	fields_add(&f, FIELD_CODE, span_str(" a"), FIELDS_UTF8);
	fields_add(&f, FIELD_TITLE, span_str("a"), FIELDS_UTF8);
	CHECK_STR(said(&f), "code: a\ntitle: a\n");
	for (int key = 0; key < FIELD_KEYS; key++)
		for (int i = 0; i < 100; i++) {
			snprintf(text, sizeof(text), "%d", i);
			fields_add(&f, (enum field_key)key, span_str(text),
			    FIELDS_UTF8);
		}
	CHECK(f.n == FIELDS_MAX);
	f.n = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		fields_add(&f, FIELD_CODE, span_str(text), FIELDS_UTF8);
	}
	CHECK(f.n == 36);
}

static void
days(void)
{
	CHECK_STR(day("2026-03-02"), "date: 2026-03-02\n");
	CHECK_STR(day("2026-03-02T10:15:00+02:00"), "date: 2026-03-02\n");
	CHECK_STR(day("20260302101500.1234-0500"), "date: 2026-03-02\n");
	CHECK_STR(day("202603"), "date: 2026-03\n");
	CHECK_STR(day("2026-03"), "date: 2026-03\n");
	CHECK_STR(day("2026"), "date: 2026\n");
	CHECK_STR(day("2001.02.13"), "date: 2001-02-13\n");
	CHECK_STR(day("1985"), "date: 1985\n");
	CHECK_STR(day("20261301"), "");
	CHECK_STR(day("20261200"), "");
	CHECK_STR(day("20261232"), "");
	CHECK_STR(day("202"), "");
	CHECK_STR(day("20261"), "");
	CHECK_STR(day("2026010"), "");
	CHECK_STR(day("PIDDOB!"), "");
	CHECK_STR(day(""), "");
	CHECK_STR(day("-2026"), "");
}

int
main(void)
{
	cleaned();
	encodings();
	cut();
	bounded();
	days();
	return check_done("fields");
}
