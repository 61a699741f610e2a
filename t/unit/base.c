/* base: errors, buffers, and the encodings of which each value has one. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/stamp.h"
#include "base/text.h"
#include "base/utf8.h"

static struct err e;

static void
errors(void)
{
	char many[2000];

	CHECK(err_set(&e, ERR_BAD, "%s: %d", "a\x1b[31m", 7) == -1);
	CHECK(e.kind == ERR_BAD && e.errnum == 0);
	CHECK_STR(e.msg, "a?[31m: 7");
	CHECK(err_wrap(&e, "in %s", "file") == -1);
	CHECK(e.kind == ERR_BAD);
	CHECK_STR(e.msg, "in file: a?[31m: 7");
	errno = ENOENT;
	CHECK(err_sys(&e, "x") == -1);
	CHECK(e.kind == ERR_SYS && e.errnum == ENOENT);
	CHECK_STR(e.msg, "x: No such file or directory");
	/* C1 controls, lone bytes and direction changes reach no terminal. */
	err_set(&e, ERR_NO, "%s", "\xc2\x9b" "31m \x9b \xe2\x80\xae \xc3\xa9");
	CHECK_STR(e.msg, "??31m ? ??? \xc3\xa9");
	/* A message of any length ends where it must, on a whole character. */
	memset(many, 'y', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	many[510] = '\xc3';
	err_set(&e, ERR_NO, "%s", many);
	CHECK(strlen(e.msg) == sizeof(e.msg) - 1 && e.msg[510] == '?');
	err_wrap(&e, "%s", many);
	CHECK(strlen(e.msg) == sizeof(e.msg) - 1);
	errno = EIO;
	err_sys(&e, "%s", many);
	CHECK(strlen(e.msg) == sizeof(e.msg) - 1);
}

static void
buffers(void)
{
	struct buf b = BUF_INIT(10);
	char many[600];

	CHECK(buf_check(&b, "b", &e) == 0 && b.p == NULL);
	buf_adds(&b, "12345");
	buf_addc(&b, '6');
	buf_addf(&b, "%d", 789);
	CHECK(buf_check(&b, "b", &e) == 0);
	CHECK(span_is(buf_span(&b), "123456789"));
	buf_adds(&b, "ab");
	CHECK(b.len == 9);
	buf_adds(&b, "a");		/* errors are sticky */
	CHECK(b.len == 9);
	CHECK(buf_check(&b, "b", &e) == -1 && e.kind == ERR_BAD);
	CHECK_STR(e.msg, "b: longer than 10 bytes");
	buf_reset(&b);
	buf_adds(&b, "1234567890");
	CHECK(buf_check(&b, "b", &e) == 0 && b.len == 10);
	CHECK(buf_room(&b, 0) != NULL);
	CHECK(buf_room(&b, SIZE_MAX) == NULL);
	buf_free(&b);
	CHECK(b.p == NULL && b.len == 0 && b.max == 10);

	memset(many, 'x', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	buf_init(&b, SIZE_MAX);
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "%s\n", many);
	CHECK(b.len == 100 * sizeof(many));
	CHECK(b.p[b.len - 1] == '\n' && b.p[0] == 'x');
	buf_wipe(&b);
	CHECK(b.p == NULL);
}

static void
hex(void)
{
	unsigned char out[4];
	char digits[9];

	hex_encode(digits, "\x00\x7f\xab\xff", 4);
	CHECK_STR(digits, "007fabff");
	CHECK(hex_decode(out, 4, span_str("007fabff")) == 0);
	CHECK(memcmp(out, "\x00\x7f\xab\xff", 4) == 0);
	CHECK(hex_decode(out, 4, span_str("007fabf")) != 0);
	CHECK(hex_decode(out, 4, span_str("007fabff0")) != 0);
	CHECK(hex_decode(out, 3, span_str("007fabff")) != 0);
	CHECK(hex_decode(out, 4, span_str("007fABff")) != 0);
	CHECK(hex_decode(out, 4, span_str("007fabfg")) != 0);
	CHECK(hex_decode(out, 1, span_str("`0")) != 0);
	CHECK(hex_decode(out, 1, span_str("0:")) != 0);
	CHECK(hex_decode(out, 0, span_of(NULL, 0)) == 0);
}

