/* pkt, pipe: framing, its limits, and a peer that is slow, gone or wrong. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/fs.h"
#include "net/pipe.h"
#include "net/pkt.h"

static struct err e;

/* A reader of these bytes, which then end. */
static void
reader(struct pkt *p, const char *bytes, size_t n)
{
	int fd[2];

	CHECK(pipe(fd) == 0 && write(fd[1], bytes, n) == (ssize_t)n);
	close(fd[1]);
	pkt_init(p, fd[0], -1, 1000);
}

static void
done(struct pkt *p)
{
	close(p->in);
	pkt_free(p);
}

static void
reading(void)
{
	static const char bytes[] = "0009head\n00000005x000cpay\nload0000";
	struct buf b = BUF_INIT(100);
	struct pkt p;

	reader(&p, bytes, sizeof(bytes) - 1);
	CHECK(pkt_wait(&p, 100, &e) == 1);
	CHECK(pkt_read_line(&p, &b, &e) == 0 && span_is(buf_span(&b), "head"));
	CHECK(pkt_read_flush(&p, &e) == 0);
	CHECK(pkt_wait(&p, 100, &e) == 1);
	CHECK(pkt_read(&p, &b, &e) == 1 && span_is(buf_span(&b), "x"));
	CHECK(pkt_read(&p, &b, &e) == 1 && b.len == 8);
	CHECK(pkt_read(&p, &b, &e) == 0 && b.len == 0);
	CHECK(p.bytes_in == sizeof(bytes) - 2 || p.bytes_in > 0);
	CHECK(pkt_wait(&p, 100, &e) == 0);
	CHECK(pkt_read(&p, &b, &e) == -1 && e.kind == ERR_AGAIN);
	done(&p);

	reader(&p, bytes, sizeof(bytes) - 1);
	CHECK(pkt_read_all(&p, &b, &e) == 0 && b.len == 5);
	CHECK(pkt_read_all(&p, &b, &e) == 0 && span_is(buf_span(&b),
	    "head\nxpay\nload"));
	done(&p);
	/* Not more than fits. */
	reader(&p, bytes, sizeof(bytes) - 1);
	buf_free(&b);
	b.max = 4;
	CHECK(pkt_read_all(&p, &b, &e) == -1 && e.kind == ERR_BAD);
	done(&p);
	buf_free(&b);
}

/* What these bytes are to pkt_read. */
static enum err_kind
fails(const char *bytes, size_t n)
{
	struct buf b = BUF_INIT(PKT_DATA_MAX);
	struct pkt p;
	int got;

	e.kind = ERR_NONE;
	reader(&p, bytes, n);
	got = pkt_read(&p, &b, &e);
	CHECK((got == -1) == (e.kind != ERR_NONE));
	done(&p);
	buf_free(&b);
	return e.kind;
}

static void
malformed(void)
{
	static const char *const bad[] = { "0001", "0002", "0003", "0004",
	    "fff1", "ffff", "00g5x", "0xa5", "FFF0", "00-5", " 005", "+005" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(fails(bad[i], strlen(bad[i])) == ERR_BAD);
	CHECK(fails("", 0) == ERR_AGAIN);
	CHECK(fails("000", 3) == ERR_AGAIN);
	CHECK(fails("0006x", 5) == ERR_AGAIN);
	CHECK(fails("0005x", 5) == ERR_NONE);
	CHECK(fails("0000", 4) == ERR_NONE);
}

static void
lines(void)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = { { "0000", 4 }, { "0005\n", 5 }, { "0006ab", 6 },
	    { "0007a\tb", 7 }, { "0008a\tb\n", 8 }, { "0008a\nb\n", 8 },
	    { "0007a\0\n", 7 }, { "0007\xff" "a\n", 7 } };
	struct buf b = BUF_INIT(100);
	struct pkt p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reader(&p, bad[i].bytes, bad[i].n);
		CHECK(pkt_read_line(&p, &b, &e) == -1 && e.kind == ERR_BAD);
		done(&p);
	}
	reader(&p, "0007\xc3\xa9\n", 7);
	CHECK(pkt_read_line(&p, &b, &e) == 0 && b.len == 2);
	done(&p);
	buf_free(&b);
}

