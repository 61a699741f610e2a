/* names: what files are called inside a record. */
#include <stdlib.h>

#include "check.h"
#include "base/buf.h"
#include "record/names.h"

#define MAX 8

/*
 * Pick for paths (a '=' before a name that is fixed); the result is the names
 * in order, each with the number that it was given as, or the error.
 */
static const char *
picked(const char *const *paths)
{
	static struct buf out = BUF_INIT(1 << 16);
	struct name_pick p[MAX] = { { 0 } };
	struct err e;
	size_t n = 0;

	for (; paths[n] != NULL; n++) {
		p[n].index = n;
		if (paths[n][0] == '=')
			p[n].name = paths[n] + 1;
		else
			p[n].path = paths[n];
	}
	buf_reset(&out);
	if (names_pick(p, n, &e) == 0)
		for (size_t i = 0; i < n; i++)
			buf_addf(&out, "%zu:%s ", p[i].index, p[i].name);
	else
		buf_addf(&out, "%d: %s", e.kind, e.msg);
	buf_addc(&out, '\0');
	names_free(p, n);
	return (const char *)out.p;
}

#define PICK(want, ...) \
	CHECK_STR(picked((const char *const []){ __VA_ARGS__, NULL }), want)

int
main(void)
{
	char longest[META_NAME_MAX + 3];

	PICK("0:a.pdf ", "a.pdf");
	PICK("0:a.pdf ", "/x/y/a.pdf");
	PICK("1:a 0:b ", "x/b", "y/a");
	PICK("0:stdin ", "=stdin");
	/* Two of one name get their paths. */
	PICK("1:b 0:x/a 2:y/z/a ", "x/a", "x/b", "./y//z/./a");
	PICK("0:up/a 1:x/z/a ", "../../up/a", "x/../z/a");
	PICK("0:a 1:x/a ", "a", "x/a");
	PICK("1:a 0:x/a ", "x/a", "=a");
	PICK("0:x/a 1:x/b/a ", "/x/a", "/x/b/a");
	/* And if that does not help: */
	PICK("2: a: two files would have this name", "a", "./a");
	PICK("2: a: two files would have this name", "=a", "=a");
	PICK("2: x/a: two files would have this name", "x/a", "../x/a");
	PICK("2: x/f: a folder of this name is a file too", "q/x", "x/f",
	    "r/f");
	/* Names that can't be. */
	PICK("3: x/: is a directory", "x/");
	PICK("3: ..: is a directory", "..");
	PICK("3: x/.: is a directory", "x/.");
	CHECK(strstr(picked((const char *const []){ "x/caf\xe9", NULL }),
	    "must be UTF-8") != NULL);
	CHECK(strstr(picked((const char *const []){ "a\nb", NULL }),
	    "must be UTF-8") != NULL);
	CHECK(strstr(picked((const char *const []){ "=", NULL }),
	    "must be UTF-8") != NULL);
	PICK("0:caf\xc3\xa9 noir ", "x/caf\xc3\xa9 noir");

	CHECK(meta_name_ok(span_str("a")));
	CHECK(meta_name_ok(span_str(".hidden/x y/\xe5\xb1\xb1")));
	CHECK(meta_name_ok(span_str("...")));
	CHECK(!meta_name_ok(span_str("")));
	CHECK(!meta_name_ok(span_str("/a")));
	CHECK(!meta_name_ok(span_str("a/")));
	CHECK(!meta_name_ok(span_str("a//b")));
	CHECK(!meta_name_ok(span_str("a/./b")));
	CHECK(!meta_name_ok(span_str("..")));
	CHECK(!meta_name_ok(span_str("a/..")));
	CHECK(!meta_name_ok(span_str("../a")));
	CHECK(!meta_name_ok(span_str("a\tb")));
	CHECK(!meta_name_ok(span_str("a\xe2\x80\xae" "b")));
	CHECK(!meta_name_ok(span_str("\xff")));
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 99; i < sizeof(longest); i += 100)
		longest[i] = '/';
	CHECK(meta_name_ok(span_of(longest, META_NAME_MAX)));
	CHECK(!meta_name_ok(span_of(longest, META_NAME_MAX + 1)));
	memset(longest, 'a', sizeof(longest));
	CHECK(meta_name_ok(span_of(longest, META_PART_MAX)));
	CHECK(!meta_name_ok(span_of(longest, META_PART_MAX + 1)));
	return check_done("names");
}