static void
base64_is(const char *plain, const char *text, bool pad)
{
	struct buf b = BUF_INIT(100);
	unsigned char out[100];
	size_t n;

	base64_add(&b, plain, strlen(plain), pad);
	CHECK(span_is(buf_span(&b), text));
	CHECK(base64_decode(out, strlen(plain), &n, span_str(text), pad) == 0);
	CHECK(n == strlen(plain) && memcmp(out, plain, n) == 0);
	if (n > 0)
		CHECK(base64_decode(out, n - 1, &n, span_str(text), pad) != 0);
	buf_free(&b);
}

/* Each of the texts of length len over these characters, decoded. */
static void
base64_unique(size_t len, bool pad)
{
	static const char of[] = "AQgw/+=-\n";
	char text[5];
	unsigned char out[4];
	size_t n, all = 1;

	for (size_t i = 0; i < len; i++)
		all *= sizeof(of) - 1;
	for (size_t k = 0; k < all; k++) {
		struct buf b = BUF_INIT(10);
		size_t rest = k;

		for (size_t i = 0; i < len; i++) {
			text[i] = of[rest % (sizeof(of) - 1)];
			rest /= sizeof(of) - 1;
		}
		if (base64_decode(out, 4, &n, span_of(text, len), pad) == 0) {
			base64_add(&b, out, n, pad);
			CHECK(span_eq(buf_span(&b), span_of(text, len)));
		}
		buf_free(&b);
	}
}

static void
base64(void)
{
	/* RFC 4648 section 10 */
	static const char *const known[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xfe\xfb", "/+/++w==" }
	};
	static const char *const bad[] = {
		"=", "==", "====", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===",
		"Zm9vYg=", "Zm9v\nYg==", " Zg==", "Zg== ", "Zg==Zg==", "Zm-v",
		"Zm_v", "Zg=A", "A=A="
	};
	unsigned char out[16];
	size_t n;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char raw[16];

		strcpy(raw, known[i][1]);
		raw[strcspn(raw, "=")] = '\0';
		base64_is(known[i][0], known[i][1], true);
		base64_is(known[i][0], raw, false);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(base64_decode(out, 16, &n, span_str(bad[i]), true) != 0);
	CHECK(base64_decode(out, 16, &n, span_str("Zg=="), false) != 0);
	CHECK(base64_decode(out, 16, &n, span_str("Z"), false) != 0);
	CHECK(base64_decode(out, 16, &n, span_str("Zm9vYg\n"), false) != 0);
	for (size_t len = 0; len <= 4; len++) {
		base64_unique(len, true);
		base64_unique(len, false);
	}
	CHECK(BASE64_LEN(0) == 0 && BASE64_LEN(1) == 4 && BASE64_LEN(4) == 8);
}

static void
utf8(void)
{
	static const char *const good[] = {
		"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa9\xba",
		"\xef\xbf\xbd", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xf4\x8f\xbf\xbf", "\xd9\x85\xe2\x80\x8c\xd9\x87", " a  b "
	};
	static const char *const malformed[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2g",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82g",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf0\x9f\xa9", "\xfe", "\xff", "a\xc3"
	};
	static const char *const control[] = {
		"\n", "\r", "\t", "\x1b[0m", "\x7f", "\xc2\x80", "\xc2\x9b",
		"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae",
		"\xe2\x80\x8f", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xd8\x9c",
		"\xef\xbb\xbf"
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(utf8_valid(span_str(good[i])) &&
		    utf8_line(span_str(good[i])));
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		CHECK(!utf8_valid(span_str(malformed[i])) &&
		    !utf8_line(span_str(malformed[i])));
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++)
		CHECK(utf8_valid(span_str(control[i])) &&
		    !utf8_line(span_str(control[i])));
	CHECK(utf8_valid(span_of("a\0b", 3)) && !utf8_line(span_of("a\0b", 3)));
}

static void
stamp_is(int64_t ms, const char *text, const char *hour)
{
	char out[STAMP_LEN + 1], h[STAMP_HOUR_LEN + 1];
	int64_t back = -1;

	stamp_format(out, ms);
	CHECK_STR(out, text);
	CHECK(stamp_parse(&back, span_str(text)) == 0 && back == ms);
	stamp_hour_format(h, ms);
	CHECK_STR(h, hour);
	CHECK(stamp_hour_parse(&back, span_str(hour)) == 0);
	CHECK(back == ms - ms % STAMP_HOUR_MS);
}

