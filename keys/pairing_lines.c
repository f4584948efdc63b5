/* pairing_lines.c - the functions of Miller's loop for a fixed point K.
 *
 * First the multiples of K are computed and made affine together, then the
 * slopes of all lines, then each step's function; so there are three inversions.
 * The order of operations depends on q only, never on K.
 */
#include "keys/pairing_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/secret.h"

enum {
	SUBSTEPS = 3, /* lines of a step, at most */
	MAX_LINES = 3 * PAIRING_STEPS,
	DEGREE = 8, /* room for a(x), b(x) on the way */
};

/* What one line does to the multiple T of K. */
enum line_kind { LINE_NONE, LINE_DOUBLE, LINE_ADD, LINE_SUBTRACT };

/* The lines of the digits -1, 0, 1, 2, from T to 4 T + digit K. */
static const enum line_kind program[4][SUBSTEPS] = {
	{ LINE_DOUBLE, LINE_DOUBLE, LINE_SUBTRACT },
	{ LINE_DOUBLE, LINE_DOUBLE, LINE_NONE },
	{ LINE_DOUBLE, LINE_DOUBLE, LINE_ADD },
	{ LINE_DOUBLE, LINE_ADD, LINE_DOUBLE },
};

/* A line through `at`, tangent or chord, of slope numerator / denominator, and
 * the vertical that is divided out behind it (through at[+1]). */
struct line {
	enum line_kind kind;
	struct fp numerator, slope; /* slope: first its denominator */
};

struct work {
	struct curve_point k, minus_k;
	unsigned digit[PAIRING_STEPS]; /* row of program; step 0 has none */
	size_t n;                      /* lines in use */
	struct line line[MAX_LINES];
	struct curve_jacobian multiple[MAX_LINES + 1]; /* before line i; the last: behind all */
	struct curve_point at[MAX_LINES + 1];
	struct fp values[MAX_LINES + 1];
	struct fp scratch[2 * (MAX_LINES + 1)];
};

/* q - 1 in digits -1, 0, 1, 2, the highest (2) left out: that is step 0. */
static void find_digits(struct work *w)
{
	unsigned carry = 0;

	for (size_t i = 0; i < PAIRING_STEPS - 1; i++) {
		unsigned two = (unsigned)(fp_order[i / 32] >> 2 * (i % 32)) & 3;

		if (i == 0)
			two--; /* q is odd */
		two += carry;
		carry = two >= 3;
		w->digit[PAIRING_STEPS - 1 - i] = ((two & 3) + 1) & 3;
	}
}

static const struct curve_point *addend(const struct work *w, enum line_kind kind)
{
	return kind == LINE_ADD ? &w->k : &w->minus_k;
}

static void append(struct work *w, enum line_kind kind)
{
	struct curve_jacobian *t = &w->multiple[w->n], *next = &w->multiple[w->n + 1];

	w->line[w->n++].kind = kind;
	if (kind == LINE_DOUBLE)
		curve_double(next, t);
	else
		curve_add(next, t, addend(w, kind));
}

/* All multiples of K, affine; the last one, [q - 1] K, is -K just for order q. */
static int walk(struct work *w)
{
	int err;

	curve_to_jacobian(&w->multiple[0], &w->k);
	append(w, LINE_DOUBLE);
	for (size_t step = 1; step < PAIRING_STEPS; step++)
		for (size_t i = 0; i < SUBSTEPS; i++)
			if (program[w->digit[step]][i] != LINE_NONE)
				append(w, program[w->digit[step]][i]);
	err = curve_normalise(w->at, w->multiple, w->n + 1, w->scratch);
	if (err)
		return err == -EDOM ? -EINVAL : err;
	if (!fp_eq(&w->at[w->n].x, &w->minus_k.x) || !fp_eq(&w->at[w->n].y, &w->minus_k.y))
		return -EINVAL;
	return 0;
}

/* (3 x^2 - 3) / 2 y, or (y - y_K) / (x - x_K) */
static int find_slopes(struct work *w)
{
	struct fp three, t;
	int err;

	fp_small(&three, 3);
	for (size_t i = 0; i < w->n; i++) {
		struct line *line = &w->line[i];
		const struct curve_point *at = &w->at[i];

		if (line->kind == LINE_DOUBLE) {
			fp_sqr(&t, &at->x);
			fp_sub(&t, &t, &fp_one);
			fp_mul(&line->numerator, &t, &three);
			fp_add(&w->values[i], &at->y, &at->y);
		} else {
			fp_sub(&line->numerator, &at->y, &addend(w, line->kind)->y);
			fp_sub(&w->values[i], &at->x, &addend(w, line->kind)->x);
		}
	}
	err = fp_inverse_all(w->values, w->n, w->scratch);
	for (size_t i = 0; i < w->n && !err; i++)
		fp_mul(&w->line[i].slope, &w->line[i].numerator, &w->values[i]);
	return err == -EDOM ? -EINVAL : err;
}

/* a(x) + y b(x), in the ring where y^2 is x^3 - 3 x. */
struct function {
	struct fp a[DEGREE], b[DEGREE];
	size_t n_a, n_b; /* coefficients in use */
};

/* out += f g for polynomials. */
static void poly_mul_add(struct fp *out, const struct fp *f, size_t n_f, const struct fp *g,
			 size_t n_g)
{
	struct fp t;

	for (size_t i = 0; i < n_f; i++)
		for (size_t j = 0; j < n_g; j++) {
			fp_mul(&t, &f[i], &g[j]);
			fp_add(&out[i + j], &out[i + j], &t);
		}
}

