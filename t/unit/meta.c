/* meta: META.json as it is written, its limits, and what a reader refuses. */
#include <stdlib.h>

#include "check.h"
#include "base/utf8.h"
#include "record/meta.h"

static struct fields f;
static struct err e;

static struct buf out = BUF_INIT(META_MAX);

static void
fill(enum field_key key, const char *value)
{
	fields_add(&f, key, span_str(value), FIELDS_UTF8);
}

/* These bytes are the format: a change here is a change there. */
static void
written(void)
{
	struct meta_writer *w = meta_writer_new(span_str("a \"b\" \\ \xc3\xa9"),
	    span_str("laboratory"), &e);

	f.n = 0;
	fill(FIELD_TYPE, "ORU^R01");
	fill(FIELD_CODE, "one");
	fill(FIELD_PATIENT, "Anne");
	fill(FIELD_CODE, "two");
	CHECK(meta_add(w, span_str("lab.hl7"), "x-application/hl7-v2+er7",
	    1234, &f, &e) == 0);
	f.n = 0;
	CHECK(meta_add(w, span_str("x/y z"), "text/plain", 0, &f, &e) == 0);
	buf_reset(&out);
	CHECK(meta_finish(w, &out, &e) == 0);
	buf_addc(&out, '\0');
	CHECK_STR((const char *)out.p, "{\"version\":1,"
	    "\"description\":\"a \\\"b\\\" \\\\ \xc3\xa9\","
	    "\"label\":\"laboratory\",\"files\":["
	    "{\"name\":\"lab.hl7\",\"type\":\"x-application/hl7-v2+er7\","
	    "\"size\":1234,\"fields\":{\"type\":[\"ORU^R01\"],"
	    "\"code\":[\"one\",\"two\"],\"patient\":[\"Anne\"]}},"
	    "{\"name\":\"x/y z\",\"type\":\"text/plain\",\"size\":0}]}\n");
	out.len--;
	meta_writer_free(w);
	meta_writer_free(NULL);
}

static int
collect(void *arg, const char *key, struct span value)
{
	struct buf *b = arg;

	buf_addf(b, "%s=%.*s;", key, SPAN_FMT(value));
	return span_is(value, "two") ? 7 : 0;
}

static void
read_back(void)
{
	struct buf got = BUF_INIT(1000);
	struct meta_file file;
	struct meta m;

	CHECK(meta_parse(&m, buf_span(&out), &e) == 0);
	CHECK(span_is(m.description, "a \"b\" \\ \xc3\xa9"));
	CHECK(span_is(m.label, "laboratory"));
	CHECK(m.nfiles == 2 && !m.truncated);
	meta_file(&file, &m, 0);
	CHECK(span_is(file.name, "lab.hl7") && file.size == 1234);
	CHECK(span_is(file.type, "x-application/hl7-v2+er7"));
	CHECK(meta_fields(&file, collect, &got) == 7);
	buf_addc(&got, '\0');
	CHECK_STR((const char *)got.p, "type=ORU^R01;code=one;code=two;");
	meta_file(&file, &m, 1);
	CHECK(meta_fields(&file, collect, &got) == 0);
	meta_free(&m);
	meta_free(&m);
	buf_free(&got);
}

/* Write n files with width bytes of name and fields; then read that. */
static void
many(size_t n, size_t width, bool fields, struct meta *m)
{
	struct meta_writer *w = meta_writer_new(span_str("d"), span_str("l"),
	    &e);
	char name[1000];

	for (size_t i = 0; i < n; i++) {
		int len = snprintf(name, sizeof(name), "%0*zu", (int)width,
		    i);

		f.n = 0;
		if (fields) {
			fill(FIELD_ID, name);
			for (int k = 0; k < 30; k++) {
				snprintf(name + len, sizeof(name) -
				    (size_t)len, "\"%d", k);
				fill(FIELD_CODE, name);
			}
		}
		CHECK(meta_add(w, span_of(name, (size_t)len), "text/plain",
		    i, &f, &e) == 0);
	}
	buf_reset(&out);
	CHECK(meta_finish(w, &out, &e) == 0);
	CHECK(out.len <= META_WRITE_MAX);
	meta_writer_free(w);
	CHECK(meta_parse(m, buf_span(&out), &e) == 0);
}