static void
stamps(void)
{
	static const char *const bad[] = {
		"", "2026-11-22T19:34:00Z", "2026-11-22T19:34:00.12Z",
		"2026-11-22T19:34:00.1234Z", "2026-11-22 19:34:00.123Z",
		"2026-11-22t19:34:00.123Z", "2026-11-22T19:34:00.123z",
		"2026-11-22T19:34:00,123Z", "2026-13-22T19:34:00.123Z",
		"2026-00-22T19:34:00.123Z", "2026-11-31T19:34:00.123Z",
		"2026-11-00T19:34:00.123Z", "2026-02-29T19:34:00.123Z",
		"2100-02-29T19:34:00.123Z", "2026-11-22T24:00:00.000Z",
		"2026-11-22T23:60:00.000Z", "2016-12-31T23:59:60.000Z",
		"1969-12-31T23:59:59.999Z", "2026-11-22T19:34:00.123+",
		"2026-11-22T19:34:00.12 Z", "2026-11-2 T19:34:00.123Z",
		"+026-11-22T19:34:00.123Z", "2026-11-22T19:34:00.123Z ",
		"2026_11-22T19:34:00.123Z", "2026-11-22T19-34:00.123Z"
	};
	static const char *const bad_hour[] = {
		"2026-11-22T19", "2026-11-22_24", "2026-11-22_1", "2026-11-31_00",
		"2026-11-22_19 ", "1969-12-31_23"
	};
	char out[STAMP_LEN + 1];
	int64_t ms;

	stamp_is(0, "1970-01-01T00:00:00.000Z", "1970-01-01_00");
	stamp_is(1795376040123, "2026-11-22T19:34:00.123Z", "2026-11-22_19");
	stamp_is(951782400000, "2000-02-29T00:00:00.000Z", "2000-02-29_00");
	stamp_is(4107542399999, "2100-02-28T23:59:59.999Z", "2100-02-28_23");
	stamp_is(4107542400000, "2100-03-01T00:00:00.000Z", "2100-03-01_00");
	stamp_is(STAMP_MAX_MS, "9999-12-31T23:59:59.999Z", "9999-12-31_23");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(stamp_parse(&ms, span_str(bad[i])) != 0);
	for (size_t i = 0; i < sizeof(bad_hour) / sizeof(bad_hour[0]); i++)
		CHECK(stamp_hour_parse(&ms, span_str(bad_hour[i])) != 0);
	/* Every 11 days and some, through all years. */
	for (int64_t t = 0; t <= STAMP_MAX_MS; t += 1000000007) {
		stamp_format(out, t);
		CHECK(stamp_parse(&ms, span_str(out)) == 0 && ms == t);
	}
}

