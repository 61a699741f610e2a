/* bundle_out: writing a bundle's tar (ehr-bundle(5)), with libarchive. */
#ifndef STORE_BUNDLE_OUT_H
#define STORE_BUNDLE_OUT_H

#include "ledger/bundle.h"

struct bundle_out;

/*
 * Begin one on the descriptor fd, which is borrowed.  Errors are ERR_SYS; one
 * of the writer is repeated by what follows.
 */
int bundle_out_open(struct bundle_out **out, int fd, struct err *e);

/* The next entry, with the size that its data will have; then the data. */
int bundle_out_entry(struct bundle_out *o, const char *name, uint64_t size,
    struct err *e);
int bundle_out_data(struct bundle_out *o, const void *p, size_t n,
    struct err *e);

/* The entry "end".  Frees o in either outcome. */
int bundle_out_commit(struct bundle_out *o, struct err *e);
void bundle_out_abort(struct bundle_out *o);	/* NULL does nothing */

/* Bytes written so far. */
uint64_t bundle_out_bytes(const struct bundle_out *o);

/* The last bytes of a bundle, when all before them has that hash. */
int bundle_tail(unsigned char out[BUNDLE_TAIL], const struct hash *before,
    struct err *e);

#endif
