#include "ledger/tx_note.h"

#include "base/stamp.h"
#include "ledger/name.h"
#include "ledger/tx_body.h"

static int
read_text(struct tx *tx, const struct hash *ledger, struct err *e)
{
	struct span name;
	struct text t;
	int kind;

	text_init(&t, tx->note.text, "transaction");
	if (head_read(&t, &name, ledger, e) != 0)
		return -1;
	if ((kind = tx_kind_of(name)) < 0)
		return text_bad(&t, e, "\"%.*s\" is no transaction",
		    SPAN_FMT(name));
	tx->kind = (enum tx_kind)kind;
	if (text_time(&t, "time", &tx->time_ms, e) != 0 ||
	    text_key(&t, "author", &tx->author, e) != 0)
		return -1;
	if (!(tx->kind == TX_VOTE ? name_is_node(tx->author) :
	    name_is_handle(tx->author) ||
	    (tx->kind == TX_REKEY && name_is_node(tx->author))))
		return text_bad(&t, e, "\"author\" is malformed");
	if (tx_body_read(tx, &t, e) != 0 || text_done(&t, e) != 0)
		return -1;
	if (tx->kind != TX_AUTHORIZE)
		return 0;
	if (staged_parse(&tx->staged, buf_span(&tx->manifest), ledger, e) != 0)
		return -1;
	if (!hash_eq(&tx->staged.id, &tx->record))
		return text_bad(&t, e, "\"record\" is not the manifest's hash");
	return 0;
}

int
tx_parse(struct tx *tx, struct span whole, const struct hash *ledger,
    struct err *e)
{
	memset(tx, 0, sizeof(*tx));
	buf_init(&tx->manifest, STAGED_MAX);
	if (whole.n > TX_MAX)
		return err_set(e, ERR_BAD,
		    "transaction: longer than %d bytes", TX_MAX);
	if (note_parse(&tx->note, whole, "transaction", e) != 0)
		return -1;
	if (read_text(tx, ledger, e) != 0) {
		tx_free(tx);
		return -1;
	}
	if (tx->note.nsigs != 1 ||
	    !span_eq(tx->note.sig[0].name, tx->author)) {
		tx_free(tx);
		return err_set(e, ERR_BAD,
		    "transaction: exactly its author's signature expected");
	}
	hash_bytes(&tx->id, whole.p, whole.n);
	return 0;
}

void
tx_text(struct buf *out, const struct tx *tx, const struct hash *ledger)
{
	char time[STAMP_LEN + 1];

	stamp_format(time, tx->time_ms);
	head_add(out, tx_kind_name(tx->kind), ledger);
	buf_addf(out, "time %s\nauthor %.*s\n", time, SPAN_FMT(tx->author));
	tx_body_add(out, tx);
}
