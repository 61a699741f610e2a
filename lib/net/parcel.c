#include "net/parcel.h"

#include <unistd.h>

#include "net/waiting.h"

#define BATCH_BYTES (64u << 20)	/* of small objects, between two fsyncs */
#define LOCK_MS 30000

/* --- sending -------------------------------------------------------------- */

static int
send_line(struct pkt *p, const struct proto_object *o, const struct hash *id,
    struct err *e)
{
	struct buf line = BUF_INIT(PROTO_LINE_MAX);
	int r;

	proto_object_format(&line, o, id);
	r = pkt_line(p, e, "%.*s", SPAN_FMT(buf_span(&line)));
	buf_free(&line);
	return r;
}

static int
send_bytes(struct pkt *p, struct object_file *f, struct err *e)
{
	unsigned char chunk[PKT_DATA_MAX];
	long n;

	while ((n = object_file_read(f, chunk, sizeof(chunk), e)) > 0)
		if (pkt_write(p, span_of(chunk, (size_t)n), e) != 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/*
 * A small object is checked before it leaves: what is damaged is as good as
 * absent, and the peer asks another one.  1 sent, 0 not here, -1.
 */
static int
send_small(struct pkt *p, struct repo *r, const struct hash *id,
    bool with_id, uint64_t skip, struct err *e)
{
	struct buf data = BUF_INIT(OBJECT_SMALL_MAX);
	struct proto_object o = { .absent = false };
	int got = object_read(&data, r, id, e);

	if (got != 0)
		got = e->kind == ERR_BAD || e->kind == ERR_NO ? 0 : -1;
	else if (skip <= data.len) {
		o.size = data.len;
		got = send_line(p, &o, with_id ? id : NULL, e);
		if (got == 0)
			got = pkt_write(p, span_of(data.p + skip,
			    data.len - (size_t)skip), e);
		got = got == 0 ? 1 : -1;
	}
	buf_free(&data);
	return got;
}

static int
send_any(struct pkt *p, struct repo *r, const struct hash *id, bool with_id,
    uint64_t skip, uint64_t *sent, struct err *e)
{
	struct proto_object o = { .absent = false };
	struct object_file f;
	int got = 0;

	if (object_open(&f, r, id, e) != 0)
		return e->kind == ERR_NO ? 0 : -1;
	*sent = o.size = f.left;
	if (o.size <= OBJECT_SMALL_MAX)
		got = send_small(p, r, id, with_id, skip, e);
	else if (skip <= o.size) {
		*sent = f.left -= skip;
		f.at += skip;
		got = send_line(p, &o, with_id ? id : NULL, e);
		if (got == 0)
			got = send_bytes(p, &f, e);
		got = got == 0 ? 1 : -1;
	}
	object_file_close(&f);
	return got;
}

int
parcel_send(struct pkt *p, struct repo *r, const struct hash *id,
    uint64_t *sent, struct err *e)
{
	char hex[HASH_HEX];
	int got;

	*sent = 0;
	if ((got = send_any(p, r, id, true, 0, sent, e)) != 0)
		return got < 0 ? -1 : 0;
	*sent = 0;
	hash_format(hex, id);
	return err_set(e, ERR_NO, "object %s: not here, or damaged", hex);
}

int
parcel_send_rest(struct pkt *p, struct repo *r, const struct hash *id,
    uint64_t skip, struct err *e)
{
	struct proto_object absent = { .absent = true };
	uint64_t sent;
	int got = send_any(p, r, id, false, skip, &sent, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	return send_line(p, &absent, NULL, e);
}

/* --- receiving ------------------------------------------------------------ */

void
parcel_start(struct parcel_sink *k, struct repo *r)
{
	*k = (struct parcel_sink){ .repo = r };
}

/* One packet of at most left bytes. */
static int
next_packet(void *arg, struct buf *packet, uint64_t left, struct err *e)
{
	int got = pkt_read(arg, packet, e);

	if (got < 0)
		return -1;
	if (got == 0 || packet->len > left)
		return err_set(e, ERR_BAD, "not the protocol: an object's "
		    "bytes were expected");
	return 0;
}

static int
add_to_batch(struct parcel_sink *k, const struct hash *id, struct span data,
    struct err *e)
{
	int got = waiting_is_dismissed(k->repo, id, e);

	if (got != 0)
		return got < 0 ? -1 : 0;
	if ((k->batch == NULL &&
	    object_batch_open(&k->batch, k->repo, e) != 0) ||
	    object_batch_add(k->batch, data, NULL, e) != 0)
		return -1;
	k->batch_bytes += data.n;
	return ids_add(&k->batched, id, e);
}

static int
take_small(struct parcel_sink *k, parcel_source *next, void *arg,
    const struct hash *id, uint64_t size, struct buf *packet, struct err *e)
{
	struct buf all = BUF_INIT(OBJECT_SMALL_MAX);
	struct hash h;
	int r = 0;

	while (r == 0 && all.len < size) {
		r = next(arg, packet, size - all.len, e);
		if (r == 0)
			buf_add(&all, packet->p, packet->len);
		if (r == 0)
			r = buf_check(&all, "object", e);
	}
	hash_bytes(&h, all.p, all.len);
	if (r == 0 && hash_eq(&h, id))
		r = add_to_batch(k, id, buf_span(&all), e) == 0 ? 1 : -1;
	buf_free(&all);
	return r;
}

/*
 * Store it unless it is dismissed; with the writer's lock, so that no block
 * dismisses it just now.
 */
static int
commit_large(struct parcel_sink *k, struct object_writer *w,
    const struct hash *id, struct err *e)
{
	int lock = repo_lock(k->repo, LOCK_MS, e);
	int got = lock < 0 ? -1 : waiting_is_dismissed(k->repo, id, e);

	if (got == 0)
		got = object_writer_commit(w, id, NULL, NULL, e);
	else
		object_writer_abort(w);
	if (lock >= 0)
		close(lock);
	return got < 0 ? -1 : 0;
}

/* The stream broke: keep what came, but not of what was erased meanwhile. */
static void
keep_part(struct parcel_sink *k, struct object_writer *w,
    const struct hash *id)
{
	struct err ignored;

	if (k->keep && waiting_is_dismissed(k->repo, id, &ignored) == 0)
		object_writer_keep(w);
	else
		object_writer_abort(w);
}

/* The left bytes that w lacks. */
static int
fill_large(struct parcel_sink *k, struct object_writer *w,
    parcel_source *next, void *arg, const struct hash *id, uint64_t left,
    struct buf *packet, struct err *e)
{
	while (left > 0) {
		if (next(arg, packet, left, e) != 0 ||
		    object_writer_add(w, packet->p, packet->len, e) != 0) {
			keep_part(k, w, id);
			return -1;
		}
		left -= packet->len;
	}
	if (commit_large(k, w, id, e) != 0)
		return e->kind == ERR_BAD ? 0 : -1;
	return 1;
}

static int
take_large(struct parcel_sink *k, parcel_source *next, void *arg,
    const struct hash *id, uint64_t size, struct buf *packet, struct err *e)
{
	struct object_writer *w;
	uint64_t at;
	int got = k->keep ?
	    object_writer_part(&w, k->repo, id, true, &at, e) :
	    object_writer_open(&w, k->repo, e);

	return got != 0 ? -1 : fill_large(k, w, next, arg, id, size, packet,
	    e);
}

int
parcel_part(struct object_writer **out, struct parcel_sink *k,
    const struct hash *id, uint64_t *at, struct err *e)
{
	if (object_writer_part(out, k->repo, id, false, at, e) != 0)
		return -1;
	if (*at > 0)
		return 1;
	object_writer_abort(*out);
	return 0;
}

int
parcel_take_rest(struct parcel_sink *k, struct pkt *p,
    struct object_writer *w, const struct hash *id, uint64_t left,
    struct err *e)
{
	struct buf packet = BUF_INIT(PKT_DATA_MAX);
	int got = fill_large(k, w, next_packet, p, id, left, &packet, e);

	buf_free(&packet);
	if (got == 1) {
		k->objects++;
		k->bytes += left;
	}
	return got;
}

int
parcel_take_from(struct parcel_sink *k, parcel_source *next, void *arg,
    const struct hash *id, uint64_t size, struct err *e)
{
	struct buf packet = BUF_INIT(PKT_DATA_MAX);
	int r;

	if (size <= OBJECT_SMALL_MAX)
		r = take_small(k, next, arg, id, size, &packet, e);
	else
		r = take_large(k, next, arg, id, size, &packet, e);
	buf_free(&packet);
	if (r == 1) {
		k->objects++;
		k->bytes += size;
	}
	if (r >= 0 && k->batch_bytes >= BATCH_BYTES && parcel_commit(k, e) != 0)
		return -1;
	return r;
}

int
parcel_take(struct parcel_sink *k, struct pkt *p, const struct hash *id,
    uint64_t size, struct err *e)
{
	return parcel_take_from(k, next_packet, p, id, size, e);
}

/* A block may have dismissed some while the batch was gathered. */
static int
erase_dismissed(struct parcel_sink *k, struct err *e)
{
	for (size_t i = 0; i < k->batched.n; i++) {
		const struct hash *id = &k->batched.id[i];
		int got = waiting_is_dismissed(k->repo, id, e);

		if (got < 0 || (got == 1 &&
		    object_erase(k->repo, id, e) != 0))
			return -1;
	}
	return 0;
}

int
parcel_commit(struct parcel_sink *k, struct err *e)
{
	int lock, ret = 0;

	if (k->batch == NULL)
		return 0;
	if ((lock = repo_lock(k->repo, LOCK_MS, e)) < 0)
		ret = -1;
	else {
		ret = object_batch_commit(k->batch, e);
		k->batch = NULL;
		if (ret == 0)
			ret = erase_dismissed(k, e);
		close(lock);
	}
	parcel_abort(k);
	return ret;
}

void
parcel_abort(struct parcel_sink *k)
{
	object_batch_abort(k->batch);
	ids_free(&k->batched);
	k->batch = NULL;
	k->batch_bytes = 0;
}
