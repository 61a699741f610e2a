#define _GNU_SOURCE	/* strdup */
#include "net/peers.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/known_file.h"

#define COMMAND_MAX 4096	/* bytes of one that is made of an address */

struct peer *
peers_find(struct peers *p, struct span name)
{
	for (size_t i = 0; i < p->n; i++)
		if (span_is(name, p->v[i].name))
			return &p->v[i];
	return NULL;
}

int
peers_add(struct peers *p, const char *name, const char *command,
    struct err *e)
{
	struct peer *more;

	if (strlen(name) > NAME_MAX_LEN)
		return err_set(e, ERR_BAD, "config: peer \"%s\": a name of "
		    "over %d bytes", name, NAME_MAX_LEN);
	more = realloc(p->v, (p->n + 1) * sizeof(*more));
	if (more == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->v = more;
	more += p->n;
	memset(more, 0, sizeof(*more));
	snprintf(more->name, sizeof(more->name), "%s", name);
	if ((more->command = strdup(command)) == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	p->n++;
	return 0;
}

int
peers_add_address(struct peers *p, const struct repo *r,
    const struct known_peer *k, struct err *e)
{
	const char *reach = config_get(&r->config, "net.reach"), *at;
	char command[COMMAND_MAX];

	if (reach == NULL)
		reach = PEERS_REACH;
	if (reach[0] == '\0')
		return 0;
	if ((at = strstr(reach, "%s")) == NULL)
		return err_set(e, ERR_BAD, "config: net.reach has no %%s for "
		    "the address");
	if ((size_t)snprintf(command, sizeof(command), "%.*s%s%s",
	    (int)(at - reach), reach, k->address, at + 2) >= sizeof(command))
		return err_set(e, ERR_BAD, "config: net.reach is too long");
	return peers_add(p, k->name, command, e);
}

/* --- of a ledger directory ------------------------------------------------ */

/* All are meant when none is named; but nobody is his own peer. */
static bool
is_meant(struct span name, char *const *names, const char *us)
{
	if (names == NULL || *names == NULL)
		return us == NULL || !span_is(name, us);
	for (; *names != NULL; names++)
		if (span_is(name, *names))
			return true;
	return false;
}

static int
add_configured(struct peers *p, const struct repo *r, char *const *names,
    struct err *e)
{
	char name[NAME_MAX_LEN + 2];
	const char *command;
	struct span sub;
	size_t at = 0;

	while (config_next(&r->config, "peer", "command", &at, &sub,
	    &command)) {
		if (!is_meant(sub, names, repo_node_name(r)))
			continue;
		/* One that is too long is cut, and still too long. */
		snprintf(name, sizeof(name), "%.*s", SPAN_FMT(sub));
		if (peers_add(p, name, command, e) != 0)
			return -1;
	}
	return 0;
}

static int
add_known(struct peers *p, const struct repo *r, const struct known *k,
    char *const *names, struct err *e)
{
	for (size_t i = 0; i < k->n; i++) {
		struct span name = span_str(k->p[i].name);

		if (k->p[i].address[0] != '\0' &&
		    is_meant(name, names, repo_node_name(r)) &&
		    peers_find(p, name) == NULL &&
		    peers_add_address(p, r, &k->p[i], e) != 0)
			return -1;
	}
	return 0;
}

static bool
is_bad(struct known *k, const struct peer *p, int64_t now_ms)
{
	const struct known_peer *q = known_find(k, span_str(p->name));

	return q != NULL && q->bad_ms > now_ms;
}

/* Without those that are bad now; all of them, if nobody else is left. */
static void
leave_bad(struct peers *p, struct known *k, int64_t now_ms)
{
	size_t good = 0;

	for (size_t i = 0; i < p->n; i++)
		good += !is_bad(k, &p->v[i], now_ms);
	if (good == 0)
		return;
	for (size_t i = 0; i < p->n;) {
		if (!is_bad(k, &p->v[i], now_ms)) {
			i++;
			continue;
		}
		free(p->v[i].command);
		memmove(&p->v[i], &p->v[i + 1],
		    (--p->n - i) * sizeof(p->v[0]));
	}
}

static int
check_names(struct peers *p, char *const *names, struct err *e)
{
	for (; names != NULL && *names != NULL; names++)
		if (peers_find(p, span_str(*names)) == NULL)
			return err_set(e, ERR_NO, "there is no peer %s; "
			    "ehr-node peer makes one", *names);
	return p->n > 0 ? 0 : err_set(e, ERR_NO, "no peers; ehr-node peer "
	    "says how to reach one");
}

int
peers_of(struct peers *out, struct repo *r, char *const *names,
    int64_t now_ms, struct err *e)
{
	bool all = names == NULL || *names == NULL;
	struct known *k = malloc(sizeof(*k));
	int ret;

	*out = (struct peers){ NULL, 0 };
	if (k == NULL)
		return err_set(e, ERR_SYS, "out of memory");
	known_load(k, r);
	ret = add_configured(out, r, names, e);
	if (ret == 0)
		ret = add_known(out, r, k, names, e);
	if (ret == 0 && all)
		leave_bad(out, k, now_ms);
	if (ret == 0)
		ret = check_names(out, names, e);
	free(k);
	if (ret != 0)
		peers_free(out);
	return ret;
}

void
peers_free(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++) {
		session_close(p->v[i].s);
		free(p->v[i].command);
	}
	free(p->v);
	*p = (struct peers){ NULL, 0 };
}
