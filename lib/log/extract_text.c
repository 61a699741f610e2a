#include "log/extract_text.h"

#include "base/stamp.h"
#include "base/text.h"
#include "log/extract_json.h"

/* --- CSV ------------------------------------------------------------------ */

void
extract_csv_head(struct buf *out)
{
	buf_adds(out, "seq,height,recorded,time,kind,author,roles,user,record,"
	    "doctor,label,readers,detail,proposer,transaction\r\n");
}

/*
 * Quoted where it must be.  That a program which calculates with tables takes
 * none for a formula follows from what names may begin with (name.h).
 */
static void
add(struct buf *out, struct span s, char after)
{
	bool quote = false;

	for (size_t i = 0; i < s.n; i++)
		quote = quote || strchr("\",\r\n", s.p[i]) != NULL;
	if (quote)
		buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, s.p[i]);
	}
	buf_adds(out, quote ? "\"" : "");
	buf_addc(out, (unsigned char)after);
}

void
extract_csv(struct buf *out, const struct extract_entry *x)
{
	char recorded[STAMP_LEN + 1], time[STAMP_LEN + 1], hex[HASH_HEX];

	stamp_format(recorded, x->recorded_ms);
	stamp_format(time, x->time_ms);
	buf_addf(out, "%llu,%llu,%s,%s,%s,", (unsigned long long)x->seq,
	    (unsigned long long)x->height, recorded, time, x->kind_name);
	add(out, x->author, ',');
	add(out, x->roles, ',');
	add(out, x->user, ',');
	hash_format(hex, &x->record);
	add(out, span_str(x->has_record ? hex : ""), ',');
	add(out, x->doctor, ',');
	add(out, x->label, ',');
	add(out, x->readers, ',');
	add(out, x->detail, ',');
	add(out, x->proposer, ',');
	hash_format(hex, &x->id);
	add(out, span_str(hex), '\r');
	buf_addc(out, '\n');
}

/* --- NDJSON --------------------------------------------------------------- */

static json_t *
text_or_null(struct span s)
{
	return s.n == 0 ? json_null() : extract_json_text(s);
}

static json_t *
words(struct span s)
{
	json_t *list = json_array();

	while (s.n > 0)
		json_array_append_new(list, extract_json_text(text_word(&s)));
	return list;
}

int
extract_ndjson(struct buf *out, const struct extract_entry *x, struct err *e)
{
	json_t *o = json_pack("{s:I,s:I,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,"
	    "s:o,s:o,s:o,s:o}", "seq", (json_int_t)x->seq,
	    "height", (json_int_t)x->height,
	    "recorded", extract_json_time(x->recorded_ms),
	    "time", extract_json_time(x->time_ms),
	    "kind", x->kind_name,
	    "author", extract_json_text(x->author),
	    "roles", words(x->roles),
	    "user", text_or_null(x->user),
	    "record", x->has_record ? extract_json_hash(&x->record) :
	    json_null(),
	    "doctor", text_or_null(x->doctor),
	    "label", text_or_null(x->label),
	    "readers", words(x->readers),
	    "detail", text_or_null(x->detail),
	    "proposer", extract_json_text(x->proposer),
	    "transaction", extract_json_hash(&x->id));

	if (extract_json_add(out, o, e) != 0)
		return -1;
	buf_addc(out, '\n');
	return 0;
}
