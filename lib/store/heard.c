#define _GNU_SOURCE	/* openat, pwrite */
#include "store/heard.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "crypto/note.h"
#include "ledger/head.h"

#define HEX (HASH_HEX - 1)
#define NONCE 16		/* bytes */

struct heard {
	const struct repo *repo;
	uint64_t height;
	int fd;			/* for writing, or -1 */
	struct buf file;	/* its bytes, up to the last good one */
	unsigned char nonce[NONCE];
	size_t at;		/* what follows was not given yet */
};

struct heard *
heard_open(const struct repo *r)
{
	struct heard *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->repo = r;
	h->fd = -1;
	buf_init(&h->file, HEARD_MAX);
	return h;
}

void
heard_close(struct heard *h)
{
	if (h == NULL)
		return;
	heard_ring(h);
	buf_free(&h->file);
	free(h);
}

void
heard_ring(struct heard *h)
{
	/* inotify(7) tells of the end of writing, IN_CLOSE_WRITE. */
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

/* --- reading -------------------------------------------------------------- */

/* The head: where the votes begin, or 0 if they are not of this height. */
static size_t
take_head(const struct heard *h, unsigned char nonce[NONCE])
{
	struct text t;
	struct span hex;
	uint64_t height;
	struct err e;

	text_init(&t, buf_span(&h->file), HEARD_PATH);
	if (head_expect(&t, "heard", repo_ledger(h->repo), &e) != 0 ||
	    text_u64(&t, "height", VOTES_HEIGHT_MAX, &height, &e) != 0 ||
	    text_key(&t, "nonce", &hex, &e) != 0 || height != h->height ||
	    hex_decode(nonce, NONCE, hex) != 0)
		return 0;
	return h->file.len - t.rest.n;
}

int
heard_look(struct heard *h, uint64_t height, bool anew, struct err *e)
{
	unsigned char nonce[NONCE];
	size_t start;

	anew = anew || height != h->height;
	h->height = height;
	buf_reset(&h->file);
	if (fs_read(&h->file, h->repo->dirfd, HEARD_PATH, e) != 0) {
		buf_reset(&h->file);
		if (e->kind == ERR_SYS)
			return -1;
	}
	start = take_head(h, nonce);
	if (start == 0)
		buf_reset(&h->file);
	if (anew || start == 0 || memcmp(nonce, h->nonce, NONCE) != 0 ||
	    h->at > h->file.len)
		h->at = start;
	if (start > 0)
		memcpy(h->nonce, nonce, NONCE);
	return 0;
}

static void
hash_of(char hex[HASH_HEX], struct span text)
{
	struct hash is;

	hash_bytes(&is, text.p, text.n);
	hash_format(hex, &is);
}

/* The note in the line at h->at, or an empty span; *n is the line's length. */
static struct span
take_line(const struct heard *h, size_t *n)
{
	size_t left = h->file.len - h->at;
	const unsigned char *p = h->file.p + h->at, *nl;
	char hex[HASH_HEX];

	nl = left == 0 ? NULL : memchr(p, '\n', left);
	if (nl == NULL || (size_t)(nl - p) < HEX + 2 || nl[-HEX - 1] != ' ' ||
	    (size_t)(nl - p) > HEARD_NOTE_MAX + HEX)
		return span_of(NULL, 0);
	*n = (size_t)(nl - p) + 1;
	hash_of(hex, span_of(p, *n - HEX - 2));
	if (memcmp(hex, nl - HEX, HEX) != 0)
		return span_of(NULL, 0);
	return span_of(p, *n - HEX - 2);
}

int
heard_next(struct heard *h, struct buf *note, struct err *e)
{
	size_t n = 0;
	struct span line = take_line(h, &n);

	if (line.n == 0) {
		h->file.len = h->at;
		return 0;
	}
	h->at += n;
	buf_reset(note);
	note_unfold(note, line);
	return buf_check(note, HEARD_PATH, e) != 0 ? -1 : 1;
}

/* --- writing -------------------------------------------------------------- */

static void
add_head(struct heard *h)
{
	char hex[2 * NONCE + 1];

	buf_reset(&h->file);
	hash_random(h->nonce, NONCE);
	hex_encode(hex, h->nonce, NONCE);
	head_add(&h->file, "heard", repo_ledger(h->repo));
	buf_addf(&h->file, "height %llu\nnonce %s\n",
	    (unsigned long long)h->height, hex);
}

static void
add_line(struct buf *out, struct span note)
{
	size_t start = out->len;
	char hex[HASH_HEX];

	note_fold(out, note);
	if (out->failed)
		return;
	hash_of(hex, span_of(out->p + start, out->len - start));
	buf_addf(out, " %s\n", hex);
}

static int
put(struct heard *h, size_t from, struct err *e)
{
	if (h->fd < 0)
		h->fd = openat(h->repo->dirfd, HEARD_PATH, O_WRONLY | O_CREAT |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->fd < 0 || ftruncate(h->fd, (off_t)from) != 0 ||
	    lseek(h->fd, (off_t)from, SEEK_SET) < 0 ||
	    fs_write_all(h->fd, h->file.p + from, h->file.len - from) != 0) {
		h->height = 0;	/* what is there now, is to be read again */
		return err_sys(e, HEARD_PATH);
	}
	return 0;
}

int
heard_add(struct heard *h, struct span note, struct err *e)
{
	size_t from = h->file.len;

	assert(h->at == from && note.n <= HEARD_NOTE_MAX);
	if (from == 0 || from + note.n + HEX + 2 > HEARD_MAX) {
		add_head(h);
		from = 0;
	}
	add_line(&h->file, note);
	h->at = h->file.len;
	if (buf_check(&h->file, HEARD_PATH, e) != 0)
		return -1;
	return put(h, from, e);
}
