/* known_file: the file peers of a ledger directory (known.h). */
#ifndef NET_KNOWN_FILE_H
#define NET_KNOWN_FILE_H

#include "net/known.h"
#include "store/repo.h"

#define KNOWN_FILE "peers"

/*
 * Read a ledger directory's file; one that is missing, damaged or of another
 * ledger is empty, as nothing hangs on it.  Write it, if it differs.
 */
void known_load(struct known *k, struct repo *r);
int known_store(const struct known *k, struct repo *r, struct err *e);

/* Read it, and say what is wrong with it: ERR_NO, ERR_BAD. */
int known_look(struct known *k, struct repo *r, struct err *e);

/*
 * What we tell others: our own address, those of our config (given as such, or
 * in a command "ssh ADDRESS ehr-serve"), and those that we were told of.
 */
void known_told(struct known *out, struct repo *r);

#endif
