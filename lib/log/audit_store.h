/* audit_store: objects, waiting items and logs of an audit. */
#ifndef LOG_AUDIT_STORE_H
#define LOG_AUDIT_STORE_H

#include "log/audit_base.h"

/* Hash every stored object; look for those that the state in db names. */
int audit_objects(struct audit *a, struct db *db, struct err *e);

/* Segments of pending and staged items. */
int audit_waiting(struct audit *a, struct err *e);

/* Logs against blocks; nothing when the chain itself is broken. */
int audit_logs(struct audit *a, struct err *e);

#endif
