/*
 * all: what is added where votes go to all (PBFT): to tell what another process
 * of this node has voted, to count what was heard, and to repeat both.
 *
 * Nothing in here does anything if all_to_all is not set.
 */
#ifndef DBFT_ALL_H
#define DBFT_ALL_H

#include "dbft/inner.h"

/* At the beginning of a turn: send the own votes that all are still to get. */
void all_spread(struct dbft_turn *t);

/* Before a prepare or commit is taken in: if it is known, its sender repeats
 * it because it lacks something; answer with ours. */
void all_asked(struct dbft_turn *t);

/* After an input: count the votes at hand. */
void all_count(struct dbft_turn *t);

/* Repeat the own votes of the present view.  False if there are none. */
bool all_remind(struct dbft_turn *t);

#endif
