/* jscan: members and elements are found without reading the whole. */
#include <stdlib.h>

#include "check.h"
#include "base/buf.h"
#include "record/jscan.h"

/* Members as key=value; elements as value; each followed by a bar. */
static const char *
parts(const char *doc, char bracket)
{
	static struct buf out = BUF_INIT(1 << 16);
	size_t n = strlen(doc);
	unsigned char *copy = malloc(n + 1);
	struct span key, value;
	struct jscan s;

	memcpy(copy, doc, n);
	buf_reset(&out);
	if (!jscan_enter(&s, span_of(copy, n), bracket))
		buf_adds(&out, "no");
	else
		while (jscan_next(&s, &key, &value)) {
			if (bracket == '{')
				buf_addf(&out, "%.*s=", SPAN_FMT(key));
			buf_addf(&out, "%.*s|", SPAN_FMT(value));
		}
	buf_addc(&out, '\0');
	free(copy);
	return (const char *)out.p;
}

int
main(void)
{
	char deep[5000];

	CHECK_STR(parts("{\"a\":1, \"b\" : [1,{\"c\":2}],\"d\":\"}\"}", '{'),
	    "a=1|b=[1,{\"c\":2}]|d=\"}\"|");
	CHECK_STR(parts(" \n\t{}", '{'), "");
	CHECK_STR(parts("\xef\xbb\xbf{\"a\":null}", '{'), "a=null|");
	CHECK_STR(parts("[1, \"x\\\"]\", [2], {}]", '['),
	    "1|\"x\\\"]\"|[2]|{}|");
	CHECK_STR(parts("{\"a\\\"b\":\"c\\\\\"}", '{'),
	    "a\\\"b=\"c\\\\\"|");
	/* Cut: the last value reaches to the end. */
	CHECK_STR(parts("{\"a\":[1,2", '{'), "a=[1,2|");
	CHECK_STR(parts("[{\"a\":1},{\"a\":", '['), "{\"a\":1}|{\"a\":|");
	CHECK_STR(parts("{\"a", '{'), "");
	CHECK_STR(parts("{\"a\"", '{'), "");
	CHECK_STR(parts("{\"a\":", '{'), "");
	CHECK_STR(parts("{a:1}", '{'), "");
	CHECK_STR(parts("[]", '{'), "no");
	CHECK_STR(parts("", '{'), "no");
	CHECK_STR(parts("]", '['), "no");
	CHECK_STR(parts("[,,]", '['), "");

	CHECK(jscan_memory(span_str("\"aaaa\"")) == 6);
	CHECK(jscan_memory(span_str("[1,2,3]")) >= 48 + 80 + 3 * 32);
	CHECK(jscan_memory(span_str("{\"a\":{}}")) > 2 * 200);
	/* Deeper than the parser goes. */
	memset(deep, '[', sizeof(deep));
	CHECK(jscan_memory(span_of(deep, sizeof(deep))) > 0);
	return check_done("jscan");
}
