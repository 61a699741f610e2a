#define _GNU_SOURCE
#include "record/seal.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/parallel.h"
#include "ledger/perm.h"
#include "store/chain.h"
#include "store/object.h"

#define BATCH_MAX 1024			/* records in memory */
#define BATCH_BYTES (16u << 20)		/* of input in memory */
#define SMALL_MAX (512u << 10)		/* bytes: sealed in memory */

/* One record on its way. */
struct job {
	struct payload_input *in;
	size_t n;
	bool small;
	struct buf body;		/* small: the age body */
	struct hash body_id;
	uint64_t body_size;
	struct buf header, manifest;
	struct hash id;
	bool failed;
	struct err why;
};

struct sealer {
	struct sealer_new n;
	struct seal_pub to[2];		/* the patient, the author */
	struct payload_writer *writer[PARALLEL_MAX];
	size_t njobs;
	uint64_t bytes;
	struct job job[BATCH_MAX];
};

/* With a key that was replaced, nobody would believe the manifest. */
static int
check_key(struct sealer *s, struct db *db, struct err *e)
{
	struct sign_pub known, ours;
	struct state_view v;

	state_view_init(&v, s->n.repo, db);
	if (v.v.key(v.v.arg, span_str(s->n.author->name), &known, e) != 1)
		return -1;
	sign_public(&ours, s->n.author->sign);
	return sign_pub_eq(&ours, &known) ? 0 : err_set(e, ERR_NO,
	    "the key of %s on the ledger is not this one", s->n.author->name);
}

/* The author must have the permission, the patient be one. */
static int
check_people(struct sealer *s, struct err *e)
{
	struct lookup_user patient, author;
	struct head h;
	struct db *db;
	int ret;

	if (chain_head(&h, s->n.repo, e) != 0 ||
	    db_of(&db, s->n.repo, e) != 0)
		return -1;
	ret = lookup_user(&author, db, span_str(s->n.author->name), e);
	if (ret < 0)
		return -1;
	if (ret == 0 || (author.perms & PERM_FILL) == 0)
		return err_set(e, ERR_NO, "%s may not add records: permission "
		    "\"%s\" is missing", s->n.author->name,
		    perm_name(PERM_FILL));
	if (check_key(s, db, e) != 0)
		return -1;
	ret = lookup_user(&patient, db, span_str(s->n.patient), e);
	if (ret < 0)
		return -1;
	if (ret == 0 || (patient.perms & PERM_AUTHORIZE) == 0)
		return err_set(e, ERR_NO, "%s is not a patient of this ledger",
		    s->n.patient);
	s->to[0] = patient.seal;
	s->to[1] = author.seal;
	return 0;
}

int
sealer_open(struct sealer **out, const struct sealer_new *n, struct err *e)
{
	struct sealer *s;

	if (!name_is_label(span_str(n->label)))
		return err_set(e, ERR_NO, "\"%s\" is not a label; see "
		    "ehr-add(1)", n->label);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	s->n = *n;
	if (check_people(s, e) != 0) {
		free(s);
		return -1;
	}
	*out = s;
	return 0;
}

static void
job_free(struct job *j)
{
	free(j->in);
	buf_free(&j->body);
	buf_free(&j->header);
	buf_free(&j->manifest);
	memset(j, 0, sizeof(*j));
}

void
sealer_free(struct sealer *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->njobs; i++)
		job_free(&s->job[i]);
	for (int i = 0; i < PARALLEL_MAX; i++)
		payload_writer_free(s->writer[i]);
	free(s);
}

/* Bytes of the inputs, as far as that can be told; UINT64_MAX: too many. */
static uint64_t
size_of(const struct payload_input *in, size_t n)
{
	uint64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < n; i++) {
		if (in[i].path == NULL)
			sum += in[i].data.n;
		else if (stat(in[i].path, &st) == 0 && st.st_size > 0)
			sum += (uint64_t)st.st_size;
	}
	return sum + n * 1024;
}

int
sealer_add(struct sealer *s, const struct payload_input *in, size_t n,
    struct err *e)
{
	struct job *j = &s->job[s->njobs];
	uint64_t size = size_of(in, n);