/* out += f (x^3 - 3 x) */
static void poly_right_side(struct fp *out, const struct fp *f, size_t n_f)
{
	for (size_t i = 0; i < n_f; i++) {
		fp_add(&out[i + 3], &out[i + 3], &f[i]);
		for (size_t times = 0; times < 3; times++)
			fp_sub(&out[i + 1], &out[i + 1], &f[i]);
	}
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* f = f g */
static void function_mul(struct function *f, const struct function *g)
{
	struct function out = {
		.n_a = larger(f->n_a + g->n_a - 1, f->n_b && g->n_b ? f->n_b + g->n_b + 2 : 0),
		.n_b = larger(f->n_b ? f->n_b + g->n_a - 1 : 0, g->n_b ? f->n_a + g->n_b - 1 : 0)
	};
	struct fp both[DEGREE] = { { { 0 } } };

	poly_mul_add(out.a, f->a, f->n_a, g->a, g->n_a);
	poly_mul_add(both, f->b, f->n_b, g->b, g->n_b);
	if (f->n_b && g->n_b)
		poly_right_side(out.a, both, f->n_b + g->n_b - 1);
	poly_mul_add(out.b, f->a, f->n_a, g->b, g->n_b);
	poly_mul_add(out.b, f->b, f->n_b, g->a, g->n_a);
	*f = out;
}

/* p = p / (x - c), which leaves no rest. */
static void poly_divide(struct fp *p, size_t *n, const struct fp *c)
{
	struct fp carry = { { 0 } }, t;

	for (size_t i = *n; i-- > 0;) {
		struct fp here = p[i];

		p[i] = carry;
		fp_mul(&t, &carry, c);
		fp_add(&carry, &here, &t);
	}
	if (*n)
		--*n;
}

static void function_divide(struct function *f, const struct fp *c)
{
	poly_divide(f->a, &f->n_a, c);
	poly_divide(f->b, &f->n_b, c);
}

/* y - y0 - slope (x - x0) */
static void function_of_line(struct function *out, const struct line *line,
			     const struct curve_point *at)
{
	*out = (struct function){ .n_a = 2, .n_b = 1 };
	out->b[0] = fp_one;
	fp_neg(&out->a[1], &line->slope);
	fp_mul(&out->a[0], &line->slope, &at->x);
	fp_sub(&out->a[0], &out->a[0], &at->y);
}

/* The product of a step's lines from `first` on, each doubling squaring what was
 * before it, verticals at the points between them divided out. */
static void step_function(const struct work *w, size_t first, size_t n, struct function *f)
{
	struct function line;

	function_of_line(f, &w->line[first], &w->at[first]);
	for (size_t i = first + 1; i < first + n; i++) {
		bool doubling = w->line[i].kind == LINE_DOUBLE;

		if (doubling) {
			line = *f;
			function_mul(f, &line);
		}
		function_of_line(&line, &w->line[i], &w->at[i]);
		function_mul(f, &line);
		function_divide(f, &w->at[i].x);
		if (doubling)
			function_divide(f, &w->at[i].x);
	}
	wipe(&line, sizeof(line));
}

static size_t lines_of_step(const struct work *w, size_t step)
{
	size_t n = 0;

	if (step == 0)
		return 1;
	while (n < SUBSTEPS && program[w->digit[step]][n] != LINE_NONE)
		n++;
	return n;
}

/* Sets odd powers' signs for -x; w->values[step] is b(0). */
static void find_functions(struct work *w, struct pairing_step *out)
{
	struct function f;
	size_t first = 0;

	for (size_t step = 0; step < PAIRING_STEPS; step++) {
		struct pairing_step *s = &out[step];
		size_t n = lines_of_step(w, step);

		step_function(w, first, n, &f);
		first += n;
		w->values[step] = f.b[0];
		s->a[0] = f.a[0];
		fp_neg(&s->a[1], &f.a[1]);
		s->a[2] = f.a[2];
		fp_neg(&s->a[3], &f.a[3]);
		fp_neg(&s->b[0], &f.b[1]);
		s->b[1] = f.b[2];
	}
	wipe(&f, sizeof(f));
}

static int scale(struct work *w, struct pairing_step *out)
{
	int err = fp_inverse_all(w->values, PAIRING_STEPS, w->scratch);

	for (size_t step = 0; step < PAIRING_STEPS && !err; step++) {
		struct pairing_step *s = &out[step];

		for (size_t i = 0; i < PAIRING_A; i++)
			fp_mul(&s->a[i], &s->a[i], &w->values[step]);
		for (size_t i = 0; i < PAIRING_B; i++)
			fp_mul(&s->b[i], &s->b[i], &w->values[step]);
	}
	return err == -EDOM ? -EINVAL : err;
}

int pairing_lines(const struct curve_point *k, struct pairing_step out[PAIRING_STEPS])
{
	struct work *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->k = w->minus_k = *k;
	fp_neg(&w->minus_k.y, &k->y);
	find_digits(w);
	err = walk(w);
	if (!err)
		err = find_slopes(w);
	if (!err) {
		find_functions(w, out);
		err = scale(w, out);
	}
	wipe(w, sizeof(*w));
	free(w);
	return err;
}
