/*
 * extract_fhir: an extract as an HL7 FHIR R4 Bundle of AuditEvent and
 * Provenance resources (ehr-extract(5)).
 */
#ifndef LOG_EXTRACT_FHIR_H
#define LOG_EXTRACT_FHIR_H

#include "log/extract.h"

/*
 * An extract is begun, each entry added, and ended; first: no entry was added
 * before.  head_ms is the time of the last block verified.
 */
void extract_fhir_begin(struct buf *out, int64_t head_ms);
int extract_fhir(struct buf *out, const struct extract_entry *x, bool first,
    struct err *e);
void extract_fhir_end(struct buf *out, bool empty);

#endif