	if (s->njobs == BATCH_MAX)
		return err_set(e, ERR_USAGE, "commit before you add more");
	memset(j, 0, sizeof(*j));
	j->in = reallocarray(NULL, n, sizeof(*in));
	if (j->in == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	memcpy(j->in, in, n * sizeof(*in));
	j->n = n;
	j->small = size <= SMALL_MAX;
	buf_init(&j->body, OBJECT_SMALL_MAX);
	buf_init(&j->header, AGE_HEADER_MAX);
	buf_init(&j->manifest, STAGED_MAX);
	s->bytes += j->small ? size : 0;
	s->njobs++;
	return 0;
}

bool
sealer_full(const struct sealer *s)
{
	return s->njobs == BATCH_MAX || s->bytes >= BATCH_BYTES;
}

/* --- sealing one ---------------------------------------------------------- */

/* Where a body goes: memory, or an object of its own. */
struct sink {
	struct buf *buf;
	struct object_writer *object;
};

static int
body_sink(void *arg, const void *p, size_t n, struct err *e)
{
	struct sink *to = arg;

	if (to->object != NULL)
		return object_writer_add(to->object, p, n, e);
	buf_add(to->buf, p, n);
	return buf_check(to->buf, "record", e);
}

static int
age_add(void *arg, const void *p, size_t n, struct err *e)
{
	return age_writer_add(arg, p, n, e);
}

/* Payload, compressed and encrypted with key, into the sink. */
static int
write_body(struct sealer *s, struct job *j, struct payload_writer *pw,
    const struct age_key *key, struct sink *to, struct err *e)
{
	struct age_writer *w = age_writer_open(key, body_sink, to, e);
	int ret;

	if (w == NULL)
		return -1;
	ret = payload_write(pw, j->in, j->n, span_str(s->n.description),
	    span_str(s->n.label), age_add, w, e);
	if (ret == 0)
		ret = age_writer_close(w, e);
	age_writer_free(w);
	return ret;
}

static int
seal_body(struct sealer *s, struct job *j, struct payload_writer *pw,
    const struct age_key *key, struct err *e)
{
	struct sink to = { .buf = &j->body };

	if (j->small) {
		if (write_body(s, j, pw, key, &to, e) != 0)
			return -1;
		hash_bytes(&j->body_id, j->body.p, j->body.len);
		j->body_size = j->body.len;
		return 0;
	}
	if (object_writer_open(&to.object, s->n.repo, e) != 0)
		return -1;
	if (write_body(s, j, pw, key, &to, e) != 0) {
		object_writer_abort(to.object);
		return -1;
	}
	return object_writer_commit(to.object, NULL, &j->body_id,
	    &j->body_size, e);
}

static int
sign_manifest(struct sealer *s, struct job *j, struct err *e)
{
	struct buf text = BUF_INIT(STAGED_MAX);
	struct staged m = {
		.time_ms = s->n.now_ms,
		.author = span_str(s->n.author->name),
		.patient = span_str(s->n.patient),
		.label = span_str(s->n.label),
		.body = j->body_id,
		.body_size = j->body_size
	};
	int ret;

	hash_bytes(&m.header, j->header.p, j->header.len);
	staged_text(&text, &m, repo_ledger(s->n.repo));
	ret = buf_check(&text, "manifest", e);
	if (ret == 0)
		ret = identity_sign(&j->manifest, buf_span(&text),
		    s->n.author, e);
	buf_free(&text);
	hash_bytes(&j->id, j->manifest.p, j->manifest.len);
	return ret;
}

static int
seal_one(struct sealer *s, struct job *j, struct payload_writer *pw,
    struct err *e)
{
	struct age_key key;
	int ret;

	age_key_generate(&key);
	ret = seal_body(s, j, pw, &key, e);
	if (ret == 0)
		ret = age_header_make(&j->header, &key, s->to, 2, e);
	hash_wipe(&key, sizeof(key));
	return ret == 0 ? sign_manifest(s, j, e) : -1;
}

/* parallel_run's function; only small records. */
static void
seal_small(void *arg, unsigned worker, size_t i)
{
	struct sealer *s = arg;
	struct job *j = &s->job[i];

	if (j->small)
		j->failed = seal_one(s, j, s->writer[worker], &j->why) != 0;
}

static int
need_writers(struct sealer *s, struct err *e)
{
	for (unsigned i = 0; i < parallel_width(); i++)
		if (s->writer[i] == NULL &&
		    (s->writer[i] = payload_writer_new(e)) == NULL)
			return -1;
	return 0;
}

/* --- making them durable -------------------------------------------------- */

static int
store_bodies(struct sealer *s, struct err *e)
{
	struct object_batch *b;

	if (object_batch_open(&b, s->n.repo, e) != 0)
		return -1;
	for (size_t i = 0; i < s->njobs; i++) {
		struct job *j = &s->job[i];

		if (j->failed || !j->small)
			continue;
		if (object_batch_add(b, buf_span(&j->body), NULL, e) != 0) {
			object_batch_abort(b);
			return -1;
		}
	}
	return object_batch_commit(b, e);
}

static int
store_manifests(struct sealer *s, struct err *e)
{
	struct staging *st;

	if (staging_open(&st, s->n.repo, s->n.now_ms, e) != 0)
		return -1;
	for (size_t i = 0; i < s->njobs; i++) {
		struct job *j = &s->job[i];

		if (j->failed)
			continue;
		if (staging_add(st, buf_span(&j->manifest),
		    buf_span(&j->header), true, e) != 0) {
			staging_abort(st);
			return -1;
		}
	}
	return staging_commit(st, e);
}

int
sealer_commit(struct sealer *s, sealer_done *done, void *arg, struct err *e)
{
	int ret = 0;

	if (need_writers(s, e) != 0)
		return -1;
	parallel_run(s->njobs, 4, seal_small, s);
	/* Large ones are streamed, one after another, by this thread. */
	for (size_t i = 0; i < s->njobs; i++)
		if (!s->job[i].small)
			s->job[i].failed = seal_one(s, &s->job[i],
			    s->writer[0], &s->job[i].why) != 0;
	if (store_bodies(s, e) != 0 || store_manifests(s, e) != 0)
		ret = -1;
	for (size_t i = 0; i < s->njobs; i++) {
		struct job *j = &s->job[i];

		if (ret == 0)
			ret = done(arg, i, j->failed ? NULL : &j->id,
			    j->failed ? &j->why : NULL, e);
		job_free(j);
	}
	s->njobs = 0;
	s->bytes = 0;
	return ret;
}
