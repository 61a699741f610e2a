/*
 * merkle: the roots of RFC 6962's example tree, every proof of every small
 * tree, and the vectors of ../shared when they are there.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check.h"
#include "base/base64.h"
#include "base/hex.h"
#include "crypto/merkle.h"

/* The eight leaves of the reference implementation's tests, and the roots. */
static const char *const leaf_hex[8] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	"606162636465666768696a6b6c6d6e6f"
};
static const char *const root_hex[9] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
};

static void
known_roots(void)
{
	struct merkle m;
	struct hash h;
	char hex[HASH_HEX];

	merkle_init(&m);
	for (size_t i = 0; i <= 8; i++) {
		unsigned char data[16];
		size_t n;

		merkle_root(&h, &m);
		hash_format(hex, &h);
		CHECK_STR(hex, root_hex[i]);
		CHECK(m.size == i);
		if (i == 8)
			break;
		n = strlen(leaf_hex[i]) / 2;
		CHECK(hex_decode(data, n, span_str(leaf_hex[i])) == 0);
		merkle_leaf(&h, data, n);
		merkle_add(&m, &h);
	}
}

/* A tree whose leaf i is the 32-byte id that starts with i. */
static void
id_of(struct hash *id, uint64_t i)
{
	memset(id, 0, sizeof(*id));
	for (int k = 0; k < 8; k++)
		id->b[k] = (unsigned char)(i >> 8 * k);
}

static void
leaf_of(void *arg, uint64_t i, struct hash *out)
{
	struct hash id;

	(void)arg;
	id_of(&id, i);
	merkle_leaf(out, id.b, HASH_LEN);
}

