/*
 * flips: a changed bit of a ledger's directory is found by an audit, which
 * names the file.
 *
 *	flips DIR BITS [PART PARTS [FILE ...]]
 *
 * changes each bit of the mask BITS in each byte of DIR/.ehr that is number
 * PART of PARTS, one at a time, for t/54-flips-all.bats; or of these files.
 * Several can work at once, each on a copy.  Without arguments: some bits of a
 * ledger of its own.
 *
 * What ehr-repository(5) says nobody can find is no failure, if it is that:
 * config must name the same ledger and node, and node.key hold the same keys.
 */
#define _GNU_SOURCE
#include "post.h"

#include "base/text.h"
#include "log/audit.h"

#define FILES_MAX 4096
#define EVERY 149		/* bytes, of the ledger of its own */

static struct err e;
static char *file[FILES_MAX];	/* below .ehr, sorted */
static size_t nfiles;
static unsigned long tried, alike;

static const char *dir;
static char key_before[256];	/* public halves, as text */

/* --- the files ------------------------------------------------------------ */

/* Those that nothing hangs on, and the database, which is made again. */
static bool
is_judged(const char *path)
{
	static const char *const out[] = { "state.db", "checked", "events",
	    "hooks/", "quarantine/", "tmp/", "consensus/active",
	    "consensus/called", "consensus/heard", "consensus/seen",
	    "consensus/evidence-" };
	size_t n = strlen(path);

	for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
		if (strncmp(path, out[i], strlen(out[i])) == 0)
			return false;
	return n < 4 || strcmp(path + n - 4, "lock") != 0;
}

static int
take_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	const char *below = path + strlen(dir) + strlen("/.ehr/");

	(void)st, (void)ftw;
	if (flag == FTW_F && is_judged(below)) {
		assert(nfiles < FILES_MAX);
		file[nfiles++] = strdup(below);
	}
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list_files(void)
{
	char top[PATH_MAX];

	snprintf(top, sizeof(top), "%s/.ehr", dir);
	CHECK(nftw(top, take_file, 16, FTW_PHYS) == 0);
	qsort(file, nfiles, sizeof(*file), by_name);
}

/* --- an audit ------------------------------------------------------------- */

/* What an audit says. */
struct said {
	const char *path;	/* of a file, which it may name */
	bool anything, named;
};

static int
finding(void *arg, const struct audit_finding *f, struct err *err)
{
	struct said *s = arg;

	(void)err;
	s->anything = true;
	s->named = s->named || strstr(f->where, s->path) != NULL ||
	    strstr(f->what, s->path) != NULL;
	return 0;
}

/* That there is nothing to audit is a finding, too. */
static void
audit(struct said *s, const char *path)
{
	struct audit a = { .finding = finding, .arg = s };

	*s = (struct said){ path, false, false };
	if (repo_open(&a.repo, dir, &e) != 0) {
		s->anything = true;
		s->named = strstr(e.msg, path) != NULL;
		return;
	}
	if (audit_run(&a, &e) != 0)
		printf("%s: the audit ended: %s\n", path, e.msg);
	audit_close(&a);
	repo_close(a.repo);
}

static bool
is_clean(void)
{
	struct said s;

	audit(&s, "nowhere");
	return !s.anything;
}

/* --- what nobody can find ------------------------------------------------- */

static void
keys_text(char out[256], struct repo *r)
{
	struct buf text = BUF_INIT(256);
	struct identity id;
	struct sign_pub sign;
	struct seal_pub seal;
	bool locked;

	out[0] = '\0';
	if (repo_node_key_look(r, &id, &locked, &e) != 0 || locked)
		return;
	sign_public(&sign, id.sign);
	little_ok(seal_public(&seal, &id.seal[0], &e));
	sign_pub_add(&text, &sign);
	seal_pub_add(&text, &seal);
	buf_addc(&text, '\0');
	if (!text.failed)
		memcpy(out, text.p, text.len);
	identity_wipe(&id);
	buf_free(&text);
}

