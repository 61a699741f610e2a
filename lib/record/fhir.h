/* fhir: fields of FHIR resources in JSON (R4 and its neighbours). */
#ifndef RECORD_FHIR_H
#define RECORD_FHIR_H

#include "record/fields.h"

/* Is head the start of a JSON object with a top-level "resourceType"? */
bool fhir_is(struct span head);

/*
 * Add to out what the resource, or each resource of a Bundle, says: types,
 * the outermost id, patients (names and birth dates), titles, facilities,
 * days, and the texts of its codes.  A document that would take more than
 * FHIR_MEMORY_MAX to read, is cut or is malformed is read entry by entry, as
 * far as its entries can be; a name that comes twice in an object makes that
 * malformed.
 */
#define FHIR_MEMORY_MAX (32u << 20)	/* bytes */
void fhir_fields(struct fields *out, struct span doc);

#endif
