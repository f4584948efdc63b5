/* srv.c - SRV answers (RFC 2782) read by hand, octet by octet from untrusted DNS: RFC
 * 1035 4.1. */
#include "gateway/srv.h"

#include <errno.h>

#include "base/cursor.h"

enum {
	POINTER = 0xc0,    /* the two bits of a compressed name, 4.1.4 */
	MAX_POINTERS = 32, /* in one name: they could lead in circles */
	MAX_LABEL = 63,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	TYPE_SRV = 33,
};

/* Letters, digits, hyphens, and the underscores that some sites have. */
static bool is_host_label(struct slice label)
{
	for (size_t i = 0; i < label.n; i++) {
		uint8_t c = label.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* What a name's labels make as text.  text stays empty for the root, and for what is too
 * long or has other characters, which *usable tells. */
struct name_text {
	char text[SRV_HOST_SIZE];
	size_t n;
	bool usable;
};

static void add_label(struct name_text *name, struct slice label)
{
	size_t dot = name->n > 0;

	if (label.n == 0)
		return; /* cut off: the cursor is bad */
	if (!is_host_label(label) || label.n + dot >= sizeof(name->text) - name->n) {
		name->usable = false;
		return;
	}
	if (dot)
		name->text[name->n++] = '.';
	memcpy(name->text + name->n, label.p, label.n);
	name->n += label.n;
	name->text[name->n] = '\0';
}

/* Takes a name; name may be NULL.  A pointer ends it where it stands, and its labels go on
 * elsewhere in the message, strictly before the pointer: so that none leads in circles. */
static int take_name(struct cursor *c, struct slice message, struct name_text *name)
{
	struct cursor at = *c;
	bool jumped = false;

	if (name)
		*name = (struct name_text){ .usable = true };
	for (unsigned pointers = 0;;) {
		size_t start = message.n - at.left;
		uint8_t length = cursor_u8(&at);
		size_t to;

		if (!cursor_ok(&at))
			return -EBADMSG;
		if (length == 0 || length > MAX_LABEL) {
			to = (size_t)(length & ~POINTER) << 8;
			/* 14 bits: an offset from the message's beginning. */
			if (length)
				to |= cursor_u8(&at);
			if (!jumped)
				*c = at; /* behind the name as it stands here */
			if (length == 0)
				return 0;
			if (!cursor_ok(&at) || (length & POINTER) != POINTER || to >= start ||
			    ++pointers > MAX_POINTERS)
				return -EBADMSG;
			jumped = true;
			at = cursor_of(slice_from(message, to));
			continue;
		}
		if (name)
			add_label(name, cursor_take(&at, length));
		else
			cursor_take(&at, length);
	}
}

/* Behind all that come before it. */
static void insert(struct srv_answer *out, const struct srv_record *record)
{
	/* Kept sorted by priority, in the order of the answer within one; behind SRV_MAX the last
	 * are dropped. */
	size_t i = out->n;

	if (out->n == SRV_MAX && out->records[SRV_MAX - 1].priority <= record->priority)
		return;
	if (out->n < SRV_MAX)
		out->n++;
	else
		i--;
	for (; i > 0 && out->records[i - 1].priority > record->priority; i--)
		out->records[i] = out->records[i - 1];
	out->records[i] = *record;
}

static int take_srv(struct slice message, size_t at, struct srv_answer *out)
{
	struct cursor c = cursor_of(slice_from(message, at));
	struct srv_record record = { .priority = cursor_u16(&c) };
	struct name_text target;

	record.weight = cursor_u16(&c);
	record.port = cursor_u16(&c);
	if (take_name(&c, message, &target))
		return -EBADMSG;
	/* RFC 2782: a target of "." says that there is no such service. */
	if (target.usable && target.n == 0)
		out->refused = true;
	if (!target.usable || target.n == 0 || record.port == 0)
		return 0;
	memcpy(record.host, target.text, target.n + 1);
	insert(out, &record);
	return 0;
}

/* One record; those on the way to the SRV records, aliases, count for the time to live. */
static int take_record(struct cursor *c, struct slice message, struct srv_answer *out)
{
	uint16_t type, class;
	uint32_t ttl;
	size_t at, length;

	if (take_name(c, message, NULL))
		return -EBADMSG;
	type = cursor_u16(c);
	class = cursor_u16(c);
	ttl = cursor_u32(c);
	length = cursor_u16(c);
	at = message.n - c->left;
	cursor_take(c, length);
	if (!cursor_ok(c))
		return -EBADMSG;
	if (class != CLASS_IN || (type != TYPE_SRV && type != TYPE_CNAME))
		return 0;
	if (ttl < out->ttl_s)
		out->ttl_s = ttl;
	/* the record's data end where its length says, names in it may point before */
	return type == TYPE_SRV ? take_srv(slice_of(message.p, at + length), at, out) : 0;
}

int srv_parse(struct slice message, struct srv_answer *out)
{
	struct cursor c = cursor_of(message);
	unsigned questions, answers;

	*out = (struct srv_answer){ .ttl_s = UINT32_MAX };
	cursor_take(&c, 4); /* id and flags: c-ares has looked at them */
	questions = cursor_u16(&c);
	answers = cursor_u16(&c);
	cursor_take(&c, 4);
	for (unsigned i = 0; i < questions; i++) {
		if (take_name(&c, message, NULL))
			return -EBADMSG;
		cursor_take(&c, 4);
	}
	if (!cursor_ok(&c))
		return -EBADMSG;
	for (unsigned i = 0; i < answers; i++)
		if (take_record(&c, message, out))
			return -EBADMSG;
	/* Somebody serves it: "." beside other records means nothing. */
	if (out->n)
		out->refused = false;
	return out->n || out->refused ? 0 : -ENOENT;
}
