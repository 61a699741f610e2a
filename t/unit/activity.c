/* activity: bars of hours, and what becomes of them when there are many. */
#include "check.h"

#include "base/stamp.h"
#include "log/activity.h"

static struct activity a;

static int64_t
at(const char *text)
{
	int64_t ms = -1;

	CHECK(stamp_parse(&ms, span_str(text)) == 0);
	return ms;
}

static bool
is_named(size_t i, const char *want)
{
	char name[ACTIVITY_NAME_LEN];

	activity_name(name, &a, i);
	return strcmp(name, want) == 0;
}

/* All that was added is in some bar. */
static bool
sums(uint64_t blocks, uint64_t txs)
{
	for (size_t i = 0; i < ACTIVITY_BARS; i++) {
		CHECK(i < a.n || a.bar[i].blocks == 0);
		blocks -= a.bar[i].blocks;
		txs -= a.bar[i].txs;
	}
	return blocks == 0 && txs == 0;
}

static bool
shows(const char *text)
{
	struct buf out = BUF_INIT(1 << 20);
	bool found;

	activity_svg(&out, &a);
	CHECK(!out.failed);
	buf_addc(&out, '\0');
	found = strstr((char *)out.p, text) != NULL;
	buf_free(&out);
	return found;
}

static void
hours(void)
{
	memset(&a, 0, sizeof(a));
	CHECK(shows("<svg") && a.n == 0);
	activity_add(&a, at("2026-11-22T21:59:59.999Z"), 3);
	activity_add(&a, at("2026-11-22T22:00:00.000Z"), 4);
	activity_add(&a, at("2026-11-22T22:00:00.001Z"), 0);
	activity_add(&a, at("2026-11-23T01:00:00.000Z"), 7);
	CHECK(a.unit == ACTIVITY_HOUR && a.n == 5 && sums(4, 14));
	CHECK(a.bar[0].txs == 3 && a.bar[1].txs == 4 && a.bar[1].blocks == 2);
	CHECK(a.bar[2].blocks == 0 && a.bar[3].blocks == 0);
	CHECK(is_named(0, "2026-11-22_21") && is_named(4, "2026-11-23_01"));
	CHECK(shows("2026-11-22_22: transactions 4, blocks 2"));
	CHECK(!shows("2026-11-22_23"));
	CHECK(strcmp(activity_unit_name(&a), "hour") == 0);
	/* The axis ends at 10. */
	CHECK(shows(">10<") && shows(">5<"));
}

/* One block more than there are bars folds; the last that fits does not. */
static void
borders(void)
{
	int64_t start = at("2026-02-27T00:00:00.000Z");

	memset(&a, 0, sizeof(a));
	for (int i = 0; i < ACTIVITY_BARS; i++)
		activity_add(&a, start + i * STAMP_HOUR_MS, 1);
	CHECK(a.unit == ACTIVITY_HOUR && a.n == ACTIVITY_BARS);
	CHECK(sums(ACTIVITY_BARS, ACTIVITY_BARS));
	activity_add(&a, start + ACTIVITY_BARS * STAMP_HOUR_MS, 1);
	CHECK(a.unit == ACTIVITY_DAY && a.n == 8);
	CHECK(sums(ACTIVITY_BARS + 1, ACTIVITY_BARS + 1));
	CHECK(a.bar[0].txs == 24 && a.bar[7].txs == 1);
	CHECK(is_named(1, "2026-02-28") && is_named(2, "2026-03-01"));
	activity_add(&a, start + 167LL * 24 * STAMP_HOUR_MS, 1);
	CHECK(a.unit == ACTIVITY_DAY && a.n == ACTIVITY_BARS);
	activity_add(&a, start + 168LL * 24 * STAMP_HOUR_MS, 1);
	CHECK(a.unit == ACTIVITY_MONTH && a.n == 7);
	CHECK(a.bar[0].txs == 48 && a.bar[1].txs == 121);
	CHECK(is_named(0, "2026-02") && is_named(6, "2026-08"));
	CHECK(sums(ACTIVITY_BARS + 3, ACTIVITY_BARS + 3));
}

static void
ages(void)
{
	activity_add(&a, at("2027-01-01T00:00:00.000Z"), 1);
	CHECK(a.unit == ACTIVITY_MONTH && is_named(11, "2027-01"));
	CHECK(a.n == 12 && a.bar[11].txs == 1);
	activity_add(&a, at("2040-02-01T00:00:00.000Z"), 5);
	CHECK(a.unit == ACTIVITY_YEAR && is_named(0, "2026") && a.n == 15);
	CHECK(a.bar[0].txs == ACTIVITY_BARS + 3);
	CHECK(strcmp(activity_unit_name(&a), "year") == 0);
	/* From hours at once to centuries: as far as a time can be. */
	memset(&a, 0, sizeof(a));
	activity_add(&a, 0, 1);
	activity_add(&a, STAMP_MAX_MS, 2);
	CHECK(a.unit == ACTIVITY_CENTURY && a.n == 81 && sums(2, 3));
	CHECK(is_named(0, "1900") && is_named(80, "9900"));
}

/* As many as a number can hold. */
static void
masses(void)
{
	memset(&a, 0, sizeof(a));
	activity_add(&a, 0, UINT64_MAX / 2);
	CHECK(shows(">9223372036854775807<") && shows("<rect"));
}

int
main(void)
{
	hours();
	borders();
	ages();
	masses();
	return check_done("activity");
}