static void
numbers(void)
{
	static const char *const bad[] = {
		"", "00", "01", "-1", "+1", " 1", "1 ", "1a", "0x1",
		"18446744073709551616", "99999999999999999999",
		"184467440737095516150"
	};
	uint64_t v;

	CHECK(text_parse_u64(&v, span_str("0"), 0) == 0 && v == 0);
	CHECK(text_parse_u64(&v, span_str("18446744073709551615"),
	    UINT64_MAX) == 0 && v == UINT64_MAX);
	CHECK(text_parse_u64(&v, span_str("10"), 10) == 0 && v == 10);
	CHECK(text_parse_u64(&v, span_str("11"), 10) != 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(text_parse_u64(&v, span_str(bad[i]), UINT64_MAX) != 0);
}

static void
words(void)
{
	struct span rest = span_str("one two  four");

	CHECK(span_is(text_word(&rest), "one"));
	CHECK(span_is(text_word(&rest), "two"));
	CHECK(text_word(&rest).n == 0);
	CHECK(span_is(text_word(&rest), "four"));
	CHECK(rest.n == 0 && text_word(&rest).n == 0);
	rest = span_of(NULL, 0);
	CHECK(text_word(&rest).n == 0);
}

static void
texts(void)
{
	static const char all[] = "kind note\nsize 42\n"
	    "time 2026-11-22T19:34:00.123Z\nid 00112233445566778899aabbccddee"
	    "ff00112233445566778899aabbccddeeff\nblock\n a\n \n  b\nend\n";
	struct buf b = BUF_INIT(100), again = BUF_INIT(100);
	unsigned char id[32];
	struct text t;
	struct span v;
	uint64_t size;
	int64_t ms;

	text_init(&t, span_str(all), "T");
	CHECK(text_next_is(&t, "kind") && !text_next_is(&t, "kin"));
	CHECK(text_key(&t, "kind", &v, &e) == 0 && span_is(v, "note"));
	CHECK(text_u64(&t, "size", 42, &size, &e) == 0 && size == 42);
	CHECK(text_time(&t, "time", &ms, &e) == 0 && ms == 1795376040123);
	CHECK(text_hash(&t, "id", id, &e) == 0 && id[31] == 0xff);
	CHECK(text_done(&t, &e) != 0);
	CHECK_STR(e.msg, "T, line 5: unexpected text");
	CHECK(text_line(&t, &v, &e) == 0 && span_is(v, "block"));
	CHECK(text_block(&t, &b, &e) == 0 &&
	    span_is(buf_span(&b), "a\n\n b\n"));
	text_add_block(&again, buf_span(&b));
	CHECK(span_is(buf_span(&again), " a\n \n  b\n"));
	CHECK(!text_end(&t) && text_line(&t, &v, &e) == 0);
	CHECK(text_end(&t) && text_done(&t, &e) == 0);
	CHECK(text_line(&t, &v, &e) != 0 && e.kind == ERR_BAD);
	CHECK_STR(e.msg, "T, line 10: ends too early");
	/* A block's ceiling is the limit. */
	buf_free(&b);
	buf_init(&b, 3);
	text_init(&t, span_str(" a\n \n"), "T");
	CHECK(text_block(&t, &b, &e) == 0);
	text_init(&t, span_str(" a\n"), "T");
	CHECK(text_block(&t, &b, &e) != 0);
	buf_free(&b);
	buf_free(&again);
}

static void
text_refuses(void)
{
	static const char *const bad_line[] = {
		"", "\n", "a", " a\n", "a \n", "a\r\n", "a\tb\n", "\xff\n",
		"a\x1b\n"
	};
	static const char *const bad_key[] = {
		"", "key\n", "key \n", "key  v\n", "Key v\n", "key v \n", "kez v\n",
		"key v", "key v\r\n"
	};
	static const char *const bad_u64[] = {
		"key 01\n", "key -1\n", "key 1x\n", "key 11\n", "key 1 1\n"
	};
	struct buf b = BUF_INIT(10);
	unsigned char id[32];
	struct text t;
	struct span v;
	uint64_t u;
	int64_t ms;

	for (size_t i = 0; i < sizeof(bad_line) / sizeof(bad_line[0]); i++) {
		text_init(&t, span_str(bad_line[i]), "T");
		CHECK(text_line(&t, &v, &e) != 0 && e.kind == ERR_BAD);
	}
	for (size_t i = 0; i < sizeof(bad_key) / sizeof(bad_key[0]); i++) {
		text_init(&t, span_str(bad_key[i]), "T");
		CHECK(text_key(&t, "key", &v, &e) != 0 && e.kind == ERR_BAD);
	}
	for (size_t i = 0; i < sizeof(bad_u64) / sizeof(bad_u64[0]); i++) {
		text_init(&t, span_str(bad_u64[i]), "T");
		CHECK(text_u64(&t, "key", 10, &u, &e) != 0);
	}
	text_init(&t, span_str("key 2026-11-22\n"), "T");
	CHECK(text_time(&t, "key", &ms, &e) != 0 && e.kind == ERR_BAD);
	text_init(&t, span_str("key 0011\n"), "T");
	CHECK(text_hash(&t, "key", id, &e) != 0 && e.kind == ERR_BAD);
	text_init(&t, span_str("a\n"), "T");
	CHECK(text_block(&t, &b, &e) != 0 && e.kind == ERR_BAD);
	text_init(&t, span_str(" a\r\n"), "T");
	CHECK(text_block(&t, &b, &e) != 0 && e.kind == ERR_BAD);
	buf_free(&b);
}

int
main(void)
{
	errors();
	buffers();
	hex();
	base64();
	utf8();
	stamps();
	numbers();
	words();
	texts();
	text_refuses();
	CHECK(clock_now_ms() > 1700000000000 && clock_mono_ms() >= 0);
	return check_done("base");
}