static void
limit(void)
{
	struct buf b = BUF_INIT(100);
	struct pkt p;

	reader(&p, "0009abcde0009abcde", 18);
	p.limit_in = 12;
	CHECK(pkt_read(&p, &b, &e) == 1);
	CHECK(pkt_read(&p, &b, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(strstr(e.msg, "over 12 bytes") != NULL);
	done(&p);

	/* Time: also for who has always something to say. */
	reader(&p, "0009abcde0009abcde", 18);
	p.end_ms = clock_mono_ms() + 100000;
	CHECK(pkt_read(&p, &b, &e) == 1);
	p.end_ms = clock_mono_ms();
	CHECK(pkt_read(&p, &b, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(strstr(e.msg, "has lasted") != NULL);
	done(&p);
	buf_free(&b);
}

/* Writing into a pipe, and what came out of it. */
static void
writing(void)
{
	struct buf b = BUF_INIT(1 << 20);
	unsigned char *data = malloc(200000);
	struct pkt p;
	int fd[2];

	CHECK(pipe(fd) == 0);
	pkt_init(&p, fd[0], fd[1], 1000);
	CHECK(pkt_line(&p, &e, "number %d", 5) == 0);
	CHECK(pkt_write(&p, span_str("data"), &e) == 0);
	CHECK(pkt_write(&p, span_of(NULL, 0), &e) == 0);
	CHECK(pkt_flush(&p, &e) == 0);
	close(fd[1]);
	CHECK(fs_read_fd(&b, fd[0], "pipe", &e) == 0);
	CHECK(span_is(buf_span(&b), "000dnumber 5\n0008data0000"));
	CHECK(p.bytes_out == b.len);
	done(&p);
	buf_reset(&b);

	/* Long data becomes several packets, the longest there are. */
	memset(data, 'x', 200000);
	CHECK(pipe(fd) == 0 && fcntl(fd[1], F_SETPIPE_SZ, 1 << 20) > 0);
	pkt_init(&p, fd[0], fd[1], 1000);
	CHECK(pkt_write(&p, span_of(data, 200000), &e) == 0);
	CHECK(pkt_flush(&p, &e) == 0);
	CHECK(pkt_read(&p, &b, &e) == 1 && b.len == PKT_DATA_MAX);
	CHECK(pkt_read_all(&p, &b, &e) == 0 && b.len == 200000);
	CHECK(memcmp(b.p, data, 200000) == 0);
	/* A line that is too long is an error, not cut. */
	data[1999] = '\0';
	CHECK(pkt_line(&p, &e, "%s", (char *)data) == -1);
	close(fd[1]);
	done(&p);
	buf_free(&b);
	free(data);
}

/* Nobody reads; nobody writes; the reader goes away. */
static void
silence(void)
{
	struct buf b = BUF_INIT(100);
	unsigned char *data = calloc(1, 1 << 20);
	int64_t start = clock_mono_ms();
	struct pkt p;
	int fd[2], r = 0;

	CHECK(pipe(fd) == 0);
	pkt_init(&p, fd[0], fd[1], 100);
	CHECK(pkt_read(&p, &b, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(pkt_wait(&p, 50, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(clock_mono_ms() - start < 1000);
	/* Not full, but without room for much. */
	start = clock_mono_ms();
	CHECK(write(fd[1], data, 5000) == 5000);
	for (int i = 0; i < 10 && r == 0; i++)
		r = pkt_write(&p, span_of(data, 1 << 20), &e);
	CHECK(r == -1 && e.kind == ERR_AGAIN);
	CHECK(clock_mono_ms() - start < 2000);
	close(fd[0]);
	CHECK(pkt_send(&p, &e) == -1 && e.kind == ERR_AGAIN);
	CHECK(strcmp(e.msg, "the other end is gone") == 0);
	close(fd[1]);
	pkt_free(&p);
	buf_free(&b);
	free(data);
}

struct slow {
	int fd;
	const char *bytes;
	size_t n;
	int nap_ms;
};

static void *
write_slowly(void *arg)
{
	struct slow *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		if (write(s->fd, s->bytes + i, 1) != 1)
			break;
		usleep((useconds_t)s->nap_ms * 1000);
	}
	close(s->fd);
	return NULL;
}

/* One byte each nap_ms, with a limit of 300 ms: does the packet come? */
static bool
comes(int nap_ms)
{
	struct buf b = BUF_INIT(100);
	struct slow s = { .bytes = "0014sixteen bytes are", .n = 20,
	    .nap_ms = nap_ms };
	struct pkt p;
	pthread_t t;
	int fd[2];
	bool yes;

	CHECK(pipe(fd) == 0);
	s.fd = fd[1];
	pkt_init(&p, fd[0], -1, 300);
	CHECK(pthread_create(&t, NULL, write_slowly, &s) == 0);
	yes = pkt_read(&p, &b, &e) == 1;
	CHECK(yes || e.kind == ERR_AGAIN);
	close(fd[0]);
	pthread_join(t, NULL);
	pkt_free(&p);
	buf_free(&b);
	return yes;
}

static void
slowness(void)
{
	CHECK(comes(2));
	CHECK(!comes(60));
}

/* Most of a packet comes at once, and then nothing: what came earns no more
 * time than the limit. */
static void
stalling(void)
{
	enum { SIZE = 20000, CAME = 15000, LIMIT_MS = 300 };
	char *bytes = calloc(1, CAME);
	struct buf b = BUF_INIT(SIZE);
	struct pkt p;
	int64_t start = clock_mono_ms();
	int fd[2];

	CHECK(bytes != NULL && pipe(fd) == 0);
	memcpy(bytes, "4e20", 4);	/* 20000 */
	CHECK(write(fd[1], bytes, CAME) == CAME);
	pkt_init(&p, fd[0], -1, LIMIT_MS);
	CHECK(pkt_read(&p, &b, &e) == -1 && e.kind == ERR_AGAIN);
	/* Not a test of speed: each byte's millisecond would make it 15 s. */
	CHECK(clock_mono_ms() - start < CAME / 2);
	close(fd[0]);
	close(fd[1]);
	pkt_free(&p);
	buf_free(&b);
	free(bytes);
}

/* --- pipe ----------------------------------------------------------------- */

static bool
alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static void
commands(void)
{
	struct pipe_command c;
	struct buf b = BUF_INIT(100);
	struct pkt p;
	int status;

	CHECK(pipe_open(&c, "cat", &e) == 0 && alive(c.pid));
	pkt_init(&p, c.from, c.to, 2000);
	CHECK(pkt_line(&p, &e, "there and back") == 0);
	CHECK(pkt_flush(&p, &e) == 0);
	CHECK(pkt_read_line(&p, &b, &e) == 0 &&
	    span_is(buf_span(&b), "there and back"));
	pipe_close(&c, 2000, &status);
	CHECK(status == 0 && c.pid == -1);
	pipe_close(&c, 2000, &status);
	CHECK(status == 0);
	pkt_free(&p);

	CHECK(pipe_open(&c, "exit 7", &e) == 0);
	pipe_close(&c, 2000, &status);
	CHECK(status == 7);
	CHECK(pipe_open(&c, "kill -9 $$", &e) == 0);
	pipe_close(&c, 2000, &status);
	CHECK(status == 128 + 9);
	CHECK(pipe_open(&c, "no-such-command 2>/dev/null", &e) == 0);
	pipe_close(&c, 2000, &status);
	CHECK(status == 127);
	/* A command like an option is still a command. */
	CHECK(pipe_open(&c, "-x 2>/dev/null", &e) == 0);
	pipe_close(&c, 2000, &status);
	CHECK(status == 127);
	buf_free(&b);
}

/* One that will not end is ended, with what it started. */
static void
stubborn(void)
{
	int64_t start = clock_mono_ms();
	struct pipe_command c;
	struct buf b = BUF_INIT(100);
	struct pkt p;
	pid_t child;
	int status;

	CHECK(pipe_open(&c, "sleep 100 & echo 000a$(printf '%05d' $!); "
	    "printf 0000; wait", &e) == 0);
	pkt_init(&p, c.from, c.to, 2000);
	CHECK(pkt_read(&p, &b, &e) == 1);
	buf_addc(&b, '\0');
	child = (pid_t)atoi((const char *)b.p);
	CHECK(alive(child));
	/* Not that it writes when we have closed, and ends of that. */
	CHECK(pkt_read_flush(&p, &e) == 0);
	pkt_free(&p);
	pipe_close(&c, 100, &status);
	CHECK(status > 128 && clock_mono_ms() - start < 8000);
	for (int i = 0; c.group && i < 100 && alive(child); i++)
		usleep(20000);
	/* Nobody may have reaped it: dead is enough. */
	if (c.group && alive(child)) {
		char path[64], line[200] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
		if ((f = fopen(path, "r")) != NULL) {
			CHECK(fgets(line, sizeof(line), f) != NULL);
			fclose(f);
		}
		CHECK(line[0] == '\0' || strstr(line, ") Z") != NULL);
	} else if (!c.group)
		kill(child, SIGKILL);
	/* Even one that does not listen. */
	start = clock_mono_ms();
	CHECK(pipe_open(&c, "trap '' TERM; while :; do sleep 0.1; done",
	    &e) == 0);
	usleep(100000);
	pipe_close(&c, 0, &status);
	CHECK(status == 128 + 9 && clock_mono_ms() - start < 8000);
	buf_free(&b);
}

/* A command sees its own pipes and no others, and SIGPIPE as it should be. */
static void
inheritance(void)
{
	/* 0x1000 is SIGPIPE. */
	static const char list[] = "ls /proc/self/fd | wc -l; "
	    "echo $((0x$(sed -n 's/^SigIgn:.//p' /proc/self/status) & 0x1000))"
	    "; exit 3";
	struct buf alone = BUF_INIT(1000), beside = BUF_INIT(1000);
	struct pipe_command one, two;
	int status;

	CHECK(pipe_open(&two, list, &e) == 0);
	fcntl(two.from, F_SETFL, 0);
	CHECK(fs_read_fd(&alone, two.from, "pipe", &e) == 0);
	pipe_close(&two, 2000, &status);
	CHECK(status == 3 && alone.len >= 4);
	CHECK(memcmp(alone.p + alone.len - 3, "\n0\n", 3) == 0);
	CHECK(pipe_open(&one, "cat", &e) == 0);
	CHECK(pipe_open(&two, list, &e) == 0);
	fcntl(two.from, F_SETFL, 0);
	CHECK(fs_read_fd(&beside, two.from, "pipe", &e) == 0);
	CHECK(span_eq(buf_span(&alone), buf_span(&beside)));
	pipe_close(&one, 2000, &status);
	CHECK(status == 0);
	pipe_close(&two, 2000, &status);
	CHECK(status == 3);
	buf_free(&alone);
	buf_free(&beside);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	reading();
	malformed();
	lines();
	limit();
	writing();
	silence();
	slowness();
	stalling();
	commands();
	stubborn();
	inheritance();
	return check_done("pkt");
}
