/* confine_part: the two halves of confine.c; private. */
#ifndef NET_CONFINE_PART_H
#define NET_CONFINE_PART_H

#include "store/repo.h"

/* Sanitizers and gcov have memory, files and processes of their own. */
#ifdef EHR_MEASURED
#define CONFINE_NEVER 1
#else
#define CONFINE_NEVER 0
#endif

/*
 * Landlock: 1 in force, 0 the kernel lacks it, -1.  The folders are looked at
 * in any case.
 */
int confine_files(struct repo *r, struct err *e);

/* seccomp: 1 in force, 0 the kernel lacks it, -1. */
int confine_calls(struct err *e);

#endif
