/* page: manual pages, as the tests read them. */
#ifndef UNIT_PAGE_H
#define UNIT_PAGE_H

#include <stdio.h>
#include <string.h>

/* Read a file into out, with a NUL; how many bytes it has, 0 for none. */
static inline size_t
page_read(char *out, size_t max, const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return 0;
	n = fread(out, 1, max - 1, f);
	fclose(f);
	out[n] = '\0';
	return n;
}

/* What mandoc shows for a line of a literal block.  in ends at end. */
static inline size_t
page_plain(char *out, const char *in, const char *end)
{
	static const struct {
		const char *from, *to;
	} esc[] = {
		{ "\\(em", "\xe2\x80\x94" }, { "\\e", "\\" }, { "\\&", "" }
	};
	char *start = out;

	while (in < end) {
		size_t i = 0, n = sizeof(esc) / sizeof(*esc);

		while (i < n && strncmp(in, esc[i].from,
		    strlen(esc[i].from)) != 0)
			i++;
		if (i == n) {
			*out++ = *in++;
			continue;
		}
		in += strlen(esc[i].from);
		memcpy(out, esc[i].to, strlen(esc[i].to));
		out += strlen(esc[i].to);
	}
	*out = '\0';
	return (size_t)(out - start);
}

/*
 * The literal block that follows the mark (a whole line, its newline
 * included) in page, as it is shown.  Its length, 0 when there is none or it
 * is longer than max.
 */
static inline size_t
page_block(char *out, size_t max, const char *page, const char *mark)
{
	const char *at = strstr(page, mark), *end;

	if (at == NULL)
		return 0;
	at += strlen(mark);
	if (strncmp(at, ".Bd -literal", 12) != 0)
		return 0;
	at = strchr(at, '\n') + 1;
	end = strstr(at, ".Ed\n");
	if (end == NULL || (size_t)(end - at) >= max)
		return 0;
	return page_plain(out, at, end);
}

#endif
