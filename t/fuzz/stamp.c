/* stamp: times and hours that parse format to the same text. */
#include <assert.h>

#include "base/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[STAMP_LEN + 1], hour[STAMP_HOUR_LEN + 1];
	int64_t ms;

	if (stamp_parse(&ms, span_of(p, n)) == 0) {
		assert(ms >= 0 && ms <= STAMP_MAX_MS);
		stamp_format(text, ms);
		assert(span_is(span_of(p, n), text));
	}
	if (stamp_hour_parse(&ms, span_of(p, n)) == 0) {
		assert(ms >= 0 && ms <= STAMP_MAX_MS);
		assert(ms % STAMP_HOUR_MS == 0);
		stamp_hour_format(hour, ms);
		assert(span_is(span_of(p, n), hour));
	}
	if (n >= sizeof(ms)) {
		memcpy(&ms, p, sizeof(ms));
		ms = (int64_t)((uint64_t)ms % (STAMP_MAX_MS + 1));
		stamp_format(text, ms);
		assert(stamp_parse(&ms, span_str(text)) == 0);
	}
	return 0;
}
