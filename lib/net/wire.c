#include "net/wire.h"

#include "base/text.h"
#include "ledger/block.h"

static const char *const kinds[WIRE_KINDS] = {
	[WIRE_PROPOSAL] = "proposal",
	[WIRE_PREPARE] = "prepare",
	[WIRE_PREPARED] = "prepared",
	[WIRE_COMMIT] = "commit",
	[WIRE_CHANGE] = "change-view",
	[WIRE_FINAL] = "final"
};

static const struct {
	const char *name;
	size_t max;		/* bytes */
} parts[WIRE_PARTS] = {
	[WIRE_NOTE] = { "note", 4096 },
	[WIRE_CERTIFICATE] = { "certificate", BLOCK_CERT_MAX },
	[WIRE_BLOCK] = { "block", BLOCK_CONTENT_MAX }
};

#define LINE_BYTES 64		/* more than any line has */

const char *
wire_name(enum wire_kind kind)
{
	return kinds[kind];
}

void
wire_start(struct wire_msg *m, enum wire_kind kind)
{
	m->kind = kind;
	m->n = 0;
}

void
wire_part(struct wire_msg *m, enum wire_part_kind kind, struct span data)
{
	if (m->n < WIRE_PARTS_MAX)
		m->part[m->n++] = (struct wire_part){ kind, data };
}

void
wire_add(struct buf *out, const struct wire_msg *m)
{
	buf_addf(out, "message %s %zu\n", kinds[m->kind], m->n);
	for (size_t i = 0; i < m->n; i++) {
		buf_addf(out, "%s %zu\n", parts[m->part[i].kind].name,
		    m->part[i].data.n);
		buf_add(out, m->part[i].data.p, m->part[i].data.n);
	}
}

/* Take "WORD NUMBER\n" off *rest. */
static int
take_line(struct span *rest, struct span *words, uint64_t *number,
    uint64_t max)
{
	size_t most = rest->n < LINE_BYTES ? rest->n : LINE_BYTES;
	const unsigned char *nl = most == 0 ? NULL : memchr(rest->p, '\n',
	    most);
	size_t n, at;

	if (nl == NULL)
		return -1;
	n = at = (size_t)(nl - rest->p);
	while (at > 0 && rest->p[at - 1] != ' ')
		at--;
	if (at == 0 || text_parse_u64(number, span_of(rest->p + at, n - at),
	    max) != 0)
		return -1;
	*words = span_of(rest->p, at - 1);
	*rest = span_of(nl + 1, rest->n - n - 1);
	return 0;
}

static int
take_part(struct wire_part *p, struct span *rest)
{
	struct span word;
	uint64_t size;

	if (take_line(rest, &word, &size, BLOCK_CONTENT_MAX) != 0)
		return -1;
	for (int k = 0; k < WIRE_PARTS; k++)
		if (span_is(word, parts[k].name)) {
			if (size == 0 || size > parts[k].max || size > rest->n)
				return -1;
			p->kind = (enum wire_part_kind)k;
			p->data = span_of(rest->p, (size_t)size);
			*rest = span_of(rest->p + size,
			    rest->n - (size_t)size);
			return 0;
		}
	return -1;
}

int
wire_next(struct wire_msg *m, struct span *rest, struct err *e)
{
	struct span words, first;
	uint64_t count;
	int k;

	if (rest->n == 0)
		return 0;
	if (take_line(rest, &words, &count, WIRE_PARTS_MAX) != 0)
		goto bad;
	first = text_word(&words);
	for (k = 0; k < WIRE_KINDS; k++)
		if (span_is(words, kinds[k]))
			break;
	if (!span_is(first, "message") || k == WIRE_KINDS || count == 0)
		goto bad;
	wire_start(m, (enum wire_kind)k);
	for (; m->n < count; m->n++)
		if (take_part(&m->part[m->n], rest) != 0)
			goto bad;
	return 1;
bad:
	return err_set(e, ERR_BAD, "consensus: malformed message");
}

struct span
wire_find(const struct wire_msg *m, enum wire_part_kind kind)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->part[i].kind == kind)
			return m->part[i].data;
	return span_of(NULL, 0);
}
