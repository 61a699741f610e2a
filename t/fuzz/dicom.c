/* dicom: fields of DICOM files keep their limits; the preamble is given. */
#include "found.h"
#include "record/dicom.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct fields f;
	unsigned char *file = malloc(132 + n);

	assert(file != NULL);
	memset(file, 0, 128);
	memcpy(file + 128, "DICM", 4);
	memcpy(file + 132, p, n);
	f.n = 0;
	assert(dicom_is(span_of(file, 132 + n)));
	dicom_fields(&f, span_of(file, 132 + n));
	found_check(&f, "application/dicom");
	free(file);
	return 0;
}
