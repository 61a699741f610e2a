/*
 * check: the whole of our unit test framework.
 *
 * CHECK(cond) counts a failure and says where; check_done ends a program.
 */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H

#include <stdio.h>
#include <string.h>

static int checks_made, checks_failed;

#define CHECK(cond) do { \
	checks_made++; \
	if (!(cond)) { \
		checks_failed++; \
		printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
	} \
} while (0)

#define CHECK_STR(got, want) do { \
	const char *check_got = (got), *check_want = (want); \
	checks_made++; \
	if (strcmp(check_got, check_want) != 0) { \
		checks_failed++; \
		printf("%s:%d: got \"%s\", want \"%s\"\n", __FILE__, \
		    __LINE__, check_got, check_want); \
	} \
} while (0)

/* Print the result; the value is main's exit status. */
static inline int
check_done(const char *name)
{
	if (checks_failed == 0)
		printf("ok %s %d checks\n", name, checks_made);
	else
		printf("not ok %s: %d of %d checks failed\n", name,
		    checks_failed, checks_made);
	return checks_failed != 0;
}

#endif
