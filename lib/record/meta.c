#include "record/meta.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/utf8.h"


struct meta_writer {
	json_t *root;
	json_t *files;		/* of root; borrowed */
	size_t fixed;		/* bytes of all but the fields */
	size_t fields;		/* bytes of the fields that are kept */
	bool full;		/* not even the names fit */
};

static struct span
string(const json_t *j)
{
	return span_of(json_string_value(j), json_string_length(j));
}

static json_t *
new_string(struct span s)
{
	return json_stringn_nocheck(s.n == 0 ? "" : (const char *)s.p, s.n);
}

/*
 * Bytes of a string as jansson writes it.  Ours have no control characters,
 * so only two are escaped.  To count is much cheaper than to write and look.
 */
static size_t
width(struct span s)
{
	size_t n = s.n + 2;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '"' || s.p[i] == '\\';
	return n;
}

/*
 * The values of one key in turn; lists come in the order of first use.
 * *bytes is what it adds to its file.
 */
static json_t *
fields_json(const struct fields *f, size_t *bytes)
{
	json_t *object = json_object(), *list;

	*bytes = sizeof(",\"fields\":{}") - 1;
	for (size_t i = 0; object != NULL && i < f->n; i++) {
		const char *key = field_key_name(f->v[i].key);

		list = json_object_get(object, key);
		if (list == NULL) {
			list = json_array();
			if (json_object_set_new(object, key, list) != 0)
				goto fail;
			*bytes += strlen(key) + sizeof("\"\":[],") - 1;
		}
		if (json_array_append_new(list,
		    new_string(field_value(&f->v[i]))) != 0)
			goto fail;
		*bytes += width(field_value(&f->v[i])) + 1;
	}
	return object;
fail:
	json_decref(object);
	return NULL;
}

bool
meta_name_ok(struct span name)
{
	if (name.n == 0 || name.n > META_NAME_MAX || !utf8_line(name))
		return false;
	for (;;) {
		const unsigned char *slash = memchr(name.p, '/', name.n);
		struct span part = name;

		if (slash != NULL)
			part.n = (size_t)(slash - name.p);
		if (part.n == 0 || part.n > META_PART_MAX ||
		    span_is(part, ".") || span_is(part, ".."))
			return false;
		if (slash == NULL)
			return true;
		name = span_of(slash + 1, name.n - part.n - 1);
		if (name.n == 0)
			return false;
	}
}

