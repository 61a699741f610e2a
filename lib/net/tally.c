#include "net/tally.h"

void
tally_moved(struct sync_result *res, const char *doing, uint64_t done,
    uint64_t total)
{
	res->doing = doing;
	res->done = done;
	res->total = total;
	if (res->watch != NULL)
		res->watch(res->arg, res);
}

void
tally_bytes(struct sync_result *res, size_t n)
{
	res->wire_bytes += n;
	if (res->watch != NULL && res->doing != NULL)
		res->watch(res->arg, res);
}

void
tally_entries(struct sync_result *res, uint64_t entries, uint64_t bytes)
{
	res->wire_bytes = bytes;
	tally_moved(res, "entries", entries, 0);
}
