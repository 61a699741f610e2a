/* ehr-keygen: make an identity and its public card; see ehr-keygen(1). */
#include "base/fs.h"
#include "cli/ident.h"
#include "cli/items.h"
#include "cli/keyfile.h"
#include "cli/keyshow.h"
#include "cli/pass.h"
#include "cli/person.h"
#include "ledger/name.h"

static const struct cli_spec spec = {
	.name = "ehr-keygen",
	.usage =
"usage: ehr-keygen [--node] -n NAME [-e EMAIL] [--born YYYY-MM-DD]\n"
"           [--phone NUMBER] [--sex SEX] [-t ed25519|rsa]\n"
"           [--no-passphrase | --passphrase-file FILE] -o KEY\n"
"       ehr-keygen --replaces OLD -o KEY\n"
"       ehr-keygen card [-i KEY] -n NAME ... [-o CARD]\n"
"       ehr-keygen show [--json] [-i KEY | FILE ...]\n"
"       ehr-keygen export [-i KEY]\n"
"       ehr-keygen passwd [-i KEY] [--no-passphrase |\n"
"           --new-passphrase-file FILE]\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON | CLI_NUL
};

struct keygen {
	struct cli cli;
	struct person person;
	const char *type, *out, *replaces, *new_file;
	bool node, open;	/* open: without a passphrase */
};

static enum card_kind
kind_of(const char *name)
{
	return name_is_handle(span_str(name)) ? CARD_USER : CARD_NODE;
}

static int
algorithm(enum sign_alg *alg, const struct keygen *k, struct err *e)
{
	if (k->type == NULL || strcmp(k->type, "ed25519") == 0)
		*alg = SIGN_ED25519;
	else if (strcmp(k->type, "rsa") == 0)
		*alg = SIGN_RSA;
	else
		return err_set(e, ERR_USAGE, "-t takes ed25519 or rsa, "
		    "not \"%s\"", k->type);
	return 0;
}

/* The passphrase of a key file that is about to be written; empty: none. */
static int
new_pass(struct pass *pass, struct keygen *k, const char *path, struct err *e)
{
	const char *file = k->new_file;

	pass->n = 0;
	if (k->open)
		return 0;
	if (file == NULL)
		file = pass_file(&k->cli);
	return pass_new(pass, &k->cli, file, path, e);
}

/* New keys under the name of old, after whose sealing keys come the old. */
static int
succeed(struct identity *id, const struct identity *old, enum sign_alg alg,
    struct err *e)
{
	if (old->nseals == IDENTITY_SEALS_MAX)
		return err_set(e, ERR_NO, "%s: has %d sealing keys already; "
		    "dropping one would close old records", old->name,
		    IDENTITY_SEALS_MAX);
	if (identity_generate(id, alg, e) != 0)
		return -1;
	strcpy(id->name, old->name);
	memcpy(&id->seal[1], old->seal, old->nseals * sizeof(old->seal[0]));
	id->nseals = old->nseals + 1;
	return 0;
}

/* The identity's name: what a node is called, or a user's handle. */
static int
first(struct identity *id, const struct keygen *k, enum sign_alg alg,
    struct err *e)
{
	struct sign_pub pub;

	if (identity_generate(id, alg, e) != 0)
		return -1;
	sign_public(&pub, id->sign);
	if (k->node)
		strcpy(id->name, k->person.name);
	else
		name_handle(id->name, &pub);
	return 0;
}

/* Whatever can be refused is refused before a passphrase is asked for. */
static int
check_make(struct card *card, struct keygen *k, struct err *e)
{
	char name[FS_NAME_MAX];
	const char *n = k->person.name;

	if (k->out == NULL)
		return err_set(e, ERR_USAGE, "-o KEY is needed");
	if (k->open && k->cli.passphrase_file != NULL && k->replaces == NULL)
		return err_set(e, ERR_USAGE, "--no-passphrase and "
		    "--passphrase-file contradict each other");
	if (n == NULL && k->replaces == NULL)
		return err_set(e, ERR_USAGE, "-n NAME is needed");
	if (k->node && k->replaces != NULL)
		return err_set(e, ERR_USAGE, "the kind is that of the key "
		    "which --replaces names");
	card->kind = k->node ? CARD_NODE : CARD_USER;
	if (k->node && !name_is_node(span_str(n)))
		return err_set(e, ERR_USAGE, "\"%s\": a node's name has up to "
		    "%d of a-z, 0-9, \".\" and \"-\"", n, NAME_MAX_LEN);
	if (person_card(card, &k->person, e) != 0 ||
	    keyfile_card_name(name, k->out, e) != 0 ||
	    keyfile_absent(k->out, e) != 0)
		return -1;
	return keyfile_absent(name, e);
}

static int
make(struct keygen *k, struct err *e)
{
	struct identity id = { .nseals = 0 }, old = { .nseals = 0 };
	struct card card = { .kind = CARD_USER };
	struct pass pass = { .n = 0 };
	enum sign_alg alg = SIGN_ED25519;
	int r = -1;

	if (algorithm(&alg, k, e) != 0 || check_make(&card, k, e) != 0)
		return -1;
	if (k->replaces != NULL) {
		if (ident_read(&old, &k->cli, k->replaces, e) != 0)
			goto out;
		card.kind = kind_of(old.name);
		if (person_card(&card, &k->person, e) != 0)
			goto out;
	}
	if (new_pass(&pass, k, k->out, e) != 0)
		goto out;
	r = k->replaces == NULL ? first(&id, k, alg, e) :
	    succeed(&id, &old, alg, e);
	if (r == 0)
		r = keyfile_make(k->out, &id, pass_span(&pass), &card, e);
	if (r == 0)
		cli_verbose(&k->cli, "%s: key of %s", k->out, id.name);
out:
	pass_wipe(&pass);
	identity_wipe(&old);
	identity_wipe(&id);
	return r;
}