/* Is all that it said as before?  node: the node's name. */
static bool
says_the_same(const char *path, const char *node)
{
	char now[256];
	struct repo *r;
	bool same = false;

	if (strcmp(path, "config") != 0 && strcmp(path, "node.key") != 0)
		return false;
	if (repo_open(&r, dir, &e) != 0)
		return false;
	keys_text(now, r);
	same = repo_node_name(r) != NULL &&
	    strcmp(repo_node_name(r), node) == 0 &&
	    strcmp(now, key_before) == 0;
	repo_close(r);
	return same;
}

/* --- flips ---------------------------------------------------------------- */

static void
flip_byte(const char *path, size_t at, unsigned bits, const char *node)
{
	char whole[PATH_MAX];
	struct said s;

	snprintf(whole, sizeof(whole), "%s/.ehr/%s", dir, path);
	for (int bit = 0; bit < 8; bit++) {
		if ((bits >> bit & 1) == 0)
			continue;
		scratch_flip(whole, (long)at, bit);
		tried++;
		audit(&s, path);
		if (!s.named) {
			if (says_the_same(path, node))
				alike++;
			else {
				printf("%s: byte %zu, bit %d: not found\n",
				    path, at, bit);
				checks_failed++;
			}
		}
		scratch_flip(whole, (long)at, bit);
	}
}

/* Each byte whose number, over all files, is part of parts. */
static void
flip_all(unsigned bits, uint64_t part, uint64_t parts)
{
	char whole[PATH_MAX], node[NAME_MAX_LEN + 1];
	uint64_t number = 0;
	struct repo *r;
	struct stat st;

	CHECK(is_clean());
	little_ok(repo_open(&r, dir, &e));
	snprintf(node, sizeof(node), "%s", repo_node_name(r));
	keys_text(key_before, r);
	repo_close(r);
	for (size_t i = 0; i < nfiles; i++) {
		snprintf(whole, sizeof(whole), "%s/.ehr/%s", dir, file[i]);
		CHECK(stat(whole, &st) == 0);
		for (off_t at = 0; at < st.st_size; at++)
			if (number++ % parts == part)
				flip_byte(file[i], (size_t)at, bits == 0 ?
				    1u << at % 8 : bits, node);
	}
	CHECK(is_clean());
}

static int
work(int argc, char **argv)
{
	uint64_t bits, part = 0, parts = 1;

	dir = argv[1];
	if (text_parse_u64(&bits, span_str(argv[2]), 255) != 0 || argc == 4 ||
	    (argc > 4 && (text_parse_u64(&part, span_str(argv[3]),
	    UINT64_MAX) != 0 || text_parse_u64(&parts, span_str(argv[4]),
	    UINT64_MAX) != 0 || part >= parts)))
		return 2;
	for (int i = 5; i < argc && nfiles < FILES_MAX; i++)
		file[nfiles++] = argv[i];
	if (nfiles == 0)
		list_files();
	flip_all((unsigned)bits, part, parts);
	printf("%lu bits of %zu files, %lu not found, of %lu config and "
	    "node.key say the same\n", tried, nfiles,
	    (unsigned long)checks_failed, alike);
	return checks_failed != 0;
}

int
main(int argc, char **argv)
{
	struct hash record, header;
	struct post p;

	if (argc > 1)
		return argc < 3 ? 2 : work(argc, argv);
	scratch_open();
	post_open(&p);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 10, 1, &record);
	post_authorize(&p, 0, &record, &header);
	post_block(&p, 0, NULL);
	post_stage(&p, 0, 10, 2, &record);
	little_ok(hourly_roll(p.f.r[0], NULL, &e));
	repo_close(p.f.r[0]);
	p.f.r[0] = NULL;
	dir = "h0";
	list_files();
	flip_all(0, 0, EVERY);
	post_close(&p);
	scratch_close();
	return check_done("flips");
}
