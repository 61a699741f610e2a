/* audit_store: waiting items and logs of an audit. */
#ifndef LOG_AUDIT_STORE_H
#define LOG_AUDIT_STORE_H

#include "log/audit_base.h"

/* Both: db is the state that the blocks gave. */

/* Segments of pending and staged items, and the signatures of these. */
int audit_waiting(struct audit *a, struct db *db, struct err *e);

/* Logs, tiles and checkpoints against blocks; nothing when the chain itself is
 * broken. */
int audit_logs(struct audit *a, struct db *db, struct err *e);

#endif
