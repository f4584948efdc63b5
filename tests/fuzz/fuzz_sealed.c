/* fuzz_sealed.c - what a party that may be malicious seals for us: the first octet
 * chooses an offer (0), an answer to our own offer (1), a message's body (2) or a
 * receipt (3). */
#include <stdlib.h>

#include "umsg/call_media.h"
#include "umsg/message_body.h"
#include "base/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct umsg_audio_wish wish = { { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA }, 3, 20 };

/* What we would answer must be an answer to it. */
static void read_offer(struct slice octets)
{
	Umsg__Offer *offer = call_offer_read(octets);
	struct call_answer answer;

	if (offer && call_answer_make(offer, &wish, &answer) == 0 &&
	    !call_answer_ok(&answer.answer, offer))
		abort();
	PACK_FREE(&offer);
}

static void read_answer(struct slice octets)
{
	struct call_offer offer;
	Umsg__Answer *answer;

	if (call_offer_make(&wish, "", "", &offer) < 0)
		abort();
	answer = call_answer_read(octets, &offer.offer);
	if (answer && !answer->streams[0]->codec)
		abort();
	PACK_FREE(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data + 1, size ? size - 1 : 0);
	Umsg__TextBody *body;
	Umsg__ReceiptBody *receipt;

	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		read_offer(rest);
		break;
	case 1:
		read_answer(rest);
		break;
	case 2:
		(void)message_body_read(rest, &body);
		PACK_FREE(&body);
		break;
	default:
		(void)message_receipt_read(rest, &receipt);
		PACK_FREE(&receipt);
	}
	return 0;
}
