/*
 * object_find: where the bytes of an object lie.  Only for object*.c.
 */
#ifndef STORE_OBJECT_FIND_H
#define STORE_OBJECT_FIND_H

#include "store/object_index.h"

#define OBJECT_PATH_LEN 96	/* room for a path below .ehr and a NUL */

struct object_place {
	int fd;			/* open; the caller closes it */
	bool in_segment;
	uint64_t at, size;
	char path[OBJECT_PATH_LEN];
};

/* The path of a loose object, objects/xx/HEX, and of its folder. */
void object_path(char out[OBJECT_PATH_LEN], const struct hash *id);
void object_folder(char out[OBJECT_PATH_LEN], const struct hash *id);

/*
 * Find an object: 1 with p open for reading, 0 not here, -1 error.  What was
 * erased from a segment is not here; *erased (may be NULL) then says so.
 */
int object_find(struct object_place *p, struct repo *r, const struct hash *id,
    bool *erased, struct err *e);

/* The same without a look for new segments; for many, after one look. */
int object_find_known(struct object_place *p, struct repo *r,
    const struct hash *id, bool *erased, struct err *e);

/*
 * Open one place of a segment with open(2)'s flags: 1 p is open, 0 there is
 * no such file, -1 error.
 */
int object_row_open(struct object_place *p, const struct repo *r,
    const struct object_row *row, int flags, struct err *e);

/* Does the line before the item name this object and its size? */
bool object_row_names(const struct object_place *p, const struct hash *id);

/*
 * Read n bytes from offset at of the item.  ERR_BAD when the file ends before.
 */
int object_place_read(const struct object_place *p, const struct repo *r,
    void *to, uint64_t at, size_t n, struct err *e);

/* Hash all of it. */
int object_place_hash(const struct object_place *p, const struct repo *r,
    struct hash *out, struct err *e);

/* Was it erased: are all bytes zero, and is that not what id says? 1, 0, -1. */
int object_place_erased(const struct object_place *p, const struct repo *r,
    const struct hash *id, struct err *e);

#endif
