/* media: types by content and name; every shared sample is known. */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "said.h"
#include "base/buf.h"
#include "base/fs.h"
#include "record/media.h"

#define TYPE(content, name, want) \
	CHECK_STR(media_type(span_of(content, sizeof(content) - 1), name), \
	    want)

#define FHIR "application/fhir+json"
#define HL7 "x-application/hl7-v2+er7"
#define CDA "application/cda+xml"
#define DICOM "application/dicom"

static void
by_content(void)
{
	TYPE("%PDF-1.7\n", "a.txt", "application/pdf");
	TYPE("\xff\xd8\xff\xe0", "a", "image/jpeg");
	TYPE("\x89PNG\r\n\x1a\n", "a", "image/png");
	TYPE("II*\0abcd", "a", "image/tiff");
	TYPE("{\\rtf1}", "a", "application/rtf");
	TYPE("\x1f\x8b\x08", "a.csv", "application/gzip");
	TYPE("MSH|^~\\&|", "a.txt", HL7);
	TYPE("{\"resourceType\":\"Patient\"}", "a.txt", FHIR);
	TYPE("{\"a\":1}", "a.json", "application/json");
	TYPE("<ClinicalDocument xmlns='urn:hl7-org:v3'/>", "a.txt", CDA);
	TYPE("<Patient xmlns=\"http://hl7.org/fhir\"/>", "a.xml",
	    "application/fhir+xml");
	TYPE("<a/>", "a", "application/xml");
	TYPE("<html><body>", "a", "text/html");
	TYPE("<html xmlns='http://www.w3.org/1999/xhtml'>", "a",
	    "application/xhtml+xml");
}

static void
by_name(void)
{
	TYPE("plain words\n", "a", "text/plain");
	TYPE("a,b\n", "a.CSV", "text/csv");
	TYPE("caf\xc3\xa9", "a.txt", "text/plain");
	/* Text can't be an image, whatever the name says. */
	TYPE("plain words\n", "a.png", "text/plain");
	TYPE("caf\xe9", "a.txt", "text/plain");
	TYPE("caf\xe9", "a", "application/octet-stream");
	TYPE("a\0b", "a", "application/octet-stream");
	TYPE("a\0b", "a.dcm", DICOM);
	TYPE("", "a.pdf", "application/pdf");
	TYPE("", "a", "application/octet-stream");
	TYPE("PK\x03\x04\xff", "a.docx", "application/vnd.openxmlformats-"
	    "officedocument.wordprocessingml.document");
	TYPE("PK\x03\x04\xff", "a", "application/zip");
}

/* A text of which only the start is looked at, cut within a character. */
static void
cut_text(void)
{
	unsigned char *p = malloc(FIELDS_LOOK_MAX);

	memset(p, 'a', FIELDS_LOOK_MAX);
	p[FIELDS_LOOK_MAX - 1] = 0xc3;
	CHECK_STR(media_type(span_of(p, FIELDS_LOOK_MAX), "a"), "text/plain");
	CHECK_STR(media_type(span_of(p + 1, FIELDS_LOOK_MAX - 1), "a"),
	    "application/octet-stream");
	free(p);
}

