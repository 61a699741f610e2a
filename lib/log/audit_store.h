/* audit_store: waiting items and logs of an audit. */
#ifndef LOG_AUDIT_STORE_H
#define LOG_AUDIT_STORE_H

#include "log/audit_base.h"

/* Segments of pending and staged items. */
int audit_waiting(struct audit *a, struct err *e);

/* Logs against blocks; nothing when the chain itself is broken. */
int audit_logs(struct audit *a, struct err *e);

#endif
