/*
 * Against the stock age program, both ways, at the sizes where chunks begin
 * and end.  Skipped, visibly, where age is not installed.
 */
#define _GNU_SOURCE	/* mkdtemp */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "base/fs.h"
#include "crypto/age.h"

#define MAX (8u << 20)

static char dir[1000];
static struct err e;

/* Run a command in dir; true when it succeeds. */
static bool
run(const char *command)
{
	char line[2000];
	int status;

	snprintf(line, sizeof(line), "cd '%s' && { %s; } 2>>stderr", dir,
	    command);
	status = system(line);
	return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
put(const char *name, struct span data)
{
	char path[1100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(fs_write(AT_FDCWD, path, NULL, data, 0600, false, &e) == 0);
}

/* Does the file hold exactly data? */
static bool
holds(const char *name, struct span data)
{
	char path[1100];
	struct buf b = BUF_INIT(MAX);
	bool same;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	same = fs_read(&b, AT_FDCWD, path, &e) == 0 &&
	    span_eq(buf_span(&b), data);
	buf_free(&b);
	return same;
}

static void
get(struct buf *out, const char *name)
{
	char path[1100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_reset(out);
	CHECK(fs_read(out, AT_FDCWD, path, &e) == 0);
}

/* Write keys as age wants them: NAME is a secret, NAME.pub a recipient. */
static void
put_key(const char *name, const struct seal_secret *secret,
    struct seal_pub *pub)
{
	struct buf b = BUF_INIT(1024);
	char to[64];

	seal_secret_add(&b, secret);
	buf_addc(&b, '\n');
	put(name, buf_span(&b));
	buf_reset(&b);
	CHECK(seal_public(pub, secret, &e) == 0);
	seal_pub_add(&b, pub);
	buf_addc(&b, '\n');
	snprintf(to, sizeof(to), "%s.pub", name);
	put(to, buf_span(&b));
	buf_wipe(&b);
}

/* Ours, opened by age; age's, opened by us; one byte more or less, by none. */
static void
both_ways(struct span plain, const struct seal_secret *secret,
    const struct seal_pub *pub)
{
	struct buf b = BUF_INIT(MAX), got = BUF_INIT(MAX);

	CHECK(age_seal(&b, plain, pub, 2, &e) == 0);
	put("ours.age", buf_span(&b));
	CHECK(run("age -d -i one ours.age >out") && holds("out", plain));
	CHECK(run("age -d -i two ours.age >out") && holds("out", plain));
	CHECK(!run("age -d -i three ours.age >out"));
	put("ours.age", span_of(b.p, b.len - 1));
	CHECK(!run("age -d -i one ours.age >out"));
	buf_addc(&b, 0);
	put("ours.age", buf_span(&b));
	CHECK(!run("age -d -i one ours.age >out"));

	put("in", plain);
	CHECK(run("age -R three.pub -R one.pub -o theirs.age in"));
	get(&b, "theirs.age");
	CHECK(age_open(&got, buf_span(&b), secret, 1, &e) == 0);
	CHECK(span_eq(buf_span(&got), plain));
	buf_free(&got);
	CHECK(age_open(&got, buf_span(&b), secret + 1, 1, &e) != 0 &&
	    e.kind == ERR_NO);
	CHECK(age_open(&got, span_of(b.p, b.len - 1), secret, 1, &e) != 0 &&
	    e.kind == ERR_BAD);
	buf_free(&got);
	buf_free(&b);
}

/* Another header with the same file key admits another reader. */
static void
new_header(const struct seal_secret *secret, const struct seal_pub *pub)
{
	struct buf header = BUF_INIT(4096), body = BUF_INIT(4096);
	struct buf file = BUF_INIT(8192);
	struct age_key key, again;
	struct span plain = span_str("blood pressure 120/80\n");

	age_key_generate(&key);
	CHECK(age_header_make(&header, &key, pub, 1, &e) == 0);
	CHECK(age_body_make(&body, &key, plain, &e) == 0);
	CHECK(age_header_open(&again, buf_span(&header), secret, 1, &e) == 0);
	buf_reset(&header);
	CHECK(age_header_make(&header, &again, pub + 1, 1, &e) == 0);
	buf_add(&file, header.p, header.len);
	buf_add(&file, body.p, body.len);
	put("again.age", buf_span(&file));
	CHECK(run("age -d -i two again.age >out") && holds("out", plain));
	CHECK(!run("age -d -i one again.age >out"));
	buf_free(&header);
	buf_free(&body);
	buf_free(&file);
}

/* Keys that age-keygen made mean the same to us. */
static void
their_keys(void)
{
	struct buf b = BUF_INIT(1024), mine = BUF_INIT(1024);
	struct seal_secret secret;
	struct seal_pub pub;

	CHECK(run("age-keygen -o k && tail -n 1 k | tr -d '\\n' >four"));
	CHECK(run("age-keygen -y k | tr -d '\\n' >four.pub"));
	get(&b, "four");
	CHECK(seal_secret_parse(&secret, buf_span(&b), &e) == 0);
	CHECK(seal_public(&pub, &secret, &e) == 0);
	seal_pub_add(&mine, &pub);
	CHECK(holds("four.pub", buf_span(&mine)));
	buf_free(&b);
	buf_free(&mine);
}

int
main(void)
{
	static const size_t size[] = {
		0, 1, 65535, 65536, 65537, 2 * 65536, 5u << 20
	};
	static unsigned char plain[5u << 20];
	struct seal_secret secret[3];
	struct seal_pub pub[3];

	if (system("age --version >/dev/null 2>&1 && "
	    "command -v age-keygen >/dev/null") != 0) {
		printf("skip age_stock: age is not installed\n");
		return check_done("age_stock");
	}
	snprintf(dir, sizeof(dir), "%s/ehr-age-XXXXXX",
	    getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	if (mkdtemp(dir) == NULL)
		return 1;
	for (int i = 0; i < 3; i++) {
		static const char *const name[] = { "one", "two", "three" };

		seal_generate(&secret[i]);
		put_key(name[i], &secret[i], &pub[i]);
	}
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		both_ways(span_of(plain, size[i]), secret, pub);
	new_header(secret, pub);
	their_keys();
	CHECK(run("rm -f *"));
	CHECK(rmdir(dir) == 0);
	return check_done("age_stock");
}
