/* The half of sync that takes: blocks, objects, the secret. */
#include <stdio.h>

#include "crypto/age.h"
#include "net/fetch.h"
#include "net/parcel.h"
#include "net/sync_part.h"
#include "net/waiting.h"

/* --- blocks --------------------------------------------------------------- */

/* From this one peer; fetch.h takes them from several. */
static int
pull_blocks(struct sync *y, int flags, struct err *e)
{
	struct peer one = { .s = y->s };
	struct peers peers = { &one, 1 };
	struct fetch_options o = { .chain = true, .res = y->res };
	int ret;

	memcpy(one.name, y->s->peer, sizeof(one.name));
	if ((flags & SYNC_LATER) && sync_ask_head(y, e) != 0)
		return -1;
	ret = fetch_run(&peers, y->repo, &o, e);
	if (ret == 0 && one.e.kind != ERR_NONE) {
		*e = one.e;
		ret = -1;
	}
	return ret;
}

/* --- objects -------------------------------------------------------------- */

/* The answer for one object. */
static int
take_object(struct sync *y, struct parcel_sink *sink, const struct hash *id,
    uint64_t largest, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_object o;
	int ret = pkt_read_line(&y->s->pkt, &line, e);

	if (ret == 0)
		ret = proto_object_parse(&o, NULL, buf_span(&line), e);
	buf_free(&line);
	if (ret == 0 && o.size > OBJECT_SMALL_MAX && o.size > largest)
		ret = err_set(e, ERR_BAD, "an object of %llu bytes, larger "
		    "than any that is known here", (unsigned long long)o.size);
	if (ret != 0 || o.absent)
		return ret;
	ret = parcel_take(sink, &y->s->pkt, id, o.size, e);
	y->res->damaged += ret == 0;
	y->res->pulled.objects += ret == 1;
	y->res->pulled.bytes += ret == 1 ? o.size : 0;
	return ret < 0 ? -1 : 0;
}

/* --- the rest of those whose transfer was interrupted --------------------- */

/* What follows "ok": 1 it is here now, 0 it is not, -1. */
static int
take_rest(struct sync *y, struct parcel_sink *sink, struct object_writer *w,
    const struct hash *id, uint64_t at, uint64_t largest, struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	struct proto_object o;
	int ret = pkt_read_line(&y->s->pkt, &line, e);

	if (ret == 0)
		ret = proto_object_parse(&o, NULL, buf_span(&line), e);
	buf_free(&line);
	if (ret == 0 && !o.absent && (o.size < at || o.size > largest))
		ret = err_set(e, ERR_BAD, "an object of %llu bytes, of which "
		    "%llu are here, and that may have %llu",
		    (unsigned long long)o.size, (unsigned long long)at,
		    (unsigned long long)largest);
	if (ret == 0 && !o.absent) {
		ret = parcel_take_rest(sink, &y->s->pkt, w, id, o.size - at,
		    e);
		y->res->pulled.objects += ret == 1;
		y->res->pulled.bytes += ret == 1 ? o.size - at : 0;
	} else
		object_writer_keep(w);
	if (ret >= 0 && pkt_read_flush(&y->s->pkt, e) != 0)
		ret = -1;
	return ret;
}

/*
 * One of them: 1, 0 it has to be asked for as others, -1.  *refused: the peer
 * does not know the request.
 */
static int
pull_rest(struct sync *y, struct parcel_sink *sink, const struct hash *id,
    uint64_t largest, bool *refused, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct proto_request rq = { .verb = PROTO_REST };
	struct object_writer *w;
	int ret = parcel_part(&w, sink, id, &rq.from, e);

	if (ret <= 0)
		return ret;
	proto_request_format(&status, &rq);
	buf_addc(&status, '\0');
	ret = session_start(y->s, (const char *)status.p, e);
	if (ret == 0 && pkt_write(&y->s->pkt, span_of(id->b, HASH_LEN),
	    e) != 0)
		ret = session_failed(y->s, e);
	buf_reset(&status);
	if (ret == 0)
		ret = session_status(y->s, &status, e);
	buf_free(&status);
	if (ret != 0) {
		object_writer_keep(w);
		*refused = e->kind == ERR_NO && !y->s->broken;
		return *refused ? 0 : -1;
	}
	ret = take_rest(y, sink, w, id, rq.from, largest, e);
	if (ret < 0 && e->kind != ERR_SYS)
		session_failed(y->s, e);
	else if (ret < 0)
		y->s->broken = true;
	return ret;
}

static int
add_part(void *arg, const struct hash *id, struct err *e)
{
	return ids_add(arg, id, e);
}

/* Of those in l that have come in part, take the rest; left is what is to be
 * asked for then. */
static int
pull_rests(struct ids *left, struct sync *y, const struct ids *l,
    uint64_t largest, struct err *e)
{
	struct ids parts = IDS_INIT;
	struct parcel_sink sink;
	bool refused = false;
	int ret = object_parts(y->repo, add_part, &parts, e);

	ids_sort(&parts);
	parcel_start(&sink, y->repo);
	sink.keep = true;
	for (size_t i = 0; ret == 0 && i < l->n; i++) {
		int got = !refused && ids_has(&parts, &l->id[i]) ?
		    pull_rest(y, &sink, &l->id[i], largest, &refused, e) : 0;

		ret = got < 0 ? -1 : got == 1 ? 0 :
		    ids_add(left, &l->id[i], e);
	}
	ids_free(&parts);
	return ret;
}

