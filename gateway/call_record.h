/* call_record.h - calls.jsonl: one JSON object a line for every call that has ended.
 *
 * For accounting and statistics; the manual has nothing of the kind.  Times are UTC with
 * milliseconds, null where it never came to that.  Members:
 *   number, in ("tel", "sip"), in_from, in_to, out_from, out_to, start, answer, end,
 *   setup_ms, duration_s, state ("REJECT", "HANGUP"), reason, code (the SIP code of a
 *   refusal, else null), why, account, sip_call_id, session_id,
 *   pbx, secure: null without media, else { codec, remote, sent, received, lost, late,
 *   dropped, concealed_ms, jitter_ms, peer_lost, refused }
 */
#ifndef GATEWAY_CALL_RECORD_H
#define GATEWAY_CALL_RECORD_H

#include <jansson.h>

#include "gateway/relay_control.pb-c.h"

struct buf;
struct call;
struct call_records;
struct diag;

/* Opens path for appending, 0640.  Returns 0 or -errno with diag set. */
int call_records_open(const char *path, struct call_records **records_out, struct diag *diag);
/* Closes *recordsp and sets it to NULL; *recordsp may be NULL. */
void call_records_close(struct call_records **recordsp);

/* Opens the path again, after logrotate has moved the file. */
void call_records_reopen(struct call_records *records);

/* Writes the record of a call that has ended; each line in one write, so that readers
 * never see half of one.  A disk that is full is told in the log; records may be NULL. */
void call_records_write(struct call_records *records, const struct call *call);

/* The record as text, without the end of the line. */
void call_record(const struct call *call, struct buf *out);

/* The "pbx" and "secure" parts, also of a call that is up; leg may be NULL. */
json_t *call_leg_report(const Relay__LegStats *leg);

#endif
