/* ehr-user: register users, give and take roles; see ehr-user(1). */
#define _GNU_SOURCE	/* AT_FDCWD */
#include <fcntl.h>

#include "cli/items.h"
#include "cli/ndjson.h"
#include "cli/open.h"
#include "record/enroll.h"

static const struct cli_spec spec = {
	.name = "ehr-user",
	.usage =
"usage: ehr-user [-C DIR] add [--role ROLE] CARD ... | - -i ADMIN\n"
"       ehr-user [-C DIR] list [--json] [-i IDENTITY]\n"
"       ehr-user [-C DIR] rekey CARD ... | - -i IDENTITY\n"
"       ehr-user [-C DIR] role list [--json]\n"
"       ehr-user [-C DIR] role define ROLE [PERMISSION ...] -i ADMIN\n"
"       ehr-user [-C DIR] role grant|revoke ROLE USER ... | - -i ADMIN\n",
	.takes = CLI_DIR | CLI_IDENTITY | CLI_JSON | CLI_NUL
};

struct user {
	struct ctx x;
	const char *role;
	enum tx_kind change;
	struct pool *pool;
	struct keyring *ring;	/* to read profiles with, or NULL */
	struct buf out;		/* printed once all is durable */
};

static void
say(struct user *u, const char *line)
{
	buf_addf(&u->out, "%s\n", line);
}

static int
add_one(void *arg, const char *path, struct err *e)
{
	char handle[HANDLE_LEN + 1];
	struct buf card = BUF_INIT(CARD_MAX);
	struct user *u = arg;
	int ret;

	ret = fs_read(&card, AT_FDCWD, path, e);
	if (ret == 0 && enroll_user(handle, u->x.repo, u->pool, &u->x.id,
	    buf_span(&card), u->role, u->x.now_ms, e) != 0)
		ret = err_wrap(e, "%s", path);
	if (ret == 0)
		say(u, handle);
	buf_free(&card);
	return ret;
}

static int
rekey_one(void *arg, const char *path, struct err *e)
{
	char name[NAME_MAX_LEN + 1];
	struct buf card = BUF_INIT(CARD_MAX);
	struct user *u = arg;
	int ret;

	ret = fs_read(&card, AT_FDCWD, path, e);
	if (ret == 0)
		ret = enroll_rekey(name, u->pool, &u->x.id, buf_span(&card),
		    u->x.now_ms, e) == 0 ? 0 : err_wrap(e, "%s", path);
	if (ret == 0)
		say(u, name);
	buf_free(&card);
	return ret;
}

static int
change_role(void *arg, const char *who, struct err *e)
{
	char handle[HANDLE_LEN + 1];
	struct user *u = arg;
	struct tx tx = { .kind = u->change, .role = span_str(u->role) };

	if (lookup_person(handle, u->x.repo, pool_db(u->pool), who, e) != 0)
		return -1;
	tx.user = span_str(handle);
	if (submit_tx(u->pool, &u->x.id, &tx, u->x.now_ms, NULL, e) != 0)
		return err_wrap(e, "%s", who);
	return 0;
}

static int
begin(void *arg, struct err *e)
{
	struct user *u = arg;

	return pool_open(&u->pool, u->x.repo, u->x.now_ms, e);
}

/* What was made is printed once it is durable. */
static int
end(void *arg, struct err *e)
{
	struct user *u = arg;

	if (pool_commit(u->pool, e) != 0)
		return -1;
	cli_put(buf_span(&u->out));
	return 0;
}

/* One change for each argument, all made durable together. */
static int
change(struct user *u, items_fn *fn)
{
	const struct items_work work = { begin, fn, end };
	struct err e;
	int status;

	if (ctx_identity(&u->x, &e) != 0)
		return ctx_end(&u->x, -1, &e);
	status = items_together(&u->x.cli, &work, u);
	buf_free(&u->out);
	return cli_worse(status, ctx_end(&u->x, 0, NULL));
}

/* Permissions, in whatever order, some of them joined by commas. */
static int
add_perms(unsigned *set, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");
		unsigned one;

		if (perm_parse(&one, span_of(text, n)) != 0)
			return -1;
		*set |= one;
		text += n + (text[n] == ',');
	}
	return 0;
}

static int
define(struct user *u)
{
	struct tx tx = { .kind = TX_ROLE_DEFINE };
	const char *name = cli_shift(&u->x.cli), *p;
	struct err e;
	int ret;

	if (name == NULL || !name_is_role(span_str(name)))
		return cli_usage(&u->x.cli, "a name for the role expected");
	tx.role = span_str(name);
	while ((p = cli_shift(&u->x.cli)) != NULL)
		if (add_perms(&tx.perms, p) != 0)
			return cli_usage(&u->x.cli, "%s: no permission", p);
	if (ctx_identity(&u->x, &e) != 0 ||
	    pool_open(&u->pool, u->x.repo, u->x.now_ms, &e) != 0)
		return ctx_end(&u->x, -1, &e);
	ret = submit_tx(u->pool, &u->x.id, &tx, u->x.now_ms, NULL, &e);
	if (ret == 0)
		ret = pool_commit(u->pool, &e);
	else
		pool_abort(u->pool);
	return ctx_end(&u->x, ret, &e);
}

