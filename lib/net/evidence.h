/* evidence: files that convict a delegate, consensus/evidence-HEIGHT-NAME. */
#ifndef NET_EVIDENCE_H
#define NET_EVIDENCE_H

#include "store/repo.h"

/* Their names, without the folder, sorted; release with fs_names_free. */
int evidence_list(struct fs_names *out, const struct repo *r, struct err *e);

#endif
