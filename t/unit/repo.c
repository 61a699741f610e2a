/* repo: made whole or not at all, found, trusted, and its secrets private. */
#define _GNU_SOURCE
#include "scratch.h"

#include "ledger/secret.h"

static struct err e;
static struct little l;

/* Does it open? */
static bool
opens(const char *dir)
{
	struct repo *r;

	if (repo_open(&r, dir, &e) != 0)
		return false;
	CHECK(hash_eq(repo_ledger(r), &l.id));
	CHECK(r->path[0] == '/' && strcmp(r->path + strlen(r->path) - 5,
	    "/.ehr") == 0);
	repo_close(r);
	return true;
}

static bool
refuses(const char *dir, enum err_kind kind, const char *words)
{
	bool r = !opens(dir) && e.kind == kind && strstr(e.msg, words) != NULL;

	if (!r)
		printf("%s: %d %s\n", dir, (int)e.kind, e.msg);
	return r;
}

static int
private_entry(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)ftw;
	CHECK((st->st_mode & 07777) == (flag == FTW_DP ? 0700 : 0600));
	if ((st->st_mode & 077) != 0)
		printf("%s: mode %o\n", path, st->st_mode);
	return 0;
}

static void
making(void)
{
	struct repo_new n = { .genesis = buf_span(&l.genesis) };
	struct buf secret = BUF_INIT(SECRET_MAX);
	struct repo *r;
	char text[200], hex[HASH_HEX];

	CHECK(repo_create("A", &n, &e) == 0);
	CHECK(scratch_entries("A") == 1);
	CHECK(scratch_entries("A/.ehr") == 13);
	hash_format(hex, &l.id);
	snprintf(text, sizeof(text), "[ledger]\n\tid = %s\n", hex);
	CHECK(scratch_holds("A/.ehr/config", span_str(text)));
	CHECK(scratch_holds("A/.ehr/genesis", buf_span(&l.genesis)));
	CHECK(scratch_entries("A/.ehr/tmp") == 0);
	CHECK(scratch_entries("A/.ehr/objects/seg") == 0);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(repo_node_name(r) == NULL);
	repo_close(r);
	/* A second one is refused, and the first stays. */
	CHECK(repo_create("A", &n, &e) == -1 && e.kind == ERR_NO);
	CHECK(opens("A") && scratch_entries("A") == 1);

	n.node_name = "hospital-a";
	n.secret = &l.secret;
	n.key_file = span_str("the key\n");
	umask(0);
	CHECK(mkdir("B", 0755) == 0);
	CHECK(repo_create("B/", &n, &e) == 0);
	umask(022);
	CHECK(scratch_entries("B/.ehr") == 15);
	CHECK(nftw("B/.ehr", private_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
	CHECK(scratch_holds("B/.ehr/node.key", n.key_file));
	secret_text(&secret, &l.secret);
	CHECK(scratch_holds("B/.ehr/secret", buf_span(&secret)));
	buf_free(&secret);
	CHECK(repo_open(&r, "B", &e) == 0);
	CHECK_STR(repo_node_name(r), "hospital-a");
	repo_close(r);
	repo_close(NULL);
}

static void
not_making(void)
{
	struct repo_new n = { .genesis = buf_span(&l.genesis) };

	CHECK(repo_create("no/C", &n, &e) == -1 && e.kind == ERR_SYS);
	n.node_name = "no name";
	CHECK(repo_create("C", &n, &e) == -1 && e.kind == ERR_USAGE);
	n.node_name = NULL;
	n.genesis.n--;
	CHECK(repo_create("C", &n, &e) == -1 && e.kind == ERR_BAD);
	n.genesis.n++;
	CHECK(access("C", F_OK) != 0);
	scratch_text("file", "");
	CHECK(repo_create("file", &n, &e) == -1 && e.kind == ERR_SYS);
	/* Not even a link to nowhere gives way. */
	CHECK(mkdir("D", 0700) == 0 && symlink("none", "D/.ehr") == 0);
	CHECK(repo_create("D", &n, &e) == -1 && e.kind == ERR_NO);
	CHECK(scratch_entries("D") == 1);
}

static void
finding(void)
{
	char path[PATH_MAX + 16];

	CHECK(mkdir("B/x", 0700) == 0 && mkdir("B/x/y", 0700) == 0);
	CHECK(opens("B") && opens("B/") && opens("./B") && opens("B/.ehr"));
	snprintf(path, sizeof(path), "%s/B", scratch_path);
	CHECK(opens(path));
	CHECK(refuses("B/x", ERR_NO, "no ledger"));
	CHECK(refuses("none", ERR_NO, "no ledger"));
	CHECK(refuses(NULL, ERR_NO, "no ledger"));
	CHECK(chdir("B/x/y") == 0 && opens(NULL));
	setenv("EHR_DIR", path, 1);
	CHECK(chdir("/") == 0 && opens(NULL));
	setenv("EHR_DIR", "none", 1);
	CHECK(refuses(NULL, ERR_NO, "none"));
	/* -C comes before EHR_DIR. */
	CHECK(opens(path));
	setenv("EHR_DIR", "", 1);
	CHECK(refuses(NULL, ERR_NO, "no ledger"));
	unsetenv("EHR_DIR");
	CHECK(chdir(scratch_path) == 0);
	CHECK(chdir("B/.ehr/objects") == 0 && opens(NULL));
	CHECK(chdir(scratch_path) == 0);
	CHECK(symlink("B", "link") == 0 && opens("link"));
}

/* A genesis or config that is not the one it was. */
static void
altered(void)
{
	struct buf other = BUF_INIT(GENESIS_MAX), text = BUF_INIT(GENESIS_MAX);
	struct genesis *g = malloc(sizeof(*g));
	struct buf config = BUF_INIT(CONFIG_MAX);
	const char *const genesis = "A/.ehr/genesis";

	for (size_t i = 0; i < l.genesis.len; i += 41) {
		scratch_flip(genesis, (long)i, (int)(i % 8));
		CHECK(refuses("A", ERR_BAD, "genesis"));
		scratch_flip(genesis, (long)i, (int)(i % 8));
	}
	CHECK(opens("A"));
	/* Another ledger's genesis is without fault, but not ours. */
	little_genesis(g, &l);
	g->nonce[0]++;
	genesis_text(&text, g);
	little_ok(identity_sign(&other, buf_span(&text), &l.node[0], &e));
	scratch_write(genesis, other.p, other.len);
	CHECK(refuses("A", ERR_BAD, "genesis was altered or replaced"));
	scratch_write(genesis, other.p, other.len - 1);
	CHECK(refuses("A", ERR_BAD, ""));
	unlink(genesis);
	CHECK(refuses("A", ERR_BAD, "genesis: no such file"));
	scratch_write(genesis, l.genesis.p, l.genesis.len);
	CHECK(opens("A"));

	CHECK(fs_read(&config, AT_FDCWD, "A/.ehr/config", &e) == 0);
	unlink("A/.ehr/config");
	CHECK(refuses("A", ERR_BAD, "ledger.id"));
	scratch_text("A/.ehr/config", "[ledger]\nid = 12\n");
	CHECK(refuses("A", ERR_BAD, "ledger.id"));
	scratch_text("A/.ehr/config", "[ledger\n");
	CHECK(refuses("A", ERR_BAD, "line 1"));
	scratch_write("A/.ehr/config", config.p, config.len);
	CHECK(opens("A"));
	buf_free(&other);
	buf_free(&text);
	buf_free(&config);
	free(g);
}

static void
safe(const char *list, bool want)
{
	setenv("EHR_SAFE_DIRECTORY", list, 1);
	CHECK(opens("A") == want);
	unsetenv("EHR_SAFE_DIRECTORY");
}

static void
trusting(void)
{
	char path[PATH_MAX + 16], list[3 * PATH_MAX];
	FILE *f;

	if (geteuid() != 0) {
		printf("skip directories of others: needs root\n");
		return;
	}
	CHECK(chown("A/.ehr", 12345, 12345) == 0);
	CHECK(chown("A/.ehr/config", 12345, 12345) == 0);
	CHECK(refuses("A", ERR_NO, "/A/.ehr belongs to user 12345, not to "
	    "you; set EHR_SAFE_DIRECTORY to trust it"));
	snprintf(path, sizeof(path), "%s/A", scratch_path);
	safe("*", true);
	safe(path, true);
	snprintf(list, sizeof(list), "/none::%s/:/x", path);
	safe(list, true);
	snprintf(list, sizeof(list), "%s/.ehr", path);
	safe(list, true);
	safe("", false);
	safe("A", false);
	safe("/", false);
	safe(scratch_path, false);
	snprintf(list, sizeof(list), "%s/B:%s/", path, scratch_path);
	safe(list, false);
	/* The user's config may say so; the directory's own may not. */
	f = fopen("A/.ehr/config", "a");
	fputs("[safe]\ndirectory = *\n", f);
	fclose(f);
	CHECK(!opens("A") && e.kind == ERR_NO);
	CHECK(mkdir(".config", 0700) == 0 && mkdir(".config/ehr", 0700) == 0);
	snprintf(list, sizeof(list), "[safe]\ndirectory = /x\n"
	    "directory = %s\ndirectory = /y\n", path);
	scratch_text(".config/ehr/config", list);
	CHECK(opens("A"));
	/* Trust in the directory's owner is none in a third. */
	CHECK(chown("A/.ehr/config", 54321, 54321) == 0);
	CHECK(refuses("A", ERR_NO, "54321"));
	CHECK(chown("A/.ehr/config", 0, 0) == 0 && opens("A"));
	CHECK(chown("A/.ehr", 0, 0) == 0);
	unlink(".config/ehr/config");
}

static void
secrets(void)
{
	struct hash s, other;
	struct repo *r;
	bool checked;

	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(repo_secret(r, &s, &e) == -1 && e.kind == ERR_NO);
	CHECK(repo_secret_set(r, &l.secret, &e) == 0);
	CHECK(repo_secret(r, &s, &e) == 0 && hash_eq(&s, &l.secret));
	CHECK(repo_secret_set(r, &l.secret, &e) == 0);
	little_object(&other, "another");
	CHECK(repo_secret_set(r, &other, &e) == -1 && e.kind == ERR_NO);
	CHECK(repo_secret(r, &s, &e) == 0 && hash_eq(&s, &l.secret));
	for (mode_t m = 1; m < 0100; m <<= 1) {
		CHECK(chmod("A/.ehr/secret", 0600 | m) == 0);
		CHECK(repo_secret(r, &s, &e) == -1 && e.kind == ERR_NO);
		CHECK(strstr(e.msg, "0600") != NULL);
	}
	CHECK(chmod("A/.ehr/secret", 0400) == 0);
	CHECK(repo_secret(r, &s, &e) == 0);
	CHECK(chmod("A/.ehr/secret", 0600) == 0);
	CHECK(repo_secret_look(r, &checked, &e) == 0 && checked);
	/* As it was before there was a check. */
	CHECK(truncate("A/.ehr/secret", HASH_HEX) == 0);
	CHECK(repo_secret(r, &s, &e) == 0 && hash_eq(&s, &l.secret));
	CHECK(repo_secret_look(r, &checked, &e) == 0 && !checked);
	scratch_text("A/.ehr/secret", "12\n");
	CHECK(repo_secret(r, &s, &e) == -1 && e.kind == ERR_BAD);
	CHECK(repo_secret_set(r, &other, &e) == -1);
	repo_close(r);
}

static bool
key_is(const struct repo *r, const struct identity *want)
{
	struct identity id;
	struct sign_pub a, b;
	bool same = repo_node_key(r, &id, &e) == 0;

	if (same) {
		sign_public(&a, id.sign);
		sign_public(&b, want->sign);
		same = sign_pub_eq(&a, &b);
		identity_wipe(&id);
	}
	return same;
}

static void
node_key(void)
{
	const char *const key = "A/.ehr/node.key";
	struct buf file = BUF_INIT(IDENTITY_FILE_MAX);
	struct repo *r;
	char text[PATH_MAX + 64];

	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_NO);
	little_ok(identity_format(&file, &l.node[0], span_str(""), &e));
	scratch_write(key, file.p, file.len);
	CHECK(chmod(key, 0640) == 0);
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_NO);
	CHECK(strstr(e.msg, "mode 0640 lets others read it") != NULL);
	CHECK(chmod(key, 0600) == 0);
	CHECK(key_is(r, &l.node[0]));
	scratch_write(key, file.p, file.len - 1);
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_BAD);

	buf_reset(&file);
	little_ok(identity_format(&file, &l.node[0], span_str("open it"), &e));
	scratch_write(key, file.p, file.len);
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_NO &&
	    strstr(e.msg, "EHR_PASSPHRASE_FILE") != NULL);
	scratch_text("pass", "open it\nnot this\n");
	setenv("EHR_PASSPHRASE_FILE", "pass", 1);
	CHECK(key_is(r, &l.node[0]));
	scratch_text("pass", "open it");
	CHECK(key_is(r, &l.node[0]));
	scratch_text("pass", "open\n");
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_NO);
	unlink("pass");
	CHECK(!key_is(r, &l.node[0]) && e.kind == ERR_NO);
	unsetenv("EHR_PASSPHRASE_FILE");
	repo_close(r);
	scratch_text("pass", "open it\n");
	snprintf(text, sizeof(text), "%s/pass", scratch_path);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(config_set(r->dirfd, "passphrase.file", text, &e) == 0);
	repo_close(r);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(key_is(r, &l.node[0]));

	/* systemd's credential comes first, if it is there. */
	CHECK(mkdir("cred", 0700) == 0);
	snprintf(text, sizeof(text), "%s/cred", scratch_path);
	setenv("CREDENTIALS_DIRECTORY", text, 1);
	CHECK(key_is(r, &l.node[0]));
	buf_reset(&file);
	little_ok(identity_format(&file, &l.node[1], span_str(""), &e));
	scratch_write("cred/node.key", file.p, file.len);
	CHECK(key_is(r, &l.node[1]));
	unsetenv("CREDENTIALS_DIRECTORY");
	repo_close(r);
	buf_free(&file);
}