/* The words of a list that is joined by commas, as an array. */
static json_t *
words(struct span list)
{
	json_t *a = json_array();

	while (list.n > 0) {
		const unsigned char *comma = memchr(list.p, ',', list.n);
		size_t n = comma == NULL ? list.n : (size_t)(comma - list.p);

		json_array_append_new(a, ndjson_span(span_of(list.p, n)));
		n += comma != NULL;
		list = span_of(list.p + n, list.n - n);
	}
	return a;
}

static int
list_role(void *arg, const struct lookup_role *r, struct err *e)
{
	struct buf perms = BUF_INIT(256);
	struct user *u = arg;

	(void)e;
	perm_add(&perms, r->perms);
	if (u->x.cli.json)
		ndjson_line(&u->x.cli, json_pack("{s:s,s:o,s:I}", "role",
		    r->name, "permissions", r->perms == 0 ? json_array() :
		    words(buf_span(&perms)), "key_generation",
		    (json_int_t)r->generation));
	else {
		buf_addf(&u->out, "%s\t%.*s\n", r->name,
		    SPAN_FMT(buf_span(&perms)));
		cli_put(buf_span(&u->out));
		buf_reset(&u->out);
	}
	buf_free(&perms);
	return 0;
}

/* A user's name and address, where the identity may read the profile. */
static void
read_profile(struct user *u, const struct lookup_user *who, struct card *c,
    struct buf *text)
{
	struct err ignored;

	memset(c, 0, sizeof(*c));
	if (u->ring != NULL && profile_open(c, text, u->x.repo, who, u->ring,
	    &ignored) != 0)
		memset(c, 0, sizeof(*c));
}

static int
list_user(void *arg, const struct lookup_user *who, struct err *e)
{
	struct buf text = BUF_INIT(PROFILE_MAX);
	struct user *u = arg;
	struct card c;

	(void)e;
	read_profile(u, who, &c, &text);
	if (u->x.cli.json) {
		json_t *o = json_pack("{s:s,s:o}", "user", who->handle,
		    "roles", words(span_str(who->roles)));

		if (c.full_name.n > 0)
			json_object_set_new(o, "name",
			    ndjson_span(c.full_name));
		if (c.email.n > 0)
			json_object_set_new(o, "email", ndjson_span(c.email));
		ndjson_line(&u->x.cli, o);
	} else {
		buf_addf(&u->out, "%s\t%s", who->handle, who->roles);
		if (u->ring != NULL)
			buf_addf(&u->out, "\t%.*s\t%.*s",
			    SPAN_FMT(c.full_name), SPAN_FMT(c.email));
		say(u, "");
		cli_put(buf_span(&u->out));
		buf_reset(&u->out);
	}
	buf_wipe(&text);
	return 0;
}

static int
list(struct user *u)
{
	static struct keyring ring;
	struct err e;
	int ret = 0;

	if (u->x.cli.argc > 0)
		return cli_usage(&u->x.cli, "list takes no argument");
	if (u->x.cli.identity.n > 0) {
		ret = ctx_identity(&u->x, &e);
		if (ret == 0)
			ret = keyring_open(&ring, u->x.repo, u->x.db,
			    &u->x.id, &e);
		u->ring = &ring;
	}
	if (ret == 0)
		ret = lookup_users(u->x.db, list_user, u, &e);
	keyring_wipe(&ring);
	return ctx_end(&u->x, ret, &e);
}

static int
roles(struct user *u)
{
	const char *verb = cli_shift(&u->x.cli);
	struct err e;
	int ret;

	if (verb == NULL || strcmp(verb, "list") == 0) {
		if (u->x.cli.argc > 0)
			return cli_usage(&u->x.cli, "role list takes no "
			    "argument");
		ret = lookup_roles(u->x.db, list_role, u, &e);
		return ctx_end(&u->x, ret, &e);
	}
	if (strcmp(verb, "define") == 0)
		return define(u);
	if (strcmp(verb, "grant") != 0 && strcmp(verb, "revoke") != 0)
		return cli_usage(&u->x.cli, "role %s: no such verb", verb);
	u->change = strcmp(verb, "grant") == 0 ? TX_ROLE_GRANT :
	    TX_ROLE_REVOKE;
	if ((u->role = cli_shift(&u->x.cli)) == NULL)
		return cli_usage(&u->x.cli, "a role expected");
	return change(u, change_role);
}

int
main(int argc, char **argv)
{
	static struct user u = {
		.role = "patient",
		.out = BUF_INIT(64u << 20)
	};
	const struct cli_opt opt[] = {
		{ 0, "role", CLI_TEXT, &u.role, 0 },
		{ 0 }
	};
	const char *verb;
	struct err e;

	cli_parse(&u.x.cli, &spec, opt, argc, argv);
	if ((verb = cli_shift(&u.x.cli)) == NULL)
		return cli_usage(&u.x.cli, "add, list, rekey or role expected");
	if (ctx_open(&u.x, &e) != 0)
		return ctx_end(&u.x, -1, &e);
	if (strcmp(verb, "add") == 0)
		return change(&u, add_one);
	if (strcmp(verb, "list") == 0)
		return list(&u);
	if (strcmp(verb, "rekey") == 0)
		return change(&u, rekey_one);
	if (strcmp(verb, "role") == 0)
		return roles(&u);
	return cli_usage(&u.x.cli, "%s: no such verb", verb);
}
