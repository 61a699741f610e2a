/*
 * payload_big: memory does not grow with the files.  A file of 200 MiB, which
 * has holes and takes no room, goes in and comes out; and so does the largest
 * document that is looked into.
 */
#define _GNU_SOURCE	/* mkdtemp, O_* */
#include "packed.h"

#include <sys/resource.h>

#define BIG (200ll << 20)
#define MEMORY_MAX (64l << 10)		/* KiB */

static struct hash_stream *sum;
static uint64_t bytes;

static int
to_sum(void *arg, const void *p, size_t n, struct err *err)
{
	(void)arg;
	(void)err;
	hash_add(sum, p, n);
	bytes += n;
	return 0;
}

static void
big_file(void)
{
	struct payload_input in = { .path = "big.dcm" };
	int fd = open("big.dcm", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static unsigned char zeros[1 << 20];
	struct hash want, got;

	CHECK(ftruncate(fd, BIG) == 0);
	CHECK(pwrite(fd, "DICM", 4, 128) == 4);
	CHECK(pwrite(fd, "end", 3, BIG - 3) == 3);
	close(fd);
	CHECK(pack(&in, 1) == 0);
	CHECK(packed.len < 1 << 20);

	sum = hash_open();
	CHECK(payload_stream(packed_source(), NULL, NULL, to_sum, NULL,
	    &e) == 0);
	hash_finish(sum, &got);
	CHECK(bytes == BIG);
	sum = hash_open();
	memcpy(zeros + 128, "DICM", 4);
	for (int i = 0; i < 200; i++) {
		if (i == 1)
			memset(zeros, 0, sizeof(zeros));
		if (i == 199)
			memcpy(zeros + sizeof(zeros) - 3, "end", 3);
		hash_add(sum, zeros, sizeof(zeros));
	}
	hash_finish(sum, &want);
	CHECK(hash_eq(&want, &got));
}

/* JSON that would take much more memory than it is long. */
static void
big_json(void)
{
	struct payload_input in = { .path = "big.json" };
	char *text = malloc(FIELDS_LOOK_MAX);
	struct meta_file f;
	struct meta m;
	size_t n;

	n = (size_t)sprintf(text, "{\"resourceType\":\"Bundle\",\"entry\":[");
	while (n < FIELDS_LOOK_MAX - 5) {
		memcpy(text + n, "[],", 3);
		n += 3;
	}
	memcpy(text + n, "1]}", 3);
	put_file("big.json", text, n + 3);
	free(text);
	CHECK(pack(&in, 1) == 0);
	CHECK(payload_read_meta(&m, packed_source(), NULL, &e) == 0);
	meta_file(&f, &m, 0);
	CHECK(span_is(f.type, "application/fhir+json") && f.fields != NULL);
	meta_free(&m);
}

int
main(void)
{
	struct rusage use;

	packed_begin();
	big_file();
	big_json();
	packed_end();
	getrusage(RUSAGE_SELF, &use);
	/* What a sanitizer or the coverage adds is not ours. */
#if defined(__SANITIZE_ADDRESS__)
	printf("skip: %ld KiB, measured with a sanitizer\n", use.ru_maxrss);
#else
	if (use.ru_maxrss >= MEMORY_MAX)
		printf("%ld KiB\n", use.ru_maxrss);
	CHECK(use.ru_maxrss < MEMORY_MAX);
#endif
	return check_done("payload_big");
}
