#include "cli/when.h"

#include "base/stamp.h"

int
when_parse(int64_t *ms, const char *text, struct err *e)
{
	char whole[STAMP_LEN + 1] = "0000-00-00T00:00:00.000Z";
	size_t n = strlen(text);

	if (stamp_hour_parse(ms, span_str(text)) == 0)
		return 0;
	if (n <= STAMP_LEN) {
		memcpy(whole, text, n);
		if ((n == 10 || n == STAMP_LEN) &&
		    stamp_parse(ms, span_str(whole)) == 0)
			return 0;
	}
	return err_set(e, ERR_USAGE, "%s: not a time (YYYY-MM-DD, "
	    "YYYY-MM-DD_HH or YYYY-MM-DDTHH:MM:SS.mmmZ)", text);
}
