/* bench.h - what the benchmarks share: clocks, medians, and the line of a figure.
 *
 * A program of tests/bench takes the names of the figures that are wanted (none: all)
 * and is run by tests/bench/run.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* What a benchmark exits with that cannot run here; it has said why. */
enum { BENCH_SKIPPED = 77 };

/* Ends the program with a message unless ok. */
void bench_must(bool ok, const char *what);

/* Is name, or something in it, among the arguments?  "maps" wants "maps.route", and
 * so does "maps.route.100".  Without arguments everything is wanted. */
bool bench_wants(int argc, char *const argv[], const char *name);

/* Seconds of a clock. */
double bench_seconds(clockid_t clock);

/* Sorts the values; n is at least 1. */
double bench_median(double *values, size_t n);

/* A figure and its reference, measured in turns: the speed of a shared machine changes by half
 * within minutes, so a ratio means something only where both had the same minutes.  Both in
 * microseconds (or whatever else), with how many units that was for. */
struct bench_turns {
	double value, values;
	double reference, references;
};

/* Adds a slice of either. */
void bench_turn(struct bench_turns *turns, double value, double values);
void bench_turn_reference(struct bench_turns *turns, double reference, double references);

/* Prints its line: what a unit took on the average. */
void bench_print_turns(const char *name, const struct bench_turns *turns, const char *unit);

/* Prints the line of a figure; without a reference (0) there is a "-" for it. */
void bench_print(const char *name, double value, const char *unit, double reference);

#endif