static size_t
with_fields(const struct meta *m)
{
	struct meta_file file;
	size_t n = 0;

	for (size_t i = 0; i < m->nfiles; i++) {
		meta_file(&file, m, i);
		n += file.fields != NULL;
	}
	return n;
}

/* Fields go first, then files; never more than the limit. */
static void
too_many(void)
{
	struct meta m;

	many(10, 10, true, &m);
	CHECK(m.nfiles == 10 && !m.truncated && with_fields(&m) == 10);
	meta_free(&m);
	many(400, 10, true, &m);
	CHECK(m.nfiles == 400 && !m.truncated);
	CHECK(with_fields(&m) > 20 && with_fields(&m) < 400);
	meta_free(&m);
	many(700, 10, true, &m);
	CHECK(m.nfiles == 700 && !m.truncated && with_fields(&m) > 0);
	meta_free(&m);
	many(5000, 10, true, &m);
	CHECK(m.truncated && m.nfiles > 700 && m.nfiles < 5000);
	CHECK(with_fields(&m) == 0);
	CHECK(out.len > META_WRITE_MAX - 100);
	meta_free(&m);
	many(5000, 200, false, &m);
	CHECK(m.truncated && m.nfiles > 150);
	meta_free(&m);
}

/* When names are left out, no field stays, though there were room for it. */
static void
no_fields_left(void)
{
	struct meta_writer *w = meta_writer_new(span_str("d"), span_str("l"),
	    &e);
	char name[201];
	struct meta m;

	f.n = 0;
	fill(FIELD_ID, "x");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%0200d", i);
		if (i % 2 == 0)		/* these take twice their length */
			memset(name, '"', 150);
		CHECK(meta_add(w, span_str(name), "t", 1, &f, &e) == 0);
	}
	buf_reset(&out);
	CHECK(meta_finish(w, &out, &e) == 0);
	CHECK(meta_parse(&m, buf_span(&out), &e) == 0);
	CHECK(m.truncated && with_fields(&m) == 0);
	CHECK(out.len > META_WRITE_MAX - 400);
	meta_free(&m);
	meta_writer_free(w);
}

/* The longest that one file may have fits. */
static void
longest(void)
{
	struct meta_writer *w;
	char text[META_DESCRIPTION_MAX];
	struct meta m;

	memset(text, '"', sizeof(text));
	w = meta_writer_new(span_of(text, META_DESCRIPTION_MAX),
	    span_of(text, META_LABEL_MAX), &e);
	f.n = FIELDS_MAX;
	for (size_t i = 0; i < FIELDS_MAX; i++) {
		f.v[i].key = (enum field_key)(i % FIELD_KEYS);
		f.v[i].n = FIELD_VALUE_MAX;
		memset(f.v[i].value, '"', FIELD_VALUE_MAX);
	}
	memset(text, 'a', sizeof(text));
	CHECK(meta_add(w, span_of(text, 255), "text/plain", INT64_MAX, &f,
	    &e) == 0);
	buf_reset(&out);
	CHECK(meta_finish(w, &out, &e) == 0);
	CHECK(meta_parse(&m, buf_span(&out), &e) == 0);
	CHECK(m.nfiles == 1 && !m.truncated && with_fields(&m) == 1);
	meta_free(&m);
	meta_writer_free(w);
}

static bool
starts(const char *description, const char *label)
{
	struct meta_writer *w = meta_writer_new(span_str(description),
	    span_str(label), &e);
	bool ok = w != NULL;

	meta_writer_free(w);
	return ok;
}

static bool
parses(const char *json)
{
	size_t n = strlen(json);
	char *copy = malloc(n + 1);
	struct meta m;
	bool ok;

	memcpy(copy, json, n);
	e.kind = ERR_NONE;
	ok = meta_parse(&m, span_of(copy, n), &e) == 0;
	CHECK(ok == (e.kind == ERR_NONE) && (ok || e.kind == ERR_BAD));
	meta_free(&m);
	free(copy);
	return ok;
}

#define FILE1 "{\"name\":\"a\",\"type\":\"t\",\"size\":1}"
#define HEAD "{\"version\":1,\"description\":\"\",\"label\":\"l\",\"files\":"
#define FILES(files) HEAD "[" files "]}"
#define FIELDS(fields) FILES("{\"name\":\"a\",\"type\":\"t\",\"size\":1," \
    "\"fields\":" fields "}")

