/* ccda: fields of a C-CDA document (HL7 Clinical Document Architecture R2). */
#ifndef RECORD_CCDA_H
#define RECORD_CCDA_H

#include "record/fields.h"

/*
 * Is doc, or the start of one, XML whose first element is a ClinicalDocument?
 */
bool ccda_is(struct span doc);

/*
 * Add to out what doc says: the document's type, title and day, its patient
 * and custodian, the titles of its sections and the names of coded entries.
 * doc may be only the first bytes of a document; where it is malformed, what
 * was found up to there stays.
 */
void ccda_fields(struct fields *out, struct span doc);

#endif
