/*
 * wire: a network of hosts on one machine, with delay and loss, whose links can
 * be cut.
 *
 *	wire [-d MS] [-l PERMILLE] [-r BYTES] [-s SEED] DIR COUNT
 *
 * Makes COUNT network namespaces, at most 9; host N's is open as file 10 + N of
 * this process, so that "nsenter --net=/proc/PID/fd/11" is on host 1, and has
 * an interface "wire" that waits for the address 10.46.0.N.  They have no names
 * and end with the processes that are in them.
 *
 * A packet arrives at the host of its address MS milliseconds later.  PERMILLE
 * of them do not, as the SEED has it.  One way of a link carries BYTES per
 * millisecond, if -r is given.  Nothing passes between hosts I and J, I < J,
 * while there is a file DIR/cut.I-J.
 *
 * The file DIR/ready appears when it begins.  At SIGTERM it says how many
 * packets arrived and were lost and cut, and ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HOSTS_MAX 9
#define FIRST_FD 10	/* of a namespace: a shell has it free */

struct packet {
	struct packet *next;
	int64_t due_us;
	int from, to;
	size_t n;
	unsigned char data[];
};

/* One way of a link. */
struct way {
	struct packet *first, *last;
	int64_t free_us;	/* when what was sent before is through */
};

static const char *dir;
static int nhosts, tun[HOSTS_MAX + 1];
static struct way way[HOSTS_MAX + 1][HOSTS_MAX + 1];
static int64_t delay_us, rate;
static uint64_t loss, seed = 1;
static unsigned long arrived, lost, cut;
static volatile sig_atomic_t ended;

static _Noreturn void
fail(const char *what)
{
	perror(what);
	exit(4);
}

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* xorshift64: the same from the same seed. */
static uint64_t
chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* --- hosts ---------------------------------------------------------------- */

static void
make_host(int host)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int ns;

	if (unshare(CLONE_NEWNET) != 0)
		fail("wire: a network namespace");
	if ((ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0 ||
	    dup3(ns, FIRST_FD + host, O_CLOEXEC) < 0)
		fail("wire: /proc/self/ns/net");
	close(ns);
	tun[host] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun[host] < 0)
		fail("wire: /dev/net/tun");
	memcpy(r.ifr_name, "wire", 5);
	if (ioctl(tun[host], TUNSETIFF, &r) != 0)
		fail("wire: TUNSETIFF");
	/* Out of the way of the namespaces. */
	ns = fcntl(tun[host], F_DUPFD_CLOEXEC, FIRST_FD + HOSTS_MAX + 1);
	if (ns < 0)
		fail("wire");
	close(tun[host]);
	tun[host] = ns;
}

static bool
is_cut(int a, int b)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/cut.%d-%d", dir, a < b ? a : b,
	    a < b ? b : a);
	return access(path, F_OK) == 0;
}

/* --- packets -------------------------------------------------------------- */

static void
send_off(int from, const unsigned char *data, size_t n)
{
	int to = n < 20 || data[0] >> 4 != 4 ? 0 : data[19];
	struct packet *p;
	struct way *w;
	int64_t now = now_us();

	/* What a host says to everybody, or with IPv6. */
	if (to < 1 || to > nhosts || to == from)
		return;
	if (chance() % 1000 < loss) {
		lost++;
		return;
	}
	if ((p = malloc(sizeof(*p) + n)) == NULL)
		fail("wire");
	w = &way[from][to];
	if (w->free_us < now)
		w->free_us = now;
	if (rate > 0)
		w->free_us += (int64_t)n * 1000 / rate;
	*p = (struct packet){ .due_us = w->free_us + delay_us, .from = from,
	    .to = to, .n = n };
	memcpy(p->data, data, n);
	if (w->first == NULL)
		w->first = p;
	else
		w->last->next = p;
	w->last = p;
}

/* Hand over what is due on one way; when the next is, or `next` if earlier. */
static int64_t
deliver(struct way *w, int64_t now, int64_t next)
{
	while (w->first != NULL && w->first->due_us <= now) {
		struct packet *p = w->first;

		if (is_cut(p->from, p->to))
			cut++;
		else if (write(tun[p->to], p->data, p->n) == (ssize_t)p->n)
			arrived++;
		w->first = p->next;
		free(p);
	}
	return w->first != NULL && w->first->due_us < next ?
	    w->first->due_us : next;
}

/* Milliseconds until something is due, -1 if nothing is on its way. */
static int
deliver_all(void)
{
	int64_t now = now_us(), next = INT64_MAX;

	for (int i = 1; i <= nhosts; i++)
		for (int j = 1; j <= nhosts; j++)
			next = deliver(&way[i][j], now, next);
	return next == INT64_MAX ? -1 : (int)((next - now) / 1000) + 1;
}

static void
take(int from)
{
	unsigned char data[65536];
	ssize_t n;

	while ((n = read(tun[from], data, sizeof(data))) > 0)
		send_off(from, data, (size_t)n);
}

static void
run(void)
{
	struct pollfd p[HOSTS_MAX];

	for (int i = 0; i < nhosts; i++)
		p[i] = (struct pollfd){ .fd = tun[i + 1], .events = POLLIN };
	while (!ended) {
		if (poll(p, (nfds_t)nhosts, deliver_all()) < 0)
			continue;
		for (int i = 0; i < nhosts; i++)
			if (p[i].revents != 0)
				take(i + 1);
	}
}

static void
end(int sig)
{
	(void)sig;
	ended = 1;
}

int
main(int argc, char **argv)
{
	char path[4096];
	int c;

	while ((c = getopt(argc, argv, "d:l:r:s:")) != -1)
		switch (c) {
		case 'd': delay_us = atol(optarg) * 1000; break;
		case 'l': loss = strtoul(optarg, NULL, 10); break;
		case 'r': rate = atol(optarg); break;
		case 's': seed = strtoul(optarg, NULL, 10) | 1; break;
		default: return 2;
		}
	if (argc - optind == 2)
		nhosts = atoi(argv[optind + 1]);
	if (nhosts < 1 || nhosts > HOSTS_MAX) {
		fprintf(stderr, "usage: wire [-d MS] [-l PERMILLE] [-r BYTES] "
		    "[-s SEED] DIR COUNT\n");
		return 2;
	}
	dir = argv[optind];
	for (int i = 1; i <= nhosts; i++)
		make_host(i);
	/* A handler, without SA_RESTART: poll returns. */
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, NULL);
	snprintf(path, sizeof(path), "%s/ready", dir);
	if ((c = open(path, O_WRONLY | O_CREAT, 0600)) < 0)
		fail(path);
	close(c);
	run();
	printf("%lu arrived, %lu lost, %lu cut\n", arrived, lost, cut);
	return 0;
}
