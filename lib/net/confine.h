/*
 * confine: what a server takes from itself before it reads a peer's first
 * byte, so that a flaw in a parser reaches nothing but the ledger: with
 * Landlock every file but those that serving needs, with seccomp every system
 * call but those.
 */
#ifndef NET_CONFINE_H
#define NET_CONFINE_H

#include "store/repo.h"

/*
 * Confine this process and the threads that it makes, for good, to serving r:
 *
 *   - the node's key and the ledger secret are read now (repo_keep_keys) and
 *     then no more, nor anything else outside of the folders of the ledger
 *     directory that hold blocks, objects and what waits; state.db is opened;
 *   - no program is started, no memory made executable, no socket made, no
 *     process traced or signalled, no limit raised.
 *
 * What the kernel lacks is not there, and tell (may be NULL) gets a line for
 * it.  ERR_NO: a folder of the ledger directory is a symbolic link, which leads
 * out of it; ERR_SYS.  To be called before there are threads.
 */
int confine(struct repo *r, void (*tell)(void *arg, const char *line),
    void *arg, struct err *e);

/* At most so many bytes of memory for data, for good.  To be called before
 * confine, after which no limit is set. */
int confine_memory(uint64_t bytes, struct err *e);

#endif