static void
refused(void)
{
	CHECK(parses(FILES(FILE1)));
	CHECK(parses(FILES("")));
	CHECK(parses(HEAD "[],\"truncated\":true}"));
	CHECK(parses(FIELDS("{\"new\":[\"x\"]}")));
	CHECK(!parses(""));
	CHECK(!parses("[]"));
	CHECK(!parses(FILES(FILE1) "x"));
	CHECK(!parses(HEAD "{}}"));
	CHECK(!parses(HEAD "[],\"truncated\":false}"));
	CHECK(!parses(HEAD "[],\"more\":1}"));
	CHECK(!parses(HEAD "[],\"label\":\"l\"}"));
	CHECK(!parses("{\"version\":2,\"description\":\"\",\"label\":\"l\","
	    "\"files\":[]}"));
	CHECK(!parses("{\"version\":1.0,\"description\":\"\",\"label\":\"l\","
	    "\"files\":[]}"));
	CHECK(!parses("{\"version\":1,\"description\":\"\",\"label\":\"\","
	    "\"files\":[]}"));
	CHECK(!parses("{\"version\":1,\"description\":\"\\n\",\"label\":\"l\","
	    "\"files\":[]}"));
	CHECK(!parses("{\"version\":1,\"description\":\"\\u0000\","
	    "\"label\":\"l\",\"files\":[]}"));
	CHECK(!parses(FILES(FILE1 "," FILE1)));
	CHECK(!parses(FILES("7")));
	CHECK(!parses(FILES("{\"name\":\"../a\",\"type\":\"t\",\"size\":1}")));
	CHECK(!parses(FILES("{\"name\":\"a\",\"type\":\"\",\"size\":1}")));
	CHECK(!parses(FILES("{\"name\":\"a\",\"type\":\"t\",\"size\":-1}")));
	CHECK(!parses(FILES("{\"name\":\"a\",\"type\":\"t\",\"size\":1.5}")));
	CHECK(!parses(FILES("{\"name\":\"a\",\"type\":\"t\",\"size\":1,"
	    "\"x\":1}")));
	CHECK(!parses(FIELDS("[]")));
	CHECK(!parses(FIELDS("{\"a\":\"x\"}")));
	CHECK(!parses(FIELDS("{\"a\":[]}")));
	CHECK(!parses(FIELDS("{\"a\":[1]}")));
	CHECK(!parses(FIELDS("{\"\":[\"x\"]}")));
	CHECK(!parses(FIELDS("{\"a\":[\"\\u001b[2J\"]}")));
	CHECK(!starts("two\nlines", "l"));
	CHECK(!starts("\xff", "l"));
	CHECK(!starts("d", ""));
	CHECK(!starts("d", "two\nlines"));
	CHECK(starts("", "l"));
}

/* One byte, one value or one place too many. */
static void
limits(void)
{
	char json[META_MAX + 200], value[300];
	int n;

	for (int size = FIELD_VALUE_MAX; size < FIELD_VALUE_MAX + 2; size++) {
		memset(value, 'x', sizeof(value));
		snprintf(json, sizeof(json), FIELDS("{\"a\":[\"%.*s\"]}"),
		    size, value);
		CHECK(parses(json) == (size == FIELD_VALUE_MAX));
	}
	for (int values = FIELDS_MAX; values < FIELDS_MAX + 2; values++) {
		n = sprintf(json, "%s[{\"name\":\"a\",\"type\":\"t\","
		    "\"size\":1,\"fields\":{\"a\":[\"x\"", HEAD);
		for (int i = 1; i < values; i++)
			n += sprintf(json + n, ",\"x\"");
		sprintf(json + n, "]}}]}");
		CHECK(parses(json) == (values == FIELDS_MAX));
	}
	memset(json, ' ', sizeof(json));
	memcpy(json, FILES(FILE1), strlen(FILES(FILE1)));
	json[META_MAX] = '\0';
	CHECK(parses(json));
	json[META_MAX] = ' ';
	json[META_MAX + 1] = '\0';
	CHECK(!parses(json));
}

int
main(void)
{
	written();
	read_back();
	too_many();
	no_fields_left();
	longest();
	refused();
	limits();
	buf_free(&out);
	return check_done("meta");
}
