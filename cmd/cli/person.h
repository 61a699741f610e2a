/* person: the particulars that a card carries, as a command's options. */
#ifndef CLI_PERSON_H
#define CLI_PERSON_H

#include "ledger/card.h"

/* As given; NULL is not given. */
struct person {
	const char *name, *email, *born, *phone, *sex;
};

/*
 * Check them and put them into card, whose kind is set; they are borrowed.  A
 * node has a name of its own, and neither birth date nor sex.  ERR_USAGE says
 * what is malformed: input that a person typed.
 */
int person_card(struct card *card, const struct person *p, struct err *e);

#endif
