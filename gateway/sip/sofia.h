/* sofia.h - the SIP library's headers, with our types in its callbacks. */
#ifndef GATEWAY_SIP_SOFIA_H
#define GATEWAY_SIP_SOFIA_H

struct agent;
struct call;

#define SU_ROOT_MAGIC_T struct agent
#define SU_WAKEUP_ARG_T void
#define SU_TIMER_ARG_T void
#define NTA_AGENT_MAGIC_T struct agent
#define NTA_LEG_MAGIC_T struct call
#define NTA_INCOMING_MAGIC_T void
#define NTA_OUTGOING_MAGIC_T void

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

/* For a function that the library shall find before the system's or its own: all others
 * of the program are hidden from it. */
#define BEFORE_LIBRARIES __attribute__((visibility("default")))

#endif
