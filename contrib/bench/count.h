/* count: the counters that count.c keeps and load reads. */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include <stdint.h>

struct count {
	_Atomic uint64_t fsyncs;	/* fsync and fdatasync */
	_Atomic uint64_t messages;	/* requests and answers of ehr-serve */
	_Atomic uint64_t bytes;		/* of them */
};

#endif