/* --- all ------------------------------------------------------------------ */

/* One request's worth of them. */
static int
pull_object_group(struct sync *y, const struct ids *l, size_t from,
    uint64_t largest, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct span payload = ids_payload(l, from, SYNC_GROUP);
	size_t n = payload.n / HASH_LEN;
	struct parcel_sink sink;
	struct err later;
	int ret;

	ret = session_start(y->s, "objects", e);
	if (ret == 0 && pkt_write(&y->s->pkt, payload, e) != 0)
		ret = session_failed(y->s, e);
	if (ret == 0)
		ret = session_status(y->s, &status, e);
	buf_free(&status);
	if (ret != 0)
		return -1;
	tally_moved(y->res, "objects", from, l->n);
	parcel_start(&sink, y->repo);
	sink.keep = true;
	for (size_t i = 0; i < n && ret == 0; i++) {
		ret = take_object(y, &sink, &l->id[from + i], largest, e);
		tally_moved(y->res, "objects", from + i + 1, l->n);
	}
	if (ret == 0)
		ret = pkt_read_flush(&y->s->pkt, e);
	if (ret != 0 && e->kind != ERR_SYS)
		session_failed(y->s, e);
	else if (ret != 0)
		y->s->broken = true;
	/* What came whole before the stream broke is kept. */
	if (parcel_commit(&sink, ret == 0 ? e : &later) != 0)
		ret = -1;
	return ret;
}

int
sync_pull_objects(struct sync *y, const struct ids *l, uint64_t largest,
    struct err *e)
{
	struct ids left = IDS_INIT;
	int ret = pull_rests(&left, y, l, largest, e);

	for (size_t i = 0; ret == 0 && i < left.n; i += SYNC_GROUP)
		ret = pull_object_group(y, &left, i, largest, e);
	ids_free(&left);
	return ret;
}

static int
pull_wanted(struct sync *y, struct err *e)
{
	struct ids l = IDS_INIT;
	uint64_t largest;
	int ret = waiting_wanted(&l, y->repo, SIZE_MAX, e);

	if (ret == 0 && l.n > 0 && y->s->access >= PROTO_PUBLIC) {
		ret = waiting_largest(&largest, y->repo, e);
		if (ret == 0)
			ret = sync_pull_objects(y, &l, largest, e);
		l.n = 0;
		if (ret == 0)
			ret = waiting_wanted(&l, y->repo, SIZE_MAX, e);
	}
	y->res->wanted = l.n;
	ids_free(&l);
	return ret;
}

/* --- the secret ----------------------------------------------------------- */

static int
open_secret(struct hash *secret, const struct session *s, struct span sealed,
    struct err *e)
{
	struct buf text = BUF_INIT(HASH_HEX);
	int ret = age_open(&text, sealed, s->seal, s->nseals, e);

	if (ret == 0 && (text.len != HASH_HEX ||
	    text.p[HASH_HEX - 1] != '\n' ||
	    hash_parse(secret, span_of(text.p, HASH_HEX - 1)) != 0))
		ret = err_set(e, ERR_BAD, "the ledger secret is malformed");
	buf_wipe(&text);
	return ret;
}

/* Only from one that has shown to be a node; and one that has it not, has
 * it not. */
static int
pull_secret(struct sync *y, struct err *e)
{
	struct buf status = BUF_INIT(PROTO_LINE_MAX);
	struct buf sealed = BUF_INIT(AGE_HEADER_MAX);
	struct hash secret;
	int ret;

	if (y->s->nseals == 0 || y->s->node[0] == '\0' ||
	    y->s->access < PROTO_READER)
		return 0;
	if (repo_secret(y->repo, &secret, e) == 0) {
		hash_wipe(&secret, sizeof(secret));
		return 0;
	}
	ret = session_ask(y->s, "secret", span_of(NULL, 0), &status, &sealed,
	    e);
	if (ret != 0 && e->kind == ERR_NO)
		ret = 1;
	if (ret == 0 && (ret = open_secret(&secret, y->s,
	    buf_span(&sealed), e)) != 0)
		sync_blame(y, e);
	if (ret == 0) {
		ret = repo_secret_set(y->repo, &secret, e);
		hash_wipe(&secret, sizeof(secret));
	}
	buf_free(&status);
	buf_free(&sealed);
	return ret < 0 ? -1 : 0;
}

/* -------------------------------------------------------------------------- */

int
sync_pull(struct sync *y, int flags, struct err *e)
{
	if ((flags & SYNC_BLOCKS) && pull_blocks(y, flags, e) != 0)
		return -1;
	sync_count_bytes(y);	/* fetch has counted its own */
	/* The blocks may have told us who the peer is. */
	if (session_prove(y->s, e) != 0)
		return -1;
	if ((flags & SYNC_SECRET) && pull_secret(y, e) != 0)
		return -1;
	if ((flags & SYNC_OBJECTS) && pull_wanted(y, e) != 0)
		return -1;
	if (y->s->access < PROTO_READER)
		return 0;
	if ((flags & SYNC_STAGED) &&
	    sync_pull_waiting(y, &sync_staged, e) != 0)
		return -1;
	if ((flags & SYNC_PENDING) &&
	    sync_pull_waiting(y, &sync_pending, e) != 0)
		return -1;
	return 0;
}
