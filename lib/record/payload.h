/*
 * payload: the inside of a sealed record: a gzip'd pax tar with META.json
 * first and the files under files/, as ehr-record(5) describes it.
 *
 * Both directions stream: memory does not grow with the files.
 */
#ifndef RECORD_PAYLOAD_H
#define RECORD_PAYLOAD_H

#include "crypto/age.h"
#include "record/meta.h"

#define PAYLOAD_FILES_MAX 100000	/* files of one record */

/* One file for a record. */
struct payload_input {
	const char *path;	/* to read; NULL: data is the content */
	struct span data;
	const char *name;	/* inside the record; NULL: made from path, as
				 * names_pick (names.h) does */
};

/*
 * A writer serves many records, one after another; each thread needs its
 * own.  It holds up to FIELDS_LOOK_MAX bytes of the files, and wipes them when
 * it is freed.  NULL is fine.
 */
struct payload_writer;
struct payload_writer *payload_writer_new(struct err *e);
void payload_writer_free(struct payload_writer *w);

/*
 * Write the payload of n >= 1 inputs, sorted by name, into sink.  The same
 * inputs give the same bytes.  -1 when an input can't be read (ERR_NO when it
 * is not there, ERR_SYS), is not a regular file or changes while it is read
 * (ERR_BAD), when description, label or a name is not fit (meta_writer_new,
 * names_pick), or when the sink says so; *e names the file.  What the sink
 * got until then is to be thrown away.
 */
int payload_write(struct payload_writer *w, const struct payload_input *in,
    size_t n, struct span description, struct span label, age_sink *sink,
    void *arg, struct err *e);

/*
 * Read only META.json, from the start of source, which is not read to its
 * end.  The caller frees *meta.
 */
int payload_read_meta(struct meta *meta, age_source *source, void *arg,
    struct err *e);

/*
 * The functions below read source to its end, so that with an age_reader as
 * source success means that the whole payload is authentic.  They refuse
 * (ERR_BAD) whatever is not as ehr-record(5) says: other entries than regular
 * files under files/, names out of order or not meta_name_ok, files that
 * META.json tells otherwise or not at all.
 */

/* Call each, if not NULL, for every file; it stops when that returns -1. */
typedef int payload_file_fn(void *arg, struct span name, uint64_t size,
    struct err *e);
int payload_list(age_source *source, void *arg, payload_file_fn *each,
    void *each_arg, struct err *e);

/*
 * Give the content of one file to sink; name may be NULL when there is only
 * one (else ERR_USAGE).  ERR_NO when there is no such file.  The sink gets
 * bytes before the end is known to be authentic.
 */
int payload_stream(age_source *source, void *arg, const char *name,
    age_sink *sink, void *sink_arg, struct err *e);

/*
 * Write all files below directory dirfd, mode 0600 in folders of mode 0700.
 * They appear under their names only when the whole payload has been read;
 * after an error nothing remains.  An existing file is ERR_NO, or is replaced
 * when force is set (and stays replaced when a later file fails).  Symbolic
 * links below dirfd are not followed.
 */
int payload_extract(age_source *source, void *arg, int dirfd, bool force,
    struct err *e);

#endif
