'use strict';
// smsc.js PORT FIFO [KEY CERTIFICATE] - a message center of the npm package "smpp", on
// SMSC_ADDRESS (127.0.0.1), with TLS where a key and a certificate are given.
//
// It binds "tandem" with password "s3cret", acknowledges submit_sm with an id in
// hexadecimal, and sends the receipt that was asked for with that id in decimal.  Each
// event is a line of JSON on standard output.  FIFO takes lines of JSON:
//
//   {"behave": {...}}    changes what it does:
//     throttle N           the next N submits get ESME_RTHROTTLED
//     refuse STATUS        all submits get it (0: none)
//     silent true          submits are not answered
//     drop N               at the Nth submit from now the connection is cut, unanswered
//     reorder N            answers wait until there are N, and go out the last one first
//     stat WORD            of receipts (DELIVRD); "" sends none
//     wrong_sequence true  answers have a sequence number that nobody used
//   {"deliver": {...}}   sends a deliver_sm with these fields to one that receives;
//                        "short_message": {"udh": HEX, "message": TEXT}, {"octets": HEX} or text
//   {"raw": HEX}         sends these octets to one that receives
//   {"close": true}      cuts all connections
const fs = require('fs'), readline = require('readline');
const smpp = require(process.env.SMPP_MODULE || 'smpp');

const [port, fifo, key, cert] = process.argv.slice(2);
const sessions = new Set();
const behave = { throttle: 0, refuse: 0, silent: false, drop: 0, reorder: 0, stat: 'DELIVRD', wrong_sequence: false };
let last = 0x9f0, waiting = [];
const log = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const hex = buffers => buffers && Buffer.concat(buffers).toString('hex');

function text(pdu) {
	const m = pdu.short_message.message, p = pdu.message_payload;
	return m !== undefined && m.length ? m : p ? p.message : m;
}

function receipt(session, pdu, id) {
	if (!(pdu.registered_delivery & 1) || !behave.stat) return;
	const to = [...sessions].find(s => s.receives);
	if (!to) return;
	to.deliver_sm({
		esm_class: 4, source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi,
		source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
		short_message: `id:${String(id).padStart(10, '0')} sub:001 dlvrd:001 submit date:2611211000 ` +
			`done date:2611211000 stat:${behave.stat} err:000 text:`,
	}, r => log('receipt_resp', { status: r.command_status }));
}

function answer(session, pdu, id) {
	const response = pdu.response({ message_id: id.toString(16) });
	if (behave.wrong_sequence) response.sequence_number = pdu.sequence_number + 4711;
	session.send(response);
	receipt(session, pdu, id);
}

function submit(session, pdu) {
	log('submit_sm', {
		from: pdu.source_addr, from_ton: pdu.source_addr_ton, from_npi: pdu.source_addr_npi,
		to: pdu.destination_addr, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi,
		dcs: pdu.data_coding, esm: pdu.esm_class, registered: pdu.registered_delivery,
		validity: pdu.validity_period, text: text(pdu), udh: hex(pdu.short_message.udh),
		sar: pdu.sar_segment_seqnum, payload: pdu.message_payload !== undefined,
	});
	if (behave.drop && --behave.drop === 0) return session.socket.destroy();
	if (behave.silent) return;
	if (behave.throttle) {
		behave.throttle--;
		return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
	}
	if (behave.refuse) return session.send(pdu.response({ command_status: behave.refuse }));
	const id = ++last;
	log('accepted', { id, text: text(pdu), udh: hex(pdu.short_message.udh) });
	if (!behave.reorder) return answer(session, pdu, id);
	waiting.push([session, pdu, id]);
	if (waiting.length >= behave.reorder) {
		waiting.reverse().forEach(w => answer(...w));
		waiting = [];
	}
}

function serve(session) {
	for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver'])
		session.on(kind, pdu => {
			const ok = pdu.system_id === 'tandem' && pdu.password === 's3cret';
			log('bind', { kind, system_id: pdu.system_id, system_type: pdu.system_type, ok,
				peer: session.socket.remoteAddress });
			session.send(pdu.response({ command_status: ok ? 0 : smpp.ESME_RINVPASWD, system_id: 'SMSC' }));
			session.receives = ok && kind !== 'bind_transmitter';
			if (ok) sessions.add(session);
		});
	session.on('submit_sm', pdu => submit(session, pdu));
	session.on('enquire_link', pdu => { log('enquire_link', {}); session.send(pdu.response()); });
	session.on('unbind', pdu => { log('unbind', {}); session.send(pdu.response()); session.close(); });
	session.on('pdu', pdu => {
		if (['generic_nack', 'data_sm_resp'].includes(pdu.command))
			log(pdu.command, { status: pdu.command_status, sequence: pdu.sequence_number });
	});
	session.on('close', () => { sessions.delete(session); log('close', {}); });
	session.on('error', e => log('error', { message: e.message }));
}

const commands = {
	behave: fields => Object.assign(behave, fields),
	deliver: fields => {
		const m = fields.short_message;
		if (m && m.octets) fields.short_message = Buffer.from(m.octets, 'hex');
		if (m && m.udh) fields.short_message = { udh: Buffer.from(m.udh, 'hex'), message: m.message };
		const to = [...sessions].find(s => s.receives);
		if (!to) return log('nobody', {});
		to.deliver_sm(fields, r => log('deliver_resp', { status: r.command_status }));
	},
	raw: octets => [...sessions].find(s => s.receives).socket.write(Buffer.from(octets, 'hex')),
	close: () => sessions.forEach(s => s.socket.destroy()),
};

readline.createInterface({ input: fs.createReadStream(fifo, { flags: 'r+' }) }).on('line', line => {
	for (const [command, fields] of Object.entries(JSON.parse(line))) commands[command](fields);
	log('done', {});
});

const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
smpp.createServer(options, serve).listen(+port, process.env.SMSC_ADDRESS || '127.0.0.1', () => log('listening', {}));
