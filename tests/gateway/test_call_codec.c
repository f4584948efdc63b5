#include "tests/unit.h"

#include "gateway/call_codec.h"

/* A caller that offers G.711 is bridged without transcoding; one that would rather have
 * Opus gets that, while there is time for it. */
static void an_offer_is_answered_in_the_callers_order(void **state)
{
	static const struct {
		enum umsg_audio_codec offered[UMSG_AUDIO_CODECS];
		size_t n;
		enum pbx_codec law;
		bool loaded;
		enum umsg_audio_codec want;
	} cases[] = {
		{ { UMSG_OPUS }, 1, PBX_PCMA, false, UMSG_OPUS },
		{ { UMSG_OPUS }, 1, PBX_PCMA, true, UMSG_OPUS },
		{ { UMSG_PCMA }, 1, PBX_PCMA, false, UMSG_PCMA },
		{ { UMSG_PCMU }, 1, PBX_PCMA, false, UMSG_PCMU }, /* better than no call */
		{ { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA }, 3, PBX_PCMA, false, UMSG_OPUS },
		{ { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA }, 3, PBX_PCMA, true, UMSG_PCMA },
		{ { UMSG_OPUS, UMSG_PCMU }, 2, PBX_PCMA, true, UMSG_OPUS },
		{ { UMSG_PCMU, UMSG_PCMA, UMSG_OPUS }, 3, PBX_PCMA, false, UMSG_PCMA },
		{ { UMSG_PCMU, UMSG_OPUS }, 2, PBX_PCMU, false, UMSG_PCMU },
		{ { UMSG_PCMU, UMSG_OPUS }, 2, PBX_PCMA, false, UMSG_PCMU },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct umsg_audio_wish wish = call_codec_answer(cases[i].offered, cases[i].n,
								cases[i].law, cases[i].loaded);

		assert_int_equal(wish.n_codecs, 1);
		assert_int_equal(wish.codecs[0], cases[i].want);
	}
	assert_int_equal(call_codec_answer(NULL, 0, PBX_PCMA, false).n_codecs, 0);
}

static void what_is_offered_begins_with_what_the_gateway_would_rather_do(void **state)
{
	static const struct {
		enum pbx_codec law;
		bool loaded;
		enum umsg_audio_codec want[UMSG_AUDIO_CODECS];
	} cases[] = {
		{ PBX_PCMA, false, { UMSG_OPUS, UMSG_PCMA, UMSG_PCMU } },
		{ PBX_PCMU, false, { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA } },
		{ PBX_PCMA, true, { UMSG_PCMA, UMSG_OPUS, UMSG_PCMU } },
		{ PBX_PCMU, true, { UMSG_PCMU, UMSG_OPUS, UMSG_PCMA } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct umsg_audio_wish wish = call_codec_offer(cases[i].law, cases[i].loaded);

		assert_int_equal(wish.n_codecs, 3);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(wish.codecs[k], cases[i].want[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_answered_in_the_callers_order),
		cmocka_unit_test(what_is_offered_begins_with_what_the_gateway_would_rather_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
