/* link: who is away is tried again at growing intervals, or when it calls. */
#define _GNU_SOURCE
#include "four.h"

#include "base/clock.h"
#include "net/link.h"

static struct four f;
static struct err e;

/* A peer that counts the attempts to reach it, and is away. */
static struct link *
away(const char *name)
{
	char command[64];
	struct link_config c = { .repo = f.r[0]->path, .peer = name,
	    .command = command, .bell = -1, .keep = true };
	struct link *l = NULL;

	snprintf(command, sizeof(command), "echo >>%s; exit 1", name);
	CHECK(link_start(&l, &c, &e) == 0);
	return l;
}

static off_t
attempts(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? st.st_size : 0;
}

/* The fourth attempt to reach one who does not call comes after 3.5 s: the
 * other, tried twice a second, has had more by then, but not as many as there
 * were calls. */
static void
called(void)
{
	struct link *silent = away("silent"), *loud = away("loud");
	int64_t until = clock_mono_ms() + 60000;
	int calls = 0;

	for (; attempts("silent") < 4 && clock_mono_ms() < until; calls++) {
		link_retry(loud);
		usleep(20000);
	}
	CHECK(attempts("silent") == 4);
	CHECK(attempts("loud") > 4 && attempts("loud") <= 9);
	CHECK(calls > 9);
	link_end(silent);
	link_end(loud);
	CHECK(link_join(silent, until) && link_join(loud, until));
}

int
main(void)
{
	struct settings s;

	scratch_open();
	settings_default(&s);
	four_open(&f, 2, &s);
	called();
	four_close(&f);
	scratch_close();
	return check_done("link");
}
