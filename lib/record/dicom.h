/* dicom: fields of a DICOM file (PS3.10), read up to its body part. */
#ifndef RECORD_DICOM_H
#define RECORD_DICOM_H

#include "record/fields.h"

/* Does head start with a preamble and "DICM"? */
bool dicom_is(struct span head);

/*
 * Add to out: Modality, StudyDate, StudyDescription, SeriesDescription,
 * InstitutionName, PatientName, PatientBirthDate, BodyPartExamined, and
 * StudyInstanceUID as the id.  Little-endian transfer syntaxes, implicit or
 * explicit; deflated and big-endian files yield nothing.  Character sets
 * ISO_IR 100 and 192 are converted; in others only ASCII values are taken.
 */
void dicom_fields(struct fields *out, struct span file);

#endif
