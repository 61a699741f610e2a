#define _GNU_SOURCE	/* statx */
#include "store/signed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stamp.h"
#include "ledger/head.h"
#include "ledger/tail.h"

#define SIGNED_MAX 1024		/* bytes */
#define FILE_LEN 64

void
signed_none(struct signed_head *h, int64_t time_ms)
{
	h->size = 0;
	hash_spans(&h->root, NULL, 0);
	h->time_ms = time_ms;
}

/*
 * What tells one file from any copy of it.  Numbers are given out again; with
 * the time of birth, where the file system has it, they are not.
 */
static int
identify(char out[FILE_LEN], int fd, struct err *e)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0)
		return err_sys(e, SIGNED_PATH);
	if ((st.stx_mask & STATX_BTIME) == 0)
		st.stx_btime.tv_sec = st.stx_btime.tv_nsec = 0;
	snprintf(out, FILE_LEN, "%llu %lld.%09u",
	    (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec,
	    st.stx_btime.tv_nsec);
	return 0;
}

static int
format(struct buf *out, const struct hash *ledger,
    const struct signed_head *h, const char *file, struct err *e)
{
	char root[HASH_HEX], time[STAMP_LEN + 1];

	hash_format(root, &h->root);
	stamp_format(time, h->time_ms);
	head_add(out, "signed", ledger);
	buf_addf(out, "size %llu\nroot %s\ntime %s\nfile %s\n",
	    (unsigned long long)h->size, root, time, file);
	tail_add(out, 0);
	return buf_check(out, SIGNED_PATH, e);
}

int
signed_write(int dirfd, const struct hash *ledger,
    const struct signed_head *h, struct err *e)
{
	struct buf text = BUF_INIT(SIGNED_MAX);
	char file[FILE_LEN];
	struct fs_temp t;
	int r;

	if (fs_temp_open(&t, dirfd, "tmp", 0600, e) != 0)
		return -1;
	r = identify(file, t.fd, e);
	if (r == 0)
		r = format(&text, ledger, h, file, e);
	if (r == 0 && fs_write_all(t.fd, text.p, text.len) != 0)
		r = err_sys(e, SIGNED_PATH);
	buf_free(&text);
	if (r == 0)
		return fs_temp_commit(&t, SIGNED_PATH, false, e);
	fs_temp_abort(&t);
	return -1;
}

static int
parse(struct signed_head *h, struct span *file, struct span whole,
    const struct hash *ledger, struct err *e)
{
	struct text t;

	text_init(&t, whole, SIGNED_PATH);
	if (head_expect(&t, "signed", ledger, e) != 0 ||
	    text_u64(&t, "size", INT64_MAX, &h->size, e) != 0 ||
	    text_hash(&t, "root", h->root.b, e) != 0 ||
	    text_time(&t, "time", &h->time_ms, e) != 0 ||
	    text_key(&t, "file", file, e) != 0)
		return -1;
	return tail_expect(&t, whole, e);
}

int
signed_read(struct signed_head *h, bool *copy, int dirfd,
    const struct hash *ledger, struct err *e)
{
	struct buf text = BUF_INIT(SIGNED_MAX);
	int fd = openat(dirfd, SIGNED_PATH,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char file[FILE_LEN];
	struct span said;
	int r;

	*copy = false;
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NO, "%s: is not there", SIGNED_PATH);
	if (fd < 0)
		return err_sys(e, SIGNED_PATH);
	r = identify(file, fd, e);
	if (r == 0)
		r = fs_read_fd(&text, fd, SIGNED_PATH, e);
	close(fd);
	if (r == 0)
		r = parse(h, &said, buf_span(&text), ledger, e);
	if (r == 0 && !span_is(said, file)) {
		*copy = true;
		r = err_set(e, ERR_NO, "%s: is a copy of the file that it was",
		    SIGNED_PATH);
	}
	buf_free(&text);
	return r;
}
