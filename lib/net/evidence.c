#include "net/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "store/votes.h"

#define PREFIX "evidence-"

int
evidence_list(struct fs_names *out, const struct repo *r, struct err *e)
{
	size_t keep = 0;

	if (fs_list(out, r->dirfd, VOTES_DIR, e) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++) {
		char *name = out->name[i];

		if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
			out->name[keep++] = name;
		else
			free(name);
	}
	out->n = keep;
	return 0;
}
