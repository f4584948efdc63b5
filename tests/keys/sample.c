#include "tests/keys/sample.h"

#include <stdio.h>

void sample_fill(void *p, size_t n, uint8_t seed)
{
	uint8_t *octets = p;

	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(seed + i);
}

void sample_keys(uint8_t packed[ISSUED_PACKED], uint8_t seed)
{
	sample_fill(packed, ISSUED_PACKED, seed);
	packed[SSK_OCTETS] = 2;
	packed[SSK_OCTETS + P256_COMPRESSED] = 3;
}

struct letter sample_letter(void)
{
	struct letter letter = {
		.uri = "tel:+46706764287",
		.generation = 1,
		.created = SAMPLE_TIME,
		.address = "crs.example.net:5223",
		.account = "ACME-1",
		.tls_identity = "AQZBQ01FLTF4eHh4",
		.domain = "Example & S\xc3\xb8nner",
		.n_months = 2,
		.max_message_lifetime = 86400,
	};

	sample_fill(letter.tls_key, sizeof(letter.tls_key), 1);
	sample_fill(letter.update_key, sizeof(letter.update_key), 2);
	sample_fill(letter.kpak, sizeof(letter.kpak), 2);
	sample_fill(letter.z, sizeof(letter.z), 3);
	for (size_t i = 0; i < 2; i++) {
		letter.months[i].month = SAMPLE_MONTH + (int64_t)i;
		letter.months[i].revision = 4;
		letter.months[i].created = SAMPLE_TIME;
		sample_keys(letter.months[i].packed, (uint8_t)(9 + i));
	}
	return letter;
}

struct update_entry sample_entry(uint8_t seed)
{
	struct update_entry entry = {
		.keys = { .month = SAMPLE_MONTH },
		.generation = 1,
		.address = "crs.example.net:5223",
		.account = "ACME-1",
		.max_message_lifetime = 86400,
		.default_message_lifetime = 3600,
		.multipath = true,
	};

	snprintf(entry.tls_identity, sizeof(entry.tls_identity), "AQZBQ01FLTF%02x", seed);
	sample_fill(entry.tls_key, sizeof(entry.tls_key), seed);
	sample_keys(entry.keys.packed, seed);
	return entry;
}
