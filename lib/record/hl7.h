/* hl7: fields of HL7 version 2 messages in the ER7 ("pipehat") encoding. */
#ifndef RECORD_HL7_H
#define RECORD_HL7_H

#include "record/fields.h"

/* Does head start with a message (MSH) or a batch of them (FHS, BHS)? */
bool hl7_is(struct span head);

/*
 * Add to out what the messages in whole say: type (MSH-9), control id
 * (MSH-10), sending facility (MSH-4), day (MSH-7), patient (PID-5, PID-7),
 * and the texts of OBR-4, OBX-3, AL1-3 and DG1-3.  Segments may end in CR, LF
 * or both.  Only MSH-18 values of ASCII, UTF-8 and 8859/1 are converted.
 */
void hl7_fields(struct fields *out, struct span whole);

#endif
