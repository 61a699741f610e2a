#include "cli/standing.h"

#include <stdio.h>

#include "base/stamp.h"
#include "cli/ndjson.h"

/* Whose turn it is, and how it stands, in a few words. */
static const char *
phase(const struct status *st)
{
	if (!st->entered)
		return "changing view";
	if (st->high.signers != 0)
		return "prepared";
	if (st->last.kind == DBFT_PREPARE)
		return "proposed";
	return st->work ? "waiting for the speaker" : "nothing to do";
}

/* The votes that lack, by their name; only if st->lack is known. */
static const char *
lack(const struct status *st)
{
	return st->lack == DBFT_CHANGE ? "change-view" :
	    st->lack == DBFT_PREPARE ? "prepare" : "commit";
}

static const char *
engine(const struct status *st)
{
	return st->pbft ? "pbft" : "dbft";
}

/* --- lines ---------------------------------------------------------------- */

static void
print_names(const char *key, const struct status *st,
    bool (*is)(const struct status_delegate *))
{
	bool any = false;

	for (size_t i = 0; i < st->n; i++)
		if (is(&st->delegate[i])) {
			printf("%s %s", any ? "" : key, st->delegate[i].name);
			any = true;
		}
	if (any)
		putchar('\n');
}

static bool
is_uncertified(const struct status_delegate *sd)
{
	return !sd->certified;
}

static bool
is_missing(const struct status_delegate *sd)
{
	return sd->missing;
}

static bool
is_unprepared(const struct status_delegate *sd)
{
	return !sd->prepared;
}

static void
print_head(const struct status *st)
{
	char hex[HASH_HEX], time[STAMP_LEN + 1];

	hash_format(hex, &st->head.id);
	stamp_format(time, st->head.time_ms);
	printf("final %llu %s %s\n", (unsigned long long)st->head.height, hex,
	    time);
	if (st->cert_n > 0) {
		printf("certificate view %u, %zu of %zu signatures\n",
		    st->cert_view, st->cert_n, st->n);
		print_names("not-signed", st, is_uncertified);
	}
	printf("pending %llu\n", (unsigned long long)st->pending);
	printf("engine %s\nrunning %s%s\n", engine(st), st->running ? "yes" :
	    "no", st->pbft && !st->running ?
	    ": with pbft, who does not run it does not vote" : "");
	printf("votes %s%s\n", st->voting ? "yes" : "no: ", st->why);
}

static void
print_height(const struct status *st)
{
	char hex[HASH_HEX];

	printf("height %llu\n", (unsigned long long)st->height);
	if (!st->live)
		return;
	printf("view %u\nspeaker %s%s\nphase %s\n", st->view,
	    st->delegate[st->speaker].name,
	    st->delegate[st->speaker].me ? " (this node)" : "", phase(st));
	if (st->left_ms != INT64_MAX)
		printf("time-left %.1f s\n", (double)st->left_ms / 1000);
	if (st->lack != DBFT_NONE) {
		printf("missing ");
		print_names(lack(st), st, is_missing);
	}
	if (st->high.signers != 0) {
		hash_format(hex, &st->high.block);
		printf("prepared view %u, %s\n", st->high.view, hex);
		print_names("not-prepared", st, is_unprepared);
	}
}

static void
print_delegates(const struct status *st)
{
	printf("quorum %zu of %zu\n", st->quorum, st->n);
	for (size_t i = 0; i < st->n; i++) {
		const struct status_delegate *sd = &st->delegate[i];

		printf("delegate %s ", sd->name);
		if (sd->me)
			printf("this node");
		else if (sd->answers)
			printf("at %llu", (unsigned long long)sd->height);
		else if (sd->e.kind != ERR_NONE)
			printf("away: %s", sd->e.msg);
		else
			printf("not asked");
		puts(sd->missed ? "; did not speak in its last turn" : "");
	}
	for (size_t i = 0; i < st->evidence.n; i++)
		printf("evidence %s\n", st->evidence.name[i]);
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_delegates(const struct status *st)
{
	json_t *list = json_array();

	for (size_t i = 0; i < st->n; i++) {
		const struct status_delegate *sd = &st->delegate[i];
		json_t *o = json_pack("{s:s, s:b, s:b, s:b, s:b, s:b}",
		    "name", sd->name, "me", sd->me, "signed_last",
		    sd->certified, "missing", sd->missing, "missed_turn",
		    sd->missed, "answers", sd->me || sd->answers);

		if (sd->answers)
			json_object_set_new(o, "height",
			    json_integer((json_int_t)sd->height));
		else if (sd->e.kind != ERR_NONE)
			json_object_set_new(o, "error",
			    ndjson_span(span_str(sd->e.msg)));
		json_array_append_new(list, o);
	}
	return list;
}

static void
json_height(json_t *o, const struct status *st)
{
	if (!st->live)
		return;
	json_object_set_new(o, "view", json_integer(st->view));
	json_object_set_new(o, "entered", json_boolean(st->entered));
	json_object_set_new(o, "speaker",
	    json_string(st->delegate[st->speaker].name));
	json_object_set_new(o, "phase", json_string(phase(st)));
	json_object_set_new(o, "work", json_boolean(st->work));
	json_object_set_new(o, "left_ms", st->left_ms == INT64_MAX ?
	    json_null() : json_integer((json_int_t)st->left_ms));
	if (st->lack != DBFT_NONE)
		json_object_set_new(o, "lacks", json_string(lack(st)));
	if (st->high.signers != 0)
		json_object_set_new(o, "prepared", json_pack("{s:I, s:o}",
		    "view", (json_int_t)st->high.view, "block",
		    ndjson_hash(&st->high.block)));
}

static void
print_json(struct cli *c, const struct status *st)
{
	json_t *o, *evidence = json_array();

	for (size_t i = 0; i < st->evidence.n; i++)
		json_array_append_new(evidence,
		    ndjson_span(span_str(st->evidence.name[i])));
	o = json_pack("{s:{s:I, s:o, s:o}, s:s, s:I, s:b, s:b, s:I, s:I}",
	    "final", "height", (json_int_t)st->head.height, "id",
	    ndjson_hash(&st->head.id), "time", ndjson_time(st->head.time_ms),
	    "engine", engine(st), "pending", (json_int_t)st->pending,
	    "running", st->running, "votes", st->voting, "height",
	    (json_int_t)st->height, "quorum", (json_int_t)st->quorum);
	if (!st->voting)
		json_object_set_new(o, "why", ndjson_span(span_str(st->why)));
	if (st->cert_n > 0)
		json_object_set_new(o, "certificate", json_pack("{s:I, s:I}",
		    "view", (json_int_t)st->cert_view, "signatures",
		    (json_int_t)st->cert_n));
	json_height(o, st);
	json_object_set_new(o, "delegates", json_delegates(st));
	json_object_set_new(o, "evidence", evidence);
	ndjson_line(c, o);
}

void
standing_print(struct cli *c, const struct status *st)
{
	if (c->json) {
		print_json(c, st);
		return;
	}
	print_head(st);
	print_height(st);
	print_delegates(st);
}
