/* dicom: what is read from files in the little-endian transfer syntaxes. */
#include "said.h"
#include "base/buf.h"
#include "record/dicom.h"

static struct buf file = BUF_INIT(1 << 20);
static bool explicit;

static void
put16(unsigned v)
{
	buf_addc(&file, (unsigned char)v);
	buf_addc(&file, (unsigned char)(v >> 8));
}

static void
put32(uint32_t v)
{
	put16(v & 0xffff);
	put16(v >> 16);
}

/* An element; len is what its head says. */
static void
put(unsigned group, unsigned element, const char *vr, const char *value,
    uint32_t len)
{
	put16(group);
	put16(element);
	if (!explicit && group != 2) {
		put32(len);
	} else if (strstr("OB OW SQ UN UT", vr) != NULL) {
		buf_adds(&file, vr);
		put16(0);
		put32(len);
	} else {
		buf_adds(&file, vr);
		put16(len);
	}
	buf_adds(&file, value);
}

static void
text(unsigned group, unsigned element, const char *vr, const char *value)
{
	put(group, element, vr, value, (uint32_t)strlen(value));
}

static void
delimiter(unsigned element, uint32_t len)
{
	put16(0xfffe);
	put16(element);
	put32(len);
}

static void
begin(const char *syntax)
{
	buf_reset(&file);
	memset(buf_room(&file, 128), 0, 128);
	file.len += 128;
	buf_adds(&file, "DICM");
	text(2, 2, "UI", "1.2.840.10008.5.1.4.1.1.1");
	text(2, 0x10, "UI", syntax);
}

static const char *
got(void)
{
	return said_of(dicom_fields, file.p, file.len);
}

static void
body(const char *charset, const char *name)
{
	text(8, 5, "CS", charset);
	text(8, 0x20, "DA", "20260305");
	text(8, 0x60, "CS", "CR");
	text(8, 0x80, "LO", "Hospital D ");
	text(8, 0x1030, "LO", "Chest");
	text(8, 0x103e, "LO", "PA");
	text(0x10, 0x10, "PN", name);
	text(0x10, 0x30, "DA", "19840719");
	text(0x18, 0x15, "CS", "CHEST ");
	text(0x20, 0xd, "UI", "2.25.1");
	text(0x20, 0x10, "SH", "1");
	put(0x7fe0, 0x10, "OW", "pixels", 6);
}

#define WHOLE(name) "date: 2026-03-05\ntype: CR\nfacility: Hospital D\n" \
    "title: Chest\ntitle: PA\npatient: " name "\nbirthDate: 1984-07-19\n" \
    "bodyPart: CHEST\nid: 2.25.1\n"

static void
syntaxes(void)
{
	explicit = true;
	begin("1.2.840.10008.1.2.1");
	body("", "Naidoo^Bill^A^Dr^Jr");
	CHECK_STR(got(), WHOLE("Bill A Naidoo Jr"));
	said_cuts(dicom_fields, file.p, file.len);
	begin("1.2.840.10008.1.2.4.50");
	body("", "Naidoo^Bill");
	CHECK_STR(got(), WHOLE("Bill Naidoo"));
	begin("1.2.840.10008.1.2.1.99");
	body("", "Naidoo^Bill");
	CHECK_STR(got(), "");
	begin("1.2.840.10008.1.2.2");
	body("", "Naidoo^Bill");
	CHECK_STR(got(), "");
	explicit = false;
	begin("1.2.840.10008.1.2");
	body("", "Naidoo^Bill");
	CHECK_STR(got(), WHOLE("Bill Naidoo"));
	said_cuts(dicom_fields, file.p, file.len);
}

static void
charsets(void)
{
	explicit = true;
	begin("1.2.840.10008.1.2.1");
	body("ISO_IR 100", "Mej\xed" "a");
	CHECK_STR(got(), WHOLE("Mej\xc3\xad" "a"));
	begin("1.2.840.10008.1.2.1");
	body("ISO_IR 192", "Mej\xc3\xad" "a=\xe5\xb1\xb1^x");
	CHECK_STR(got(), WHOLE("Mej\xc3\xad" "a\npatient: x \xe5\xb1\xb1"));
	/* Of what we can't read only the part in ASCII. */
	begin("1.2.840.10008.1.2.1");
	body("\\ISO 2022 IR 87", "Yamada^Tarou=\033$B;3ED\033(B");
	CHECK_STR(got(), WHOLE("Tarou Yamada"));
	begin("1.2.840.10008.1.2.1");
	body("ISO_IR 144", "\xbb\xee\xda^A");
	CHECK(strstr(got(), "patient") == NULL);
}

/* A sequence without a length, in it another; private, of unknown VR. */
static void
nested(bool un)
{
	explicit = true;
	begin("1.2.840.10008.1.2.1");
	put(9, 0x1001, un ? "UN" : "SQ", "", 0xffffffff);
	delimiter(0xe000, 0xffffffff);
	explicit = !un;
	text(8, 0x60, "CS", "NO");
	put(8, 0x1140, "SQ", "", 0xffffffff);
	delimiter(0xe000, 10);
	buf_adds(&file, "0123456789");
	delimiter(0xe0dd, 0);
	delimiter(0xe00d, 0);
	delimiter(0xe0dd, 0);
	explicit = true;
	text(0x10, 0x10, "PN", "Naidoo^Bill");
	CHECK_STR(got(), "patient: Bill Naidoo\n");
	said_cuts(dicom_fields, file.p, file.len);
}

static void
malformed(void)
{
	explicit = true;
	begin("1.2.840.10008.1.2.1");
	text(8, 0x60, "CS", "CR");
	put(8, 0x1030, "LO", "short", 6);
	CHECK_STR(got(), "type: CR\n");
	begin("1.2.840.10008.1.2.1");
	text(8, 0x60, "CS", "CR");
	delimiter(0xe0dd, 0);
	text(0x10, 0x10, "PN", "Naidoo^Bill");
	CHECK_STR(got(), "type: CR\n");
	begin("1.2.840.10008.1.2.1");
	for (int i = 0; i < 1000; i++)
		put(9, 0x1001, "SQ", "", 0xffffffff);
	CHECK_STR(got(), "");
	CHECK(!dicom_is(span_str("DICM")));
	CHECK_STR(said_of(dicom_fields, "DICM", 4), "");
}

int
main(void)
{
	syntaxes();
	charsets();
	nested(false);
	nested(true);
	malformed();
	buf_free(&file);
	return check_done("dicom");
}