/* RFC 6962's recursive definition, word for word. */
static void
define_root(struct hash *out, uint64_t from, uint64_t n)
{
	struct hash left, right;
	uint64_t k = 1;

	if (n == 1) {
		leaf_of(NULL, from, out);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	define_root(&left, from, k);
	define_root(&right, from + k, n - k);
	merkle_node(out, &left, &right);
}

/* When not 0, counted down by each question; the last one is not answered. */
static int fail_at;

/* The same for a whole subtree; which must lie in the tree of *arg leaves. */
static int
node_of(void *arg, unsigned level, uint64_t index, struct hash *out,
    struct err *e)
{
	uint64_t *size = arg;
	struct hash left, right;

	CHECK((index + 1) << level <= *size);
	if (fail_at > 0 && --fail_at == 0)
		return err_set(e, ERR_SYS, "no such node");
	if (level == 0) {
		leaf_of(NULL, index, out);
		return 0;
	}
	define_root(&left, index << level, 1ull << (level - 1));
	define_root(&right, (index * 2 + 1) << (level - 1),
	    1ull << (level - 1));
	merkle_node(out, &left, &right);
	return 0;
}

#define SMALL 40

static struct hash roots[SMALL + 1];

static void
definition(void)
{
	struct hash ids[SMALL], h;

	merkle_root_of(&roots[0], NULL, 0);
	for (uint64_t n = 1; n <= SMALL; n++) {
		id_of(&ids[n - 1], n - 1);
		merkle_root_of(&roots[n], ids, n);
		define_root(&h, 0, n);
		CHECK(hash_eq(&h, &roots[n]));
	}
}

static void
inclusion(uint64_t index, uint64_t size)
{
	struct hash path[MERKLE_DEPTH], leaf, *root = &roots[size];
	struct err e;
	size_t n;

	leaf_of(NULL, index, &leaf);
	CHECK(merkle_inclusion(path, &n, index, size, node_of, &size, &e) == 0);
	CHECK(merkle_inclusion_ok(root, size, index, &leaf, path, n));
	for (uint64_t other = 0; other <= size; other++)
		CHECK(other == index || !merkle_inclusion_ok(root, size, other,
		    &leaf, path, n));
	CHECK(!merkle_inclusion_ok(&roots[size - 1], size, index, &leaf,
	    path, n));
	CHECK(!merkle_inclusion_ok(root, size, index, root, path, n) ||
	    size == 1);
	if (n > 0)
		CHECK(!merkle_inclusion_ok(root, size, index, &leaf, path,
		    n - 1));
	path[n] = leaf;
	CHECK(!merkle_inclusion_ok(root, size, index, &leaf, path, n + 1));
	for (size_t i = 0; i < n; i++) {
		path[i].b[i % HASH_LEN] ^= 1;
		CHECK(!merkle_inclusion_ok(root, size, index, &leaf, path, n));
		path[i].b[i % HASH_LEN] ^= 1;
	}
}

static void
consistency(uint64_t size1, uint64_t size2)
{
	struct hash path[MERKLE_DEPTH], *r1 = &roots[size1];
	struct hash *r2 = &roots[size2];
	struct err e;
	size_t n;

	CHECK(merkle_consistency(path, &n, size1, size2, node_of, &size2,
	    &e) == 0);
	CHECK(merkle_consistency_ok(r1, size1, r2, size2, path, n));
	CHECK(size1 == size2 ||
	    !merkle_consistency_ok(r2, size1, r1, size2, path, n));
	CHECK(!merkle_consistency_ok(r1, size1, &roots[size2 - 1], size2, path,
	    n));
	CHECK(!merkle_consistency_ok(r1, size1 - 1, r2, size2, path, n));
	/* An even size and the odd one after it may share a shape. */
	CHECK(!merkle_consistency_ok(r1, size1, r2, size1 - 1, path, n));
	if (n > 0)
		CHECK(!merkle_consistency_ok(r1, size1, r2, size2, path,
		    n - 1));
	path[n] = *r1;
	CHECK(!merkle_consistency_ok(r1, size1, r2, size2, path, n + 1));
	for (size_t i = 0; i < n; i++) {
		path[i].b[i % HASH_LEN] ^= 1;
		CHECK(!merkle_consistency_ok(r1, size1, r2, size2, path, n));
		path[i].b[i % HASH_LEN] ^= 1;
	}
}

/* What node says is what the caller gets. */
static void
failures(void)
{
	struct hash path[MERKLE_DEPTH], root;
	uint64_t size = 37;
	int made = 0, asked;
	struct err e;
	size_t n;

	for (asked = 1; made < 3; asked++) {
		fail_at = asked;
		made = merkle_root_at(&root, size, node_of, &size, &e) == 0;
		fail_at = asked;
		made += merkle_inclusion(path, &n, 17, size, node_of, &size,
		    &e) == 0;
		fail_at = asked;
		made += merkle_consistency(path, &n, 17, size, node_of, &size,
		    &e) == 0;
	}
	fail_at = 0;
	CHECK(asked > 5);
	for (size = 0; size <= SMALL; size++) {
		CHECK(merkle_root_at(&root, size, node_of, &size, &e) == 0);
		CHECK(hash_eq(&root, &roots[size]));
	}
}

static void
all_small_proofs(void)
{
	struct hash path[MERKLE_DEPTH];
	uint64_t seven = 7;
	struct err e;
	size_t n = 9;

	for (uint64_t size = 1; size <= SMALL; size++)
		for (uint64_t i = 0; i < size; i++) {
			inclusion(i, size);
			consistency(i + 1, size);
		}
	CHECK(merkle_consistency(path, &n, 0, 7, node_of, &seven, &e) == 0);
	CHECK(n == 0);
	failures();
	CHECK(!merkle_consistency_ok(&roots[0], 0, &roots[7], 7, path, 0));
	CHECK(!merkle_inclusion_ok(&roots[0], 0, 0, &roots[0], path, 0));
	/* Sizes at the ends of the range must not overflow. */
	CHECK(!merkle_inclusion_ok(&roots[1], UINT64_MAX, UINT64_MAX - 1,
	    &roots[1], path, 0));
	CHECK(!merkle_consistency_ok(&roots[1], UINT64_MAX, &roots[2],
	    UINT64_MAX, path, 0));
	CHECK(!merkle_consistency_ok(&roots[1], 1, &roots[2], UINT64_MAX,
	    path, 0));
}

/* A hash member of a vector; false when it is no hash. */
static bool
get_hash(struct hash *out, const json_t *value)
{
	const char *s = json_string_value(value);
	size_t n;

	return s != NULL && base64_decode(out->b, HASH_LEN, &n, span_str(s),
	    true) == 0 && n == HASH_LEN;
}

/* jansson's integers end at 2^63; one vector says 2^64 - 1. */
static uint64_t
get_u64(const json_t *v, const char *key)
{
	double d = json_number_value(json_object_get(v, key));

	return d < 0x1p63 ? (uint64_t)d : UINT64_MAX;
}

/* Does the vector's proof verify? */
static bool
verifies(const json_t *v)
{
	const json_t *proof = json_object_get(v, "proof");
	size_t n = json_array_size(proof);
	struct hash path[256], a, b;

	if (n > 256)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!get_hash(&path[i], json_array_get(proof, i)))
			return false;
	if (json_object_get(v, "treeSize") != NULL)
		return get_hash(&a, json_object_get(v, "root")) &&
		    get_hash(&b, json_object_get(v, "leafHash")) &&
		    merkle_inclusion_ok(&a, get_u64(v, "treeSize"),
		    get_u64(v, "leafIdx"), &b, path, n);
	return get_hash(&a, json_object_get(v, "root1")) &&
	    get_hash(&b, json_object_get(v, "root2")) &&
	    merkle_consistency_ok(&a, get_u64(v, "size1"), &b,
	    get_u64(v, "size2"), path, n);
}

/*
 * One good vector has equal strings of 12 bytes for roots, which shows that
 * nothing is hashed there; we know no such roots.
 */
static void
vector(const char *path)
{
	json_error_t why;
	json_t *v = json_load_file(path,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
	const char *root = json_string_value(json_object_get(v, "root1"));
	bool bad = json_is_true(json_object_get(v, "wantErr")) ||
	    (root != NULL && strcmp(root, "ZG9uJ3QgY2FyZSAy") == 0);
	bool as_said = json_object_get(v, "wantErr") != NULL &&
	    verifies(v) != bad;

	if (!as_said)
		printf("%s:\n", path);
	CHECK(as_said);
	json_decref(v);
}

/* All files below path; how many there were. */
static int
vectors(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	struct stat st;
	char name[4096];
	int n = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
			n += vectors(name);
		else {
			vector(name);
			n++;
		}
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

int
main(void)
{
	const char *shared = getenv("EHR_SHARED");
	char path[4096];
	int n;

	known_roots();
	definition();
	all_small_proofs();
	snprintf(path, sizeof(path), "%s/vectors/merkle",
	    shared == NULL ? "../shared" : shared);
	if ((n = vectors(path)) == 0)
		printf("skip merkle: no %s\n", path);
	else
		CHECK(n > 100);
	return check_done("merkle");
}
