/* ehr-sign: text on stdin, a signed note on stdout; see ehr-sign(1). */
#include <unistd.h>

#include "base/fs.h"
#include "cli/ident.h"

static const struct cli_spec spec = {
	.name = "ehr-sign",
	.usage =
"usage: ehr-sign [-C DIR] [-i KEY] [--passphrase-file FILE] [--add]\n"
"           < TEXT > NOTE\n",
	.takes = CLI_DIR | CLI_IDENTITY
};

/* Append a signature line to a note; the lines that are there stay. */
static int
add(struct buf *out, struct span whole, const struct identity *id,
    struct err *e)
{
	struct span name = span_str(id->name);
	struct note n;

	if (note_parse(&n, whole, "standard input", e) != 0)
		return -1;
	if (note_find(&n, name) >= 0)
		return err_set(e, ERR_NO, "%s has signed this note already",
		    id->name);
	if (n.nsigs == NOTE_SIGS_MAX)
		return err_set(e, ERR_NO, "the note has %d signatures, and no "
		    "room for another", NOTE_SIGS_MAX);
	buf_add(out, whole.p, whole.n);
	return note_sign_line(out, n.text, name, id->sign, e);
}

/* stdin to out.  What could not be read back is not written. */
static int
sign(struct buf *out, const struct identity *id, bool adding, struct err *e)
{
	struct buf in = BUF_INIT(NOTE_MAX);
	struct note n;
	int r;

	r = fs_read_fd(&in, STDIN_FILENO, "standard input", e);
	if (r == 0 && adding)
		r = add(out, buf_span(&in), id, e);
	else if (r == 0)
		r = identity_sign(out, buf_span(&in), id, e);
	if (r == 0)
		r = note_parse(&n, buf_span(out), "the signed note", e);
	buf_free(&in);
	return r;
}

int
main(int argc, char **argv)
{
	bool adding = false;
	const struct cli_opt opt[] = {
		{ 0, "add", CLI_FLAG, &adding, 0 },
		{ 0 }
	};
	struct buf out = BUF_INIT(NOTE_MAX);
	struct identity id;
	struct cli c;
	struct err e;
	int r;

	cli_parse(&c, &spec, opt, argc, argv);
	if (c.argc > 0)
		return cli_usage(&c, "an argument too many: \"%s\"",
		    c.argv[0]);
	if (ident_get(&id, &c, NULL, &e) != 0)
		return cli_fail(&c, &e);
	r = sign(&out, &id, adding, &e);
	identity_wipe(&id);
	if (r == 0)
		cli_put(buf_span(&out));
	buf_free(&out);
	return cli_close_stdout(&c, r == 0 ? 0 : cli_fail(&c, &e));
}
