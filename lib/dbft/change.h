/* change: leaving a view. */
#ifndef DBFT_CHANGE_H
#define DBFT_CHANGE_H

#include "dbft/inner.h"

/* Input CHANGE; the message is of the state's height. */
void change_arrived(struct dbft_turn *t);

/* Has the present view lasted too long?  Then leave it. */
void change_timeout(struct dbft_turn *t);

/* Do enough delegates stand in our view for its clock to start? */
void change_enter(struct dbft_turn *t);

/* Everybody to hear our change-view again, if we wait for a proposal.
 * False if we don't. */
bool change_remind(struct dbft_turn *t);

/* At the end of a turn: send our change-view to those in t->tell. */
void change_tell(struct dbft_turn *t);

#endif
