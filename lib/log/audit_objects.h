/* audit_objects: the stored objects of an audit. */
#ifndef LOG_AUDIT_OBJECTS_H
#define LOG_AUDIT_OBJECTS_H

#include "log/audit_base.h"

/*
 * Hash every stored object where it lies, files and segments, without the
 * index; and see whether those that the state in db, a scratch database, names
 * are among them, and those that it dismissed are not.
 */
int audit_objects(struct audit *a, struct db *db, struct err *e);

#endif