/* What each sample is, and a line or two that its fields must have. */
static const struct {
	const char *path;
	const char *type;
	const char *line[3];
} samples[] = {
#define R4 "fhir/r4-examples/"
#define SYNTHEA "fhir/synthea-r4/"
#define CC0 "ccda/cc0/"
#define CCBY "ccda/cc-by/"
	{ CCBY "CCDA_Sample_NextGen_JonesIsabella.txt", CDA,
	    { "birthDate: 1947-05-01", "section: Medications",
	    "code: penicillin G benzathine" } },
	{ CCBY "EMERGE-Patient-124.xml", CDA, { "patient: Marsha Pope",
	    "section: Allergies, Adverse Reactions & Alerts",
	    "code: Penicillin V" } },
	{ CCBY "Kareo_CCD_export_Joey_Miller.ccd", CDA,
	    { "code: Hypothyroidism" } },
	{ CC0 "CCD 1.xml", CDA, { "patient: Eve Everywoman",
	    "title: Patient Chart Summary", "facility: Good Health HIE" } },
	{ CC0 "CCD-2.xml", CDA, { "patient: Isabella Jones",
	    "date: 2014-10-15", "code: Laparoscopic appendectomy" } },
	{ CC0 "CCD-Parent-Document-Replace.xml", CDA,
	    { "section: Goals Section" } },
	{ CC0 "Discharge_Summary.xml", CDA, { "code: Appendicitis" } },
	{ CC0 "Operative_Note.xml", CDA, { "code: Colonoscopy" } },
	{ CC0 "Unstructured_Document_embed.xml", CDA,
	    { "patient: Henry L Levin" } },
	{ "dicom/CT_small.dcm", DICOM, { "type: CT", "date: 2004-01-19",
	    "patient: CT1 CompressedSamples" } },
	{ "dicom/MR_small.dcm", DICOM, { "type: MR", "facility: TOSHIBA" } },
	{ "dicom/SC_rgb_jpeg_dcmtk.dcm", DICOM, { "patient: G Lestrade" } },
	{ "dicom/chrH31.dcm", DICOM, { "patient: Tarou Yamada" } },
	{ "dicom/rtplan.dcm", DICOM, { "type: RTPLAN", "date: 2003-07-16",
	    "patient: First mid Last" } },
	{ "dicom/test-SR.dcm", DICOM, { "type: SR",
	    "title: OFFIS Structured Reporting Test Document" } },
	{ R4 "AuditEvent-example-disclosure.json", FHIR,
	    { "type: AuditEvent" } },
	{ R4 "AuditEvent-example-error.json", FHIR, { "code: Restful Operation" } },
	{ R4 "AuditEvent-example-login.json", FHIR, { "date: 2013-06-20" } },
	{ R4 "AuditEvent-example-rest.json", FHIR, { "id: example-rest" } },
	{ R4 "Binary-f006.json", FHIR, { "type: Binary", "id: f006" } },
	{ R4 "Bundle-lipids.json", FHIR, { "type: DiagnosticReport",
	    "code: Cholesterol" } },
	{ R4 "Bundle-xds.json", FHIR, { "type: DocumentReference" } },
	{ R4 "Composition-example.json", FHIR,
	    { "title: Consultation Note", "patient: Henry Levin the 7th" } },
	{ R4 "Consent-consent-example-Emergency.json", FHIR,
	    { "type: Consent" } },
	{ R4 "Consent-consent-example-Out.json", FHIR, { "type: Consent" } },
	{ R4 "Consent-consent-example-basic.json", FHIR,
	    { "type: Consent" } },
	{ R4 "Consent-consent-example-signature.json", FHIR,
	    { "type: Consent" } },
	{ R4 "DocumentManifest-example.json", FHIR, { "id: example" } },
	{ R4 "DocumentReference-example.json", FHIR, { "id: example" } },
	{ R4 "Encounter-emerg.json", FHIR, { "type: Encounter" } },
	{ R4 "ImagingStudy-example.json", FHIR, { "date: 2011-01-01" } },
	{ R4 "Immunization-example.json", FHIR, { "type: Immunization" } },
	{ R4 "Media-example.json", FHIR, { "type: Media" } },
	{ R4 "Observation-decimal.json", FHIR, { "type: Observation" } },
	{ R4 "Patient-example.json", FHIR, { "birthDate: 1974-12-25",
	    "patient: Peter James Chalmers" } },
	{ R4 "Provenance-consent-signature.json", FHIR,
	    { "type: Provenance" } },
	{ R4 "Provenance-example.json", FHIR, { "type: Provenance" } },
	{ R4 "Provenance-signature.json", FHIR, { "type: Provenance" } },
	{ SYNTHEA "Buster_Hoeger_ad2e3fc5-2b5d-4cb9-8d03-9ea0f4ac8423.json",
	    FHIR, { "type: Encounter" } },
	{ SYNTHEA "Clemente_Kreiger_1484a42d-0eaf-4654-9cbf-"
	    "6b050a5cd73b.json", FHIR, { "type: Patient" } },
	{ SYNTHEA "Gustavo_Mej\xc3\xad" "a_59a8543c-e24f-4a01-b28b-"
	    "47ccde6bc11d.json", FHIR, { "patient: Gustavo Mej\xc3\xad" "a",
	    "birthDate: 1986-11-27", "code: Viral sinusitis (disorder)" } },
	{ SYNTHEA "Jed_Pollich_9d586ce2-ab81-4ced-9d31-7289ae56aea5.json",
	    FHIR, { "type: Patient", "type: MedicationRequest" } },
	{ SYNTHEA "Liz_Conn_27c911c6-f045-4ffa-af5d-6eba57ac94b2.json",
	    FHIR, { "type: Patient" } },
	{ SYNTHEA "hospitalInformation1559319163815.json", FHIR,
	    { "type: Organization" } },
	{ "fhir/us-core/allergyintolerance-provenance-example1.json", FHIR,
	    { "type: AllergyIntolerance" } },
	{ "fhir/us-core/bundle-docref-example1.json", FHIR,
	    { "type: DocumentReference" } },
	{ "fhir/us-core/documentreference-discharge-summary.json", FHIR,
	    { "type: DocumentReference" } },
	{ "fhir/us-core/patient-example.json", FHIR, { "type: Patient" } },
	{ "hl7v2/ADT_A01-crlf.hl7", HL7, { "patient: JOHN A DOE",
	    "type: ADT^A01", "code: OXYCODONE" } },
	{ "hl7v2/ADT_A01-lf.hl7", HL7, { "birthDate: 1980-02-02" } },
	{ "hl7v2/FHS-batch.hl7", HL7, { "patient: Kareem Millie Buckridge",
	    "patient: Tyson Chuck Keeling" } },
	{ "hl7v2/MDM_T02.hl7", HL7, { "type: MDM^T02",
	    "facility: REDDING HOSPITAL" } },
	{ "hl7v2/OML_O21.hl7", HL7, { "code: FEEDING TYPES" } },
	{ "hl7v2/ORM_O01.hl7", HL7, { "patient: BB SARAH SMITH" } },
	{ "hl7v2/ORU_R01-covid-elr.hl7", HL7, { "type: ORU^R01" } },
	{ "hl7v2/ORU_R01-deidentified.hl7", HL7, { "type: ORU^R01" } },
	{ "hl7v2/ORU_R01-genV1-CRonly.hl7", HL7, { "code: State Case ID" } },
	{ "hl7v2/ORU_R01-hepB-CRonly.hl7", HL7, { "birthDate: 1974-02-15" } },
	{ "hl7v2/ORU_R01-single.hl7", HL7, { "date: 2021-02-10" } },
	{ "pdf/UD_sample.pdf", "application/pdf", { NULL } },
};

