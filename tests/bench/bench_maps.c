/* bench_maps.c - what a routing decision costs among few and among many entries.
 *
 * Prints name, value, unit, reference, ratio, separated by tabs; CPU time, median of
 * several runs.  Half of the entries are fixed numbers, half number ranges with a
 * parameter; calls come in both directions, to numbers all over the maps.  The
 * reference hashes both URIs octet by octet and compares them with a copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "maps/map.h"
#include "maps/route.h"

enum { RUNS = 7, CALLS = 4096, ROUNDS = 8 };

struct calls {
	struct call_text {
		enum route_interface in;
		char to[64], from[64];
	} call[CALLS];
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_maps: %s failed\n", what);
	exit(1);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Entry i of n: an extension on the PBX, and a secure user's number; the second half are
 * ranges of ten. */
static void add_entries(struct map *map, bool extensions, size_t i, size_t n)
{
	struct map_entry_spec spec = { .name = "e" };
	const char *param = i < n / 2 ? "" : "{x}";
	char tel[64], sip[64], name[16];

	snprintf(name, sizeof(name), "e%zu", i);
	spec.name = name;
	if (extensions) {
		snprintf(tel, sizeof(tel), "tel:+8888;%07zu%s", i, param);
		snprintf(sip, sizeof(sip), "sip:%07zu%s@pbx%zu.example.com", i, param, i % 7);
	} else {
		snprintf(tel, sizeof(tel), "tel:+4670%07zu%s", i, param);
		snprintf(sip, sizeof(sip), "sip:9070%07zu%s@secure.example.com", i, param);
	}
	spec.tel = tel;
	spec.sip = sip;
	must(map_add(map, &spec, NULL) == 0, "map_add");
}

static struct map *make_map(const char *name, bool extensions, size_t n)
{
	struct map *map = map_new(name, NULL);

	for (size_t i = 0; i < n; i++)
		add_entries(map, extensions, i, n);
	must(map_finish(map, NULL) == 0, "map_finish");
	return map;
}

static struct router *make_router(size_t n)
{
	struct router *router = router_new();

	must(router_add_map(router, make_map("pbx", true, n)) == 0, "router_add_map");
	must(router_add_map(router, make_map("secure", false, n)) == 0, "router_add_map");
	router_use_map(router, ROUTE_TEL, ROUTE_EXTENSION, "pbx");
	router_use_map(router, ROUTE_SIP, ROUTE_EXTENSION, "secure");
	return router;
}

static void make_calls(struct calls *calls, size_t n)
{
	unsigned seed = 1;

	for (size_t k = 0; k < CALLS; k++) {
		struct call_text *c = &calls->call[k];
		size_t a = (size_t)rand_r(&seed) % n, b = (size_t)rand_r(&seed) % n;
		char pbx[32], user[32];

		snprintf(pbx, sizeof(pbx), "%07zu%s", a, a < n / 2 ? "" : "5");
		snprintf(user, sizeof(user), "70%07zu%s", b, b < n / 2 ? "" : "5");
		c->in = k % 2 ? ROUTE_SIP : ROUTE_TEL;
		if (c->in == ROUTE_TEL) {
			snprintf(c->to, sizeof(c->to), "tel:+8888;%s", pbx);
			snprintf(c->from, sizeof(c->from), "tel:+46%s", user);
		} else {
			snprintf(c->to, sizeof(c->to), "sip:90%s@secure.example.com", user);
			snprintf(c->from, sizeof(c->from), "sip:%s@pbx%zu.example.com", pbx, a % 7);
		}
	}
}

static double route_all(const struct router *router, const struct calls *calls)
{
	double begin = seconds();

	for (size_t r = 0; r < ROUNDS; r++)
		for (size_t k = 0; k < CALLS; k++) {
			const struct call_text *c = &calls->call[k];
			struct route_call call = { c->in, slice_str(c->to), slice_str(c->from) };
			struct route_answer answer;

			must(router_route(router, &call, &answer, NULL), "router_route");
		}
	return (seconds() - begin) / (ROUNDS * CALLS);
}

static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3u;
	return h;
}

static double reference(const struct calls *calls, const struct calls *copy)
{
	volatile uint64_t sum = 0;
	double begin = seconds();

	for (size_t r = 0; r < ROUNDS; r++)
		for (size_t k = 0; k < CALLS; k++) {
			const struct call_text *c = &calls->call[k], *d = &copy->call[k];

			sum += hash(c->to) + hash(c->from);
			sum += (uint64_t)memcmp(c->to, d->to, strlen(c->to) + 1);
			sum += (uint64_t)memcmp(c->from, d->from, strlen(c->from) + 1);
		}
	(void)sum;
	return (seconds() - begin) / (ROUNDS * CALLS);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(*values), compare);
	return values[RUNS / 2];
}

static void measure(size_t n)
{
	struct calls *calls = calloc(2, sizeof(*calls));
	double begin = seconds(), load, routes[RUNS], references[RUNS], route, ref;
	struct router *router = make_router(n);

	must(calls != NULL, "calloc");
	load = seconds() - begin;
	make_calls(calls, n);
	calls[1] = calls[0];
	for (int i = 0; i < RUNS; i++) {
		routes[i] = route_all(router, calls);
		references[i] = reference(calls, calls + 1);
	}
	route = median(routes);
	ref = median(references);
	printf("maps.route.%zu\t%.0f\tns\t%.0f\t%.1f\n", n, route * 1e9, ref * 1e9, route / ref);
	printf("maps.load.%zu\t%.0f\tns per entry\t%.0f\t%.1f\n", n, load / (double)(2 * n) * 1e9,
	       ref * 1e9, load / (double)(2 * n) / ref);
	router_free(&router);
	free(calls);
}

int main(void)
{
	measure(100);
	measure(10000);
	measure(1000000);
	return 0;
}
