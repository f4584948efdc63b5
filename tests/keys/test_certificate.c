#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "keys/certificate.h"
#include "keys/letter_text.h"
#include "tests/keys/sample.h"

static struct update_domain sample_domain(void)
{
	struct update_domain domain = { .name = "Example", .not_before = SAMPLE_TIME };

	sample_fill(domain.kpak, sizeof(domain.kpak), 2);
	sample_fill(domain.z, sizeof(domain.z), 3);
	return domain;
}

static void a_certificate_goes_over_paper_row_by_row(void **state)
{
	struct update_domain domain = sample_domain(), got;
	uint8_t octets[CERTIFICATE_OCTETS_MAX], back[LETTER_OCTETS_MAX];
	char text[LETTER_TEXT_MAX];
	size_t n, m;

	(void)state; /* CMS-041 */
	assert_int_equal(certificate_encode(&domain, octets, &n), 0);
	assert_int_equal(letter_text_write(slice_of(octets, n), text, sizeof(text)), 0);
	assert_int_equal(letter_text_read(slice_str(text), back, &m, NULL), 0);
	assert_int_equal(certificate_decode(slice_of(back, m), &got, NULL), 0);
	assert_string_equal(got.name, "Example");
	assert_memory_equal(got.kpak, domain.kpak, sizeof(got.kpak));
	assert_memory_equal(got.z, domain.z, sizeof(got.z));
	assert_int_equal(got.not_before, SAMPLE_TIME);
	assert_int_equal(got.not_after, 0);
}

static void a_certificate_cut_or_changed_anywhere_is_refused(void **state)
{
	struct update_domain domain = sample_domain(), got;
	uint8_t octets[CERTIFICATE_OCTETS_MAX];
	size_t n;

	(void)state;
	assert_int_equal(certificate_encode(&domain, octets, &n), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(certificate_decode(slice_of(octets, i), &got, NULL), -EBADMSG);
	for (size_t i = 2; i < n; i++) {
		octets[i] ^= 8;
		assert_int_equal(certificate_decode(slice_of(octets, n), &got, NULL), -EBADMSG);
		assert_string_equal(got.name, "");
		octets[i] ^= 8;
	}
	octets[1] = 2;
	assert_int_equal(certificate_decode(slice_of(octets, n), &got, NULL), -EPROTONOSUPPORT);
	octets[0] = 'L';
	assert_int_equal(certificate_decode(slice_of(octets, n), &got, NULL), -EBADMSG);
}

static void a_certificate_needs_a_name_and_points(void **state)
{
	const struct update_domain good = sample_domain();
	struct update_domain bad[4] = { good, good, good, good };
	uint8_t octets[CERTIFICATE_OCTETS_MAX];
	size_t n;

	(void)state;
	bad[0].name[0] = '\0';
	SET_TEXT(bad[1].name, "two\nlines");
	bad[2].kpak[0] = 4;
	bad[3].z[0] = 0;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(certificate_encode(&bad[i], octets, &n), -EINVAL);
	memset(bad[0].name, 'n', LETTER_DOMAIN_MAX);
	bad[0].not_after = UINT64_MAX;
	assert_int_equal(certificate_encode(&bad[0], octets, &n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_goes_over_paper_row_by_row),
		cmocka_unit_test(a_certificate_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(a_certificate_needs_a_name_and_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
