/* clock.h - the two times every program needs.
 *
 * Monotonic time drives timers; wall time names months, log lines and message
 * ages.  Test builds (configure --enable-test-clock) may shift wall time by
 * the option --now; pure code takes its time as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct diag;

/* Milliseconds since an arbitrary start; never steps back. */
int64_t clock_mono_ms(void);

/* Milliseconds and seconds since 1970-01-01 00:00:00 UTC. */
int64_t clock_wall_ms(void);
/* The same in whole seconds, rounded down. */
int64_t clock_wall_s(void);

/* Makes wall time run from text, "YYYY-MM-DDTHH:MM:SSZ", as of now; or, when text is an
 * absolute path, shifts it by the milliseconds that this file of eight octets holds at any
 * moment, in the host's byte order, so that a test may step the clock; eight octets behind them
 * do the same to monotonic time, which a test lets pass, and never turns back.  Returns 0, -EINVAL
 * for other text, -EPERM in a build without the test clock; diag says what was expected. */
int clock_set_now(const char *text, struct diag *diag);

/* How long a timer sleeps that is due in ms and looks at the clock itself when it wakes up: so
 * long, but at most a quarter of a second where a test steps monotonic time. */
int64_t clock_nap_ms(int64_t ms);

/* Writes "YYYY-MM-DDTHH:MM:SS.mmmZ" (25 octets with NUL) for a wall time in ms. */
enum { CLOCK_TEXT_SIZE = 25 };
/* out receives the text with its NUL; years of four digits. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

#endif
