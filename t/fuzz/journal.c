/*
 * journal: entries of the vote journal.  What parses is written the same, and
 * no file, whatever it holds, does more than be refused.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "net/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* One line of text as an entry. */
static void
one_entry(struct span text)
{
	struct buf note = BUF_INIT(1u << 20), again = BUF_INIT(1u << 20);
	struct votes_entry x = { 7, text };
	enum entry_kind kind;
	struct dbft_record r;
	struct err e;

	if (entry_parse(&kind, &r, &note, &x, &e) != 0)
		assert(e.kind == ERR_BAD);
	else if (kind == ENTRY_RECORD) {
		assert(r.msg.height == 7);
		entry_format(&again, &r);
		assert(span_eq(buf_span(&again), text));
	} else if (kind != ENTRY_FLOOR && memchr(text.p, '\n',
	    text.n) == NULL) {
		if (kind == ENTRY_CERTIFICATE)
			entry_certificate(&again, buf_span(&note));
		else
			entry_proposal(&again, buf_span(&note));
		assert(span_eq(buf_span(&again), text));
	}
	buf_free(&note);
	buf_free(&again);
}

/* --- the file ------------------------------------------------------------- */

static char dir[4096];
static int dirfd = -1;

static void
clean(void)
{
	unlinkat(dirfd, VOTES_PATH, 0);
	unlinkat(dirfd, VOTES_DIR "/lock", 0);
	unlinkat(dirfd, VOTES_DIR, AT_REMOVEDIR);
	rmdir(dir);
}

/* A ledger directory with nothing in it but a folder for the journal. */
static void
make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	if (access("/dev/shm", W_OK) == 0)
		tmp = "/dev/shm";	/* much faster */
	snprintf(dir, sizeof(dir), "%s/ehr-fuzz.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL ||
	    (dirfd = open(dir, O_RDONLY | O_DIRECTORY)) < 0 ||
	    mkdirat(dirfd, VOTES_DIR, 0700) != 0)
		abort();
	atexit(clean);
}

/* The same, and the journal is empty. */
static struct repo *
repo(void)
{
	static struct genesis g;
	static struct repo r;
	static const char head[] = "ehr.v1 journal "
	    "00000000000000000000000000000000"
	    "00000000000000000000000000000000\n";
	int fd;

	if (dirfd < 0)
		make_dir();
	r.dirfd = dirfd;
	r.genesis = &g;
	fd = openat(dirfd, VOTES_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, head, sizeof(head) - 1) < 0)
		abort();
	close(fd);
	return &r;
}

/* The lines of the input that can be entries, as such. */
static struct votes *
write_entries(struct repo *r, struct span rest)
{
	struct votes *v;
	struct err e;

	if (votes_open(&v, r, &e) != 0 || votes_lock(v, 0, &e) != 0)
		abort();
	while (rest.n > 0) {
		const uint8_t *nl = memchr(rest.p, '\n', rest.n);
		size_t n = nl == NULL ? rest.n : (size_t)(nl - rest.p);

		if (n > 0 && utf8_line(span_of(rest.p, n)) && votes_append(v,
		    n, span_of(rest.p, n), &e) != 0)
			abort();
		n += nl != NULL;
		rest = span_of(rest.p + n, rest.n - n);
	}
	votes_unlock(v);
	return v;
}

/* Are the entries of a the first ones of b? */
static bool
is_prefix(const struct votes *a, const struct votes *b)
{
	if (votes_count(a) > votes_count(b))
		return false;
	for (size_t i = 0; i < votes_count(a); i++) {
		struct votes_entry x = votes_get(a, i), y = votes_get(b, i);

		if (x.height != y.height || !span_eq(x.text, y.text))
			return false;
	}
	return true;
}

/* Flip bits of one byte (true if that changes it), cut, or append. */
static bool
damage(unsigned kind, size_t at, uint8_t bits, struct span more)
{
	int fd = openat(dirfd, VOTES_PATH, O_RDWR);
	struct stat st;
	uint8_t c;
	bool flip = kind == 1;

	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	at %= (size_t)st.st_size;
	if (flip) {
		if (pread(fd, &c, 1, (off_t)at) != 1)
			abort();
		c ^= bits;
		if (pwrite(fd, &c, 1, (off_t)at) != 1)
			abort();
		flip = bits != 0;
	} else if (kind == 2 && ftruncate(fd, (off_t)at) != 0)
		abort();
	else if (kind == 3 && pwrite(fd, more.p, more.n, st.st_size) < 0)
		abort();
	close(fd);
	return flip;
}

static void
one_file(const uint8_t *p, size_t n)
{
	size_t at = p[1] + 256u * p[2];
	struct repo *r = repo();
	struct span rest = span_of(p + 4, n - 4);
	struct votes *whole = write_entries(r, rest), *v;
	unsigned kind = p[0] % 4;
	bool flipped = damage(kind, at, p[3], rest);
	struct err e;
	int got;

	if (votes_open(&v, r, &e) != 0)
		abort();
	got = votes_lock(v, 0, &e);
	assert(got == 0 || e.kind == ERR_BAD);
	if (flipped)
		assert(got != 0);
	if (kind == 0 || (kind == 1 && !flipped))
		assert(got == 0 && votes_count(v) == votes_count(whole));
	if (got == 0)
		assert(is_prefix(v, whole));
	votes_close(v);
	votes_close(whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	one_entry(span_of(p, n));
	if (n > 4)
		one_file(p, n);
	return 0;
}
