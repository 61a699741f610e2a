/* pace: what a progress line says. */
#include <stdio.h>

#include "check.h"
#include "cli/pace.h"

static struct pace p;

static const char *
text(int64_t now_ms, unsigned columns)
{
	static char out[PACE_TEXT_MAX];

	pace_text(out, &p, now_ms, columns);
	return out;
}

/* At first nothing is known of speed. */
static void
beginning(void)
{
	pace_start(&p, "blocks", 5000);
	CHECK_STR(text(5000, 80), "blocks: 0");
	pace_set(&p, 7, 0, 0, 5100);
	CHECK_STR(text(5100, 80), "blocks: 7");
	pace_set(&p, 8, 40, 2048, 5200);
	CHECK_STR(text(5200, 80), "blocks: 8/40, 2.0 KiB");
	CHECK_STR(text(6000, 80), "blocks: 8/40, 2.0 KiB, 2.0 KiB/s, "
	    "0:04 left");
}

/* Items when there are no bytes; no time without a total, or at the end. */
static void
parts(void)
{
	pace_start(&p, "sealing", 0);
	pace_set(&p, 300, 0, 0, 2000);
	CHECK_STR(text(2000, 80), "sealing: 300, 150/s");
	pace_set(&p, 300, 300, 0, 2500);
	CHECK_STR(text(3000, 80), "sealing: 300/300, 100/s");
	pace_set(&p, 400, 300, 0, 3000);	/* more than was said */
	CHECK_STR(text(4000, 80), "sealing: 400/300, 100/s");
}

static void
sizes(void)
{
	static const struct { uint64_t bytes; const char *text; } c[] = {
		{ 1, "x: 0, 1 B" }, { 1023, "x: 0, 1023 B" },
		{ 1024, "x: 0, 1.0 KiB" }, { 1048575, "x: 0, 1.0 MiB" },
		{ 1u << 30, "x: 0, 1.0 GiB" },
		{ (uint64_t)5000 << 40, "x: 0, 5000.0 TiB" }
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		pace_start(&p, "x", 0);
		pace_set(&p, 0, 0, c[i].bytes, 10);
		CHECK_STR(text(10, 80), c[i].text);
	}
}

static void
times(void)
{
	static const struct { uint64_t total; const char *text; } c[] = {
		{ 11, "x: 1/11, 1/s, 0:10 left" },
		{ 600, "x: 1/600, 1/s, 9:59 left" },
		{ 3600, "x: 1/3600, 1/s, 59:59 left" },
		{ 3601, "x: 1/3601, 1/s, 1:00:00 left" },
		{ 86401, "x: 1/86401, 1/s, 1 days left" },
		{ UINT64_MAX, "x: 1/18446744073709551615, 1/s" }
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		pace_start(&p, "x", 0);
		pace_set(&p, 1, c[i].total, 0, 10);
		CHECK_STR(text(1000, 80), c[i].text);
	}
}

/* What was long ago does not count, whether the speed then was another one or
 * nothing has moved since. */
static void
window(void)
{
	pace_start(&p, "blocks", 0);
	for (int s = 1; s <= 100; s++)
		pace_set(&p, 10u * (unsigned)s, 10000, 0, 1000 * s);
	CHECK_STR(text(100000, 80), "blocks: 1000/10000, 10/s, 15:00 left");
	for (int s = 1; s <= 20; s++)
		pace_set(&p, 1000 + 100u * (unsigned)s, 10000, 0,
		    100000 + 1000 * s);
	CHECK_STR(text(120000, 80), "blocks: 3000/10000, 100/s, 1:10 left");
	CHECK_STR(text(180000, 80), "blocks: 3000/10000, 0/s");
	pace_set(&p, 3100, 10000, 0, 180000);
	CHECK_STR(text(180000, 80), "blocks: 3100/10000, 2/s, 1:09:00 left");
}

/* No wider than the terminal: what counts less goes first. */
static void
narrow(void)
{
	pace_start(&p, "blocks", 0);
	pace_set(&p, 10, 40, 2048, 900);
	CHECK_STR(text(1000, 44), "blocks: 10/40, 2.0 KiB, 2.0 KiB/s, 0:03 left");
	CHECK_STR(text(1000, 43), "blocks: 10/40, 2.0 KiB/s, 0:03 left");
	CHECK_STR(text(1000, 34), "blocks: 10/40, 0:03 left");
	CHECK_STR(text(1000, 23), "blocks: 10/40");
	CHECK_STR(text(1000, 5), "block");
	CHECK_STR(text(1000, 0), "");
	/* All that a line can be is in the room that it has. */
	pace_start(&p, "a name that is longer than any job should have one", 0);
	pace_set(&p, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, 900);
	CHECK(strlen(text(1000, 4000)) < PACE_TEXT_MAX);
	CHECK(strstr(text(1000, 4000), " left") != NULL);
}

int
main(void)
{
	beginning();
	parts();
	sizes();
	times();
	window();
	narrow();
	return check_done("pace");
}