struct meta_writer *
meta_writer_new(struct span description, struct span label, struct err *e)
{
	struct meta_writer *w;

	if (description.n > META_DESCRIPTION_MAX || !utf8_line(description)) {
		err_set(e, ERR_BAD, "the description must be one line of "
		    "UTF-8, at most %d bytes", META_DESCRIPTION_MAX);
		return NULL;
	}
	if (label.n == 0 || label.n > META_LABEL_MAX || !utf8_line(label)) {
		err_set(e, ERR_BAD, "the label must be one line of UTF-8, "
		    "1 to %d bytes", META_LABEL_MAX);
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	if (w != NULL) {
		w->files = json_array();
		w->root = json_pack("{s:i, s:o, s:o, s:o}", "version", 1,
		    "description", new_string(description),
		    "label", new_string(label), "files", w->files);
		if (w->root != NULL) {
			w->fixed = sizeof("{\"version\":1,"
			    "\"description\":,\"label\":,\"files\":[],"
			    "\"truncated\":true}") + width(description) +
			    width(label);
			return w;
		}
	}
	free(w);
	err_set(e, ERR_SYS, "META.json: out of memory");
	return NULL;
}

void
meta_writer_free(struct meta_writer *w)
{
	if (w == NULL)
		return;
	json_decref(w->root);
	free(w);
}

/* Keep the fields of file if they may still have a place. */
static int
keep_fields(struct meta_writer *w, json_t *file, const struct fields *f)
{
	json_t *object;
	size_t n;

	if (f->n == 0)
		return 0;
	if ((object = fields_json(f, &n)) == NULL)
		return -1;
	if (n > META_WRITE_MAX - w->fixed ||
	    w->fields > META_WRITE_MAX - w->fixed - n) {
		json_decref(object);
		return 0;
	}
	w->fields += n;
	return json_object_set_new_nocheck(file, "fields", object);
}

int
meta_add(struct meta_writer *w, struct span name, const char *type,
    uint64_t size, const struct fields *fields, struct err *e)
{
	size_t n = sizeof("{\"name\":,\"type\":,\"size\":},") - 1 +
	    width(name) + width(span_str(type)) + 1;
	json_t *file;

	for (uint64_t rest = size; rest >= 10; rest /= 10)
		n++;
	if (w->full || n > META_WRITE_MAX - w->fixed) {
		w->full = true;
		return 0;
	}
	w->fixed += n;
	file = json_pack("{s:o, s:s, s:I}", "name", new_string(name),
	    "type", type, "size", (json_int_t)size);
	if (file == NULL)
		goto fail;
	if (keep_fields(w, file, fields) != 0) {
		json_decref(file);
		goto fail;
	}
	if (json_array_append_new(w->files, file) == 0)
		return 0;
fail:
	return err_set(e, ERR_SYS, "META.json: out of memory");
}

/* Now that all files are known, see which fields fit. */
static void
drop_fields(struct meta_writer *w)
{
	size_t left = META_WRITE_MAX - w->fixed, i;
	json_t *file;

	json_array_foreach(w->files, i, file) {
		json_t *fields = json_object_get(file, "fields");
		size_t n = json_dumpb(fields, NULL, 0, JSON_COMPACT) +
		    sizeof(",\"fields\":") - 1;

		if (fields == NULL)
			continue;
		if (w->full || n > left)
			json_object_del(file, "fields");
		else
			left -= n;
	}
}

int
meta_finish(struct meta_writer *w, struct buf *out, struct err *e)
{
	unsigned char *to;
	size_t n;

	if (w->full || w->fields > META_WRITE_MAX - w->fixed)
		drop_fields(w);
	if (w->full && json_object_set_new(w->root, "truncated",
	    json_true()) != 0)
		return err_set(e, ERR_SYS, "META.json: out of memory");
	if ((to = buf_room(out, META_WRITE_MAX)) != NULL) {
		n = json_dumpb(w->root, (char *)to, META_WRITE_MAX,
		    JSON_COMPACT);
		if (n == 0 || n >= META_WRITE_MAX)
			return err_set(e, ERR_SYS, "META.json: out of memory");
		to[n] = '\n';
		out->len += n + 1;
	}
	return buf_check(out, "META.json", e);
}

/* A string member of 0 to max bytes that is one line. */
static bool
line_ok(const json_t *j, size_t max)
{
	return json_is_string(j) && json_string_length(j) <= max &&
	    utf8_line(string(j));
}

static bool
fields_ok(json_t *fields)
{
	size_t values = 0, i;
	json_t *list, *value;
	const char *key;

	if (!json_is_object(fields))
		return false;
	json_object_foreach(fields, key, list) {
		size_t n = strlen(key);

		if (n == 0 || n > 32 || !utf8_line(span_of(key, n)) ||
		    json_array_size(list) == 0)
			return false;
		json_array_foreach(list, i, value)
			if (!line_ok(value, FIELD_VALUE_MAX) ||
			    ++values > FIELDS_MAX)
				return false;
	}
	return true;
}

/* Is file one, with a name that is not yet in seen?  Adds it there. */
static bool
file_ok(json_t *file, json_t *seen)
{
	json_t *name = json_object_get(file, "name");
	json_t *type = json_object_get(file, "type");
	json_t *size = json_object_get(file, "size");
	json_t *fields = json_object_get(file, "fields");

	if (json_object_size(file) != 3u + (fields != NULL) ||
	    !json_is_string(name) || !meta_name_ok(string(name)) ||
	    !line_ok(type, META_TYPE_MAX) || json_string_length(type) == 0 ||
	    !json_is_integer(size) || json_integer_value(size) < 0)
		return false;
	if (fields != NULL && !fields_ok(fields))
		return false;
	if (json_object_get(seen, json_string_value(name)) != NULL)
		return false;
	return json_object_set_new(seen, json_string_value(name),
	    json_true()) == 0;
}

static bool
files_ok(json_t *files)
{
	json_t *seen = json_object(), *file;
	bool ok = json_is_array(files);
	size_t i;

	json_array_foreach(files, i, file)
		ok = ok && file_ok(file, seen);
	json_decref(seen);
	return ok;
}

/* Is root as ehr-record(5) describes it? */
static bool
root_ok(json_t *root)
{
	json_t *version = json_object_get(root, "version");
	json_t *description = json_object_get(root, "description");
	json_t *label = json_object_get(root, "label");
	json_t *truncated = json_object_get(root, "truncated");

	return json_object_size(root) == 4u + (truncated != NULL) &&
	    json_is_integer(version) && json_integer_value(version) == 1 &&
	    line_ok(description, META_DESCRIPTION_MAX) &&
	    line_ok(label, META_LABEL_MAX) && json_string_length(label) > 0 &&
	    (truncated == NULL || json_is_true(truncated)) &&
	    files_ok(json_object_get(root, "files"));
}

int
meta_parse(struct meta *m, struct span json, struct err *e)
{
	json_error_t why;
	json_t *root;

	*m = (struct meta){ .root = NULL };
	if (json.n == 0 || json.n > META_MAX)
		return err_set(e, ERR_BAD, "META.json: %zu bytes", json.n);
	root = json_loadb((const char *)json.p, json.n,
	    JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return err_set(e, ERR_BAD, "META.json, line %d: %s", why.line,
		    why.text);
	if (!root_ok(root)) {
		json_decref(root);
		return err_set(e, ERR_BAD, "META.json: not as ehr-record(5) "
		    "describes it");
	}
	m->root = root;
	m->description = string(json_object_get(root, "description"));
	m->label = string(json_object_get(root, "label"));
	m->truncated = json_object_get(root, "truncated") != NULL;
	m->nfiles = json_array_size(json_object_get(root, "files"));
	return 0;
}

void
meta_free(struct meta *m)
{
	json_decref(m->root);
	*m = (struct meta){ .root = NULL };
}

void
meta_file(struct meta_file *out, const struct meta *m, size_t i)
{
	json_t *file = json_array_get(json_object_get(m->root, "files"), i);

	out->name = string(json_object_get(file, "name"));
	out->type = string(json_object_get(file, "type"));
	out->size = (uint64_t)json_integer_value(json_object_get(file,
	    "size"));
	out->fields = json_object_get(file, "fields");
}

int
meta_fields(const struct meta_file *f, meta_field_fn *each, void *arg)
{
	json_t *list, *value;
	const char *key;
	size_t i;
	int r;

	json_object_foreach(f->fields, key, list)
		json_array_foreach(list, i, value)
			if ((r = each(arg, key, string(value))) != 0)
				return r;
	return 0;
}
