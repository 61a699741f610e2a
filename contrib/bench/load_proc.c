/* What processes have used: /proc/PID/stat and status. */
#define _POSIX_C_SOURCE 200809L	/* O_CLOEXEC */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load.h"

#define PROCS_MAX 4096

struct proc {
	long pid, parent;
	double cpu_s;		/* its own, and that of children that ended */
	bool ours;
};

static struct proc proc[PROCS_MAX];
static size_t nproc;

static void
read_proc(const char *pid)
{
	long tick = sysconf(_SC_CLK_TCK);
	unsigned long t[4];
	char path[64], line[1024], *p;
	struct proc *q = &proc[nproc];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	/* The name in parentheses may hold anything. */
	if (fgets(line, sizeof(line), f) != NULL &&
	    (p = strrchr(line, ')')) != NULL &&
	    sscanf(p + 2, "%*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%lu %lu %lu %lu", &q->parent, &t[0], &t[1], &t[2], &t[3]) == 5) {
		q->pid = atol(pid);
		q->cpu_s = (double)(t[0] + t[1] + t[2] + t[3]) / (double)tick;
		q->ours = false;
		nproc++;
	}
	fclose(f);
}

static void
read_all(void)
{
	DIR *d = opendir("/proc");
	struct dirent *x;

	nproc = 0;
	if (d == NULL)
		load_die("/proc", NULL);
	while ((x = readdir(d)) != NULL && nproc < PROCS_MAX)
		if (isdigit((unsigned char)x->d_name[0]))
			read_proc(x->d_name);
	closedir(d);
}

static bool
parent_is_ours(const struct proc *q)
{
	for (size_t i = 0; i < nproc; i++)
		if (proc[i].ours && proc[i].pid == q->parent)
			return true;
	return false;
}

static void
mark_ours(const char *pids)
{
	bool more = true;
	char *end;

	for (; *pids != '\0'; pids = *end == ',' ? end + 1 : end) {
		long pid = strtol(pids, &end, 10);

		if (end == pids)
			load_die("a list of process ids, please", NULL);
		for (size_t i = 0; i < nproc; i++)
			proc[i].ours = proc[i].ours || proc[i].pid == pid;
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < nproc; i++)
			if (!proc[i].ours && parent_is_ours(&proc[i]))
				more = proc[i].ours = true;
	}
}

static unsigned long
peak(long pid)
{
	unsigned long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void
read_counters(struct load_usage *u, const char *path)
{
	struct count c;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, sizeof(c)) != sizeof(c))
		load_die(path, NULL);
	close(fd);
	u->fsyncs = c.fsyncs;
	u->messages = c.messages;
	u->bytes = c.bytes;
}

void
load_usage(struct load_usage *u, const char *pids, const char *counters)
{
	memset(u, 0, sizeof(*u));
	if (counters != NULL)
		read_counters(u, counters);
	read_all();
	mark_ours(pids);
	for (size_t i = 0; i < nproc; i++) {
		unsigned long kib;

		if (!proc[i].ours)
			continue;
		kib = peak(proc[i].pid);
		u->cpu_s += proc[i].cpu_s;
		u->processes++;
		u->sum_kib += kib;
		if (kib > u->peak_kib)
			u->peak_kib = kib;
	}
}