static void
locking(void)
{
	struct repo *r;
	int fd, other;

	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK((fd = repo_lock(r, 0, &e)) >= 0);
	CHECK(repo_lock(r, 20, &e) == -1 && e.kind == ERR_AGAIN);
	close(fd);
	CHECK((other = repo_lock(r, 0, &e)) >= 0);
	close(other);
	repo_close(r);
}

static void
sweeping(void)
{
	static const char *const name[] = { "A/.ehr/tmp/.tmp-old",
	    "A/.ehr/tmp/.tmp-new", "A/.ehr/tmp/mine", "A/.ehr/.tmp-out" };
	struct timespec day[2] = { { time(NULL) - 86500, 0 },
	    { time(NULL) - 86500, 0 } };
	struct timespec near[2] = { { time(NULL) - 86300, 0 },
	    { time(NULL) - 86300, 0 } };
	struct repo *r;

	for (int i = 0; i < 4; i++) {
		scratch_text(name[i], "x");
		CHECK(utimensat(AT_FDCWD, name[i], i == 1 ? near : day, 0)
		    == 0);
	}
	CHECK(mkdir("A/.ehr/tmp/.tmp-dir", 0700) == 0);
	CHECK(utimensat(AT_FDCWD, "A/.ehr/tmp/.tmp-dir", day, 0) == 0);
	CHECK(repo_open(&r, "A", &e) == 0);
	CHECK(repo_sweep(r, &e) == 0);
	CHECK(access(name[0], F_OK) != 0);
	for (int i = 1; i < 4; i++)
		CHECK(access(name[i], F_OK) == 0);
	CHECK(access("A/.ehr/tmp/.tmp-dir", F_OK) == 0);
	repo_close(r);
}

