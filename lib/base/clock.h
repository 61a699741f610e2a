/* clock: the one place where the library reads the time of day. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Now, in milliseconds as stamp.h counts them. */
int64_t clock_now_ms(void);

/* Milliseconds since some start; never goes back. */
int64_t clock_mono_ms(void);

#endif