/* A card for a key that is there. */
static int
make_card(struct keygen *k, struct err *e)
{
	struct card card = { .kind = CARD_USER };
	char path[FS_NAME_MAX], beside[FS_NAME_MAX];
	char own[HANDLE_LEN + 1];
	struct identity id = { .nseals = 0 };
	struct sign_pub pub;
	int r = -1;

	if (ident_path(path, &k->cli, NULL, e) != 0 ||
	    ident_read(&id, &k->cli, path, e) != 0)
		return -1;
	card.kind = kind_of(id.name);
	sign_public(&pub, id.sign);
	name_handle(own, &pub);
	/* A key that replaced another leaves its owner's profile as it is. */
	if (k->person.name == NULL && strcmp(own, id.name) == 0)
		err_set(e, ERR_USAGE, "-n NAME is needed");
	else if (person_card(&card, &k->person, e) == 0 && (k->out != NULL ||
	    keyfile_card_name(beside, path, e) == 0))
		r = keyfile_make_card(k->out != NULL ? k->out : beside,
		    &id, &card, e);
	identity_wipe(&id);
	return r;
}

/* The secret sealing keys, as age -i reads them. */
static int
export(struct keygen *k, struct err *e)
{
	struct buf out = BUF_INIT(4096);
	struct identity id;
	int r;

	if (ident_get(&id, &k->cli, NULL, e) != 0)
		return -1;
	for (size_t i = 0; i < id.nseals; i++) {
		seal_secret_add(&out, &id.seal[i]);
		buf_adds(&out, "\n");
	}
	r = buf_check(&out, "keys", e);
	if (r == 0) {
		cli_note(&k->cli, "these are the secret keys that open the "
		    "records of %s", id.name);
		cli_put(buf_span(&out));
	}
	buf_wipe(&out);
	identity_wipe(&id);
	return r;
}

static int
passwd(struct keygen *k, struct err *e)
{
	char path[FS_NAME_MAX];
	struct identity id;
	struct pass pass = { .n = 0 };
	int r = 0;

	if (ident_path(path, &k->cli, NULL, e) != 0 ||
	    ident_read(&id, &k->cli, path, e) != 0)
		return -1;
	if (!k->open)
		r = pass_new(&pass, &k->cli, k->new_file, path, e);
	if (r == 0)
		r = keyfile_rewrite(path, &id, pass_span(&pass), e);
	pass_wipe(&pass);
	identity_wipe(&id);
	return r;
}

static int
show_one(void *arg, const char *path, struct err *e)
{
	struct keygen *k = arg;

	return keyshow(&k->cli, path, e);
}

static int
show(struct keygen *k)
{
	char path[FS_NAME_MAX];
	struct err e;

	if (k->cli.argc > 0)
		return items_each(&k->cli, show_one, k);
	if (ident_path(path, &k->cli, NULL, &e) != 0 ||
	    keyshow(&k->cli, path, &e) != 0)
		return cli_fail(&k->cli, &e);
	return 0;
}

/* Returns the exit status. */
static int
run(struct keygen *k)
{
	static const struct {
		const char *name;
		int (*fn)(struct keygen *, struct err *);
	} verb[] = {
		{ "card", make_card },
		{ "export", export },
		{ "passwd", passwd }
	};
	int (*fn)(struct keygen *, struct err *) = make;
	const char *name = cli_shift(&k->cli);
	struct err e;

	if (k->open && k->new_file != NULL)
		return cli_usage(&k->cli, "--no-passphrase and "
		    "--new-passphrase-file contradict each other");
	if (name != NULL && strcmp(name, "show") == 0)
		return show(k);
	for (size_t i = 0; name != NULL && i < sizeof(verb) / sizeof(verb[0]);
	    i++)
		if (strcmp(name, verb[i].name) == 0)
			fn = verb[i].fn;
	if (name != NULL && fn == make)
		return cli_usage(&k->cli, "\"%s\" is no verb: card, show, "
		    "export or passwd", name);
	if (k->cli.argc > 0)
		return cli_usage(&k->cli, "an argument too many: \"%s\"",
		    k->cli.argv[0]);
	return fn(k, &e) == 0 ? 0 : cli_fail(&k->cli, &e);
}

int
main(int argc, char **argv)
{
	struct keygen k = { .node = false };
	const struct cli_opt opt[] = {
		{ 0, "node", CLI_FLAG, &k.node, 0 },
		{ 'n', "name", CLI_TEXT, &k.person.name, 0 },
		{ 'e', "email", CLI_TEXT, &k.person.email, 0 },
		{ 0, "born", CLI_TEXT, &k.person.born, 0 },
		{ 0, "phone", CLI_TEXT, &k.person.phone, 0 },
		{ 0, "sex", CLI_TEXT, &k.person.sex, 0 },
		{ 't', "type", CLI_TEXT, &k.type, 0 },
		{ 'o', "output", CLI_TEXT, &k.out, 0 },
		{ 0, "replaces", CLI_TEXT, &k.replaces, 0 },
		{ 0, "no-passphrase", CLI_FLAG, &k.open, 0 },
		{ 0, "new-passphrase-file", CLI_TEXT, &k.new_file, 0 },
		{ 0 }
	};

	cli_parse(&k.cli, &spec, opt, argc, argv);
	return cli_close_stdout(&k.cli, run(&k));
}
