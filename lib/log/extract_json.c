#include "log/extract_json.h"

#include "base/stamp.h"

json_t *
extract_json_text(struct span s)
{
	return s.n == 0 ? json_string("") :
	    json_stringn((const char *)s.p, s.n);
}

json_t *
extract_json_time(int64_t ms)
{
	char text[STAMP_LEN + 1];

	stamp_format(text, ms);
	return json_string(text);
}

json_t *
extract_json_hash(const struct hash *h)
{
	char hex[HASH_HEX];

	hash_format(hex, h);
	return json_string(hex);
}

static int
take(const char *p, size_t n, void *out)
{
	buf_add(out, p, n);
	return 0;
}

int
extract_json_add(struct buf *out, json_t *value, struct err *e)
{
	int ret = value == NULL ? -1 :
	    json_dump_callback(value, take, out, JSON_COMPACT);

	json_decref(value);
	return ret == 0 ? 0 : err_set(e, ERR_SYS, "no memory for JSON");
}
