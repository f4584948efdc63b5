/* pdu_status.c - the names of command_status, as section 5.1.3 prints them. */
#include "smpp/pdu.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
	uint32_t status;
	const char *name;
} status_names[] = {
	{ SMPP_OK, "ESME_ROK" },
	{ SMPP_RINVMSGLEN, "ESME_RINVMSGLEN" },
	{ SMPP_RINVCMDLEN, "ESME_RINVCMDLEN" },
	{ SMPP_RINVCMDID, "ESME_RINVCMDID" },
	{ SMPP_RINVBNDSTS, "ESME_RINVBNDSTS" },
	{ SMPP_RALYBND, "ESME_RALYBND" },
	{ 0x06, "ESME_RINVPRTFLG" },
	{ 0x07, "ESME_RINVREGDLVFLG" },
	{ SMPP_RSYSERR, "ESME_RSYSERR" },
	{ SMPP_RINVSRCADR, "ESME_RINVSRCADR" },
	{ SMPP_RINVDSTADR, "ESME_RINVDSTADR" },
	{ SMPP_RINVMSGID, "ESME_RINVMSGID" },
	{ SMPP_RBINDFAIL, "ESME_RBINDFAIL" },
	{ SMPP_RINVPASWD, "ESME_RINVPASWD" },
	{ SMPP_RINVSYSID, "ESME_RINVSYSID" },
	{ 0x11, "ESME_RCANCELFAIL" },
	{ 0x13, "ESME_RREPLACEFAIL" },
	{ SMPP_RMSGQFUL, "ESME_RMSGQFUL" },
	{ SMPP_RINVSERTYP, "ESME_RINVSERTYP" },
	{ 0x33, "ESME_RINVNUMDESTS" },
	{ 0x34, "ESME_RINVDLNAME" },
	{ 0x40, "ESME_RINVDESTFLAG" },
	{ 0x42, "ESME_RINVSUBREP" },
	{ SMPP_RINVESMCLASS, "ESME_RINVESMCLASS" },
	{ 0x44, "ESME_RCNTSUBDL" },
	{ SMPP_RSUBMITFAIL, "ESME_RSUBMITFAIL" },
	{ 0x48, "ESME_RINVSRCTON" },
	{ 0x49, "ESME_RINVSRCNPI" },
	{ 0x50, "ESME_RINVDSTTON" },
	{ 0x51, "ESME_RINVDSTNPI" },
	{ SMPP_RINVSYSTYP, "ESME_RINVSYSTYP" },
	{ 0x54, "ESME_RINVREPFLAG" },
	{ 0x55, "ESME_RINVNUMMSGS" },
	{ SMPP_RTHROTTLED, "ESME_RTHROTTLED" },
	{ SMPP_RINVSCHED, "ESME_RINVSCHED" },
	{ SMPP_RINVEXPIRY, "ESME_RINVEXPIRY" },
	{ 0x63, "ESME_RINVDFTMSGID" },
	{ SMPP_RX_T_APPN, "ESME_RX_T_APPN" },
	{ SMPP_RX_P_APPN, "ESME_RX_P_APPN" },
	{ SMPP_RX_R_APPN, "ESME_RX_R_APPN" },
	{ 0x67, "ESME_RQUERYFAIL" },
	{ SMPP_RINVOPTPARSTREAM, "ESME_RINVOPTPARSTREAM" },
	{ 0xC1, "ESME_ROPTPARNOTALLWD" },
	{ SMPP_RINVPARLEN, "ESME_RINVPARLEN" },
	{ 0xC3, "ESME_RMISSINGOPTPARAM" },
	{ SMPP_RINVOPTPARAMVAL, "ESME_RINVOPTPARAMVAL" },
	{ 0xFE, "ESME_RDELIVERYFAILURE" },
	{ 0xFF, "ESME_RUNKNOWNERR" },
};

const char *smpp_status_name(uint32_t status, char out[SMPP_STATUS_TEXT])
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (status_names[i].status == status)
			return status_names[i].name;
	snprintf(out, SMPP_STATUS_TEXT, "0x%08X", status);
	return out;
}

int smpp_status_read(const char *text, uint32_t *status_out)
{
	static const char prefix[] = "ESME_";
	const size_t n = sizeof(prefix) - 1;
	const char *name = strncasecmp(text, prefix, n) == 0 ? text + n : text;
	unsigned long number;
	char *end;

	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (strcasecmp(status_names[i].name + n, name) == 0) {
			*status_out = status_names[i].status;
			return 0;
		}
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 0);
	if (errno || *end || number > UINT32_MAX)
		return -EINVAL;
	*status_out = (uint32_t)number;
	return 0;
}
