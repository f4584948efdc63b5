/* fuzz_smpp.c - octets of a message center: nothing of a PDU lies outside of it, what is
 * decoded packs to what decodes the same, and a session takes any stream in any pieces.
 *
 * The first octet says into how large pieces the rest is cut.
 */
#include <stdlib.h>

#include "smpp/reassembly.h"
#include "smpp/receipt.h"
#include "smpp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_inside(struct slice part, struct slice all)
{
	must(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

static void check_text(const struct smpp_pdu *pdu, struct slice octets)
{
	static uint8_t room[SMPP_UTF8_SIZE(SMPP_MAX_PAYLOAD)];
	enum smpp_alphabet alphabet;
	struct smpp_receipt receipt;
	struct buf utf8 = BUF_OF(room);
	struct smpp_part part;

	smpp_part_read(pdu, &part);
	check_inside(part.content, octets);
	if (smpp_alphabet_of_coding(pdu->coding, SMPP_GSM, &alphabet) == 0) {
		smpp_alphabet_decode(alphabet, part.content, &utf8);
		must(buf_ok(&utf8));
	}
	if (smpp_receipt_is(pdu))
		smpp_receipt_read(pdu, &receipt);
}

static void check_pdu(struct slice octets)
{
	static uint8_t room[SMPP_MAX_PDU + 1];
	struct buf packed = BUF_OF(room);
	struct smpp_pdu pdu, again;

	if (smpp_pdu_decode(octets, &pdu, NULL))
		return;
	check_inside(pdu.short_message, octets);
	check_inside(pdu.message_id, octets);
	check_inside(pdu.tlvs, octets);
	check_text(&pdu, octets);
	if (smpp_pdu_pack(&pdu, &packed))
		return; /* an unknown command, or a short_message of 255 octets */
	must(smpp_pdu_decode(buf_slice(&packed), &again, NULL) == 0);
	must(again.command == pdu.command && again.sequence == pdu.sequence);
	if (!(pdu.command & SMPP_RESPONSE) || pdu.status == 0)
		must(slice_eq(again.short_message, pdu.short_message) &&
		     slice_eq(again.tlvs, pdu.tlvs) && slice_eq(again.message_id, pdu.message_id));
}

static void on_send(void *arg, struct slice octets)
{
	struct smpp_pdu pdu;

	(void)arg;
	must(smpp_pdu_decode(octets, &pdu, NULL) == 0);
}

static void on_event(void *arg, const struct smpp_session_event *event)
{
	struct smpp_session *session = *(struct smpp_session **)arg;

	if (event->kind == SMPP_DELIVERED)
		smpp_session_answer(session, event->pdu->command, event->pdu->sequence, SMPP_OK);
}

static void check_session(struct slice octets, size_t piece)
{
	static const struct smpp_session_ops ops = { on_send, on_event };
	const struct smpp_session_options options = { .system_id = "a", .password = "b" };
	const struct smpp_pdu submit = { .short_message = slice_str("x") };
	static const uint8_t bound[] = { 0, 0, 0, 17, 0x80, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0 };
	struct smpp_session *session;

	if (smpp_session_new(&options, &ops, &session, &session))
		return;
	smpp_session_connected(session, 0);
	smpp_session_input(session, slice_of(bound, sizeof(bound)), 0);
	for (uint64_t token = 0; token < 4; token++)
		must(smpp_session_submit(session, &submit, token, 0) == 0);
	while (octets.n) {
		size_t n = piece < octets.n ? piece : octets.n;

		smpp_session_input(session, slice_of(octets.p, n), 1);
		octets = slice_from(octets, n);
	}
	smpp_session_tick(session, 20000);
	smpp_session_free(&session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice octets = slice_of(data + 1, size - 1);
	size_t n;

	if (size < 1)
		return 0;
	check_session(octets, (size_t)data[0] + 1);
	while (smpp_pdu_frame(octets, &n) == 1) {
		check_pdu(slice_of(octets.p, n));
		octets = slice_from(octets, n);
	}
	return 0;
}