static void
sample(const char *root, size_t i)
{
	struct buf b = BUF_INIT(FIELDS_LOOK_MAX);
	char path[1024], line[300];
	const char *type;
	struct err e;

	snprintf(path, sizeof(path), "%s/samples/%s", root, samples[i].path);
	if (fs_read(&b, AT_FDCWD, path, &e) != 0) {
		printf("%s\n", e.msg);
		CHECK(!"the sample can be read");
		return;
	}
	said_fields.n = 0;
	/* Not by its name. */
	type = media_look(&said_fields, buf_span(&b), "x");
	CHECK_STR(type, samples[i].type);
	said(&said_fields);
	for (size_t k = 0; k < 3 && samples[i].line[k] != NULL; k++) {
		snprintf(line, sizeof(line), "%s\n", samples[i].line[k]);
		if (strstr(said_text, line) == NULL)
			printf("%s lacks: %s%s", path, line, said_text);
		CHECK(strstr(said_text, line) != NULL);
	}
	if (samples[i].line[0] != NULL)
		CHECK(said_fields.n >= 2);
	buf_free(&b);
}

int
main(void)
{
	const char *root = getenv("EHR_SHARED");
	char path[1024];
	struct stat st;

	by_content();
	by_name();
	cut_text();
	if (root == NULL)
		root = "../shared";
	snprintf(path, sizeof(path), "%s/samples", root);
	if (stat(path, &st) == 0)
		for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]);
		    i++)
			sample(root, i);
	else
		printf("skip: there is no %s\n", path);
	return check_done("media");
}
