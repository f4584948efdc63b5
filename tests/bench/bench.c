#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s failed (%s)\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

/* Is a all of b, or b up to one of its dots? */
static bool holds(const char *a, const char *b)
{
	size_t n = strlen(a);

	return strncmp(a, b, n) == 0 && (b[n] == '\0' || b[n] == '.');
}

bool bench_wants(int argc, char *const argv[], const char *name)
{
	for (int i = 1; i < argc; i++)
		if (holds(argv[i], name) || holds(name, argv[i]))
			return true;
	return argc < 2;
}

double bench_seconds(clockid_t clock)
{
	struct timespec t;

	bench_must(clock_gettime(clock, &t) == 0, "clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void bench_print(const char *name, double value, const char *unit, double reference)
{
	int digits = value < 100 ? 2 : 0;

	printf("%s\t%.*f\t%s\t", name, digits, value, unit);
	if (reference > 0)
		printf("%.*f\t%.2f\n", reference < 100 ? 2 : 0, reference, value / reference);
	else
		printf("-\t-\n");
	fflush(stdout);
}

void bench_turn(struct bench_turns *turns, double value, double values)
{
	turns->value += value;
	turns->values += values;
}

void bench_turn_reference(struct bench_turns *turns, double reference, double references)
{
	turns->reference += reference;
	turns->references += references;
}

void bench_print_turns(const char *name, const struct bench_turns *turns, const char *unit)
{
	bench_print(name, turns->value / turns->values, unit,
		    turns->references > 0 ? turns->reference / turns->references : 0);
}