static void
create(void *arg, int fd)
{
	struct repo_new n = { .genesis = buf_span(&l.genesis),
	    .secret = &l.secret, .key_file = span_str("k") };

	if (repo_create(arg, &n, &e) != 0 || fs_write_all(fd, "x", 1) != 0)
		_exit(1);
	for (;;)
		pause();
}

/* There is a whole .ehr or none. */
static void
killed(void)
{
	struct repo_new n = { .genesis = buf_span(&l.genesis) };
	struct buf said = BUF_INIT(1);
	char dir[] = "K";
	long start = scratch_us(), us;
	int whole = 0;

	CHECK(repo_create("K", &n, &e) == 0);
	us = scratch_us() - start;
	scratch_remove("K");
	for (int i = 0; i < 40; i++) {
		CHECK(mkdir("K", 0700) == 0);
		scratch_kill_in(create, dir, 1, us, &said);
		if (said.len > 0)
			CHECK(access("K/.ehr", F_OK) == 0);
		buf_reset(&said);
		if (access("K/.ehr", F_OK) == 0) {
			CHECK(opens("K") && scratch_entries("K/.ehr") == 15);
			whole++;
		}
		scratch_remove("K");
	}
	CHECK(whole > 0);
	buf_free(&said);
}

static void
full(void)
{
	struct repo_new n = { .genesis = buf_span(&l.genesis),
	    .secret = &l.secret };
	char *p = calloc(1, 1 << 20);

	if (scratch_small_disk("disk", "1m")) {
		/* At each point where the disk may be full. */
		for (size_t left = 4096; left < 100000; left += 4096) {
			scratch_write("disk/filler", p, (1 << 20) - left);
			if (repo_create("disk/F", &n, &e) == 0) {
				CHECK(opens("disk/F"));
				scratch_remove("disk/F");
			} else {
				CHECK(e.kind == ERR_SYS && e.errnum == ENOSPC);
				CHECK(access("disk/F", F_OK) != 0);
			}
		}
		unlink("disk/filler");
		CHECK(repo_create("disk/F", &n, &e) == 0 && opens("disk/F"));
		umount("disk");
	}
	free(p);
}

int
main(void)
{
	umask(022);
	scratch_open();
	srandom(20260302);
	little_open(&l);
	making();
	not_making();
	finding();
	altered();
	trusting();
	secrets();
	node_key();
	locking();
	sweeping();
	killed();
	full();
	little_close(&l);
	scratch_close();
	return check_done("repo");
}
