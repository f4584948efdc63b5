// apns_server.mjs - what Apple's push service checks, on loopback, for tests.
//
//   node apns_server.mjs KEY CERTIFICATE PROVIDER_PUBLIC_KEY KEY_ID TEAM_ID TOPIC
//
// Prints "listening PORT", then each request that passed all checks as a line of JSON, or
// "refused REASON".  What is answered depends on the first digits of the device token:
// dead: 410, the application is gone since an hour from now; de1d: 410 since 2001;
// bad0: 400 BadDeviceToken; 60a1: 200, and GOAWAY behind it; 60a2: the first time GOAWAY that
// leaves this very request undone (RFC 9113 6.8), and no answer; e0: once 403 ExpiredProviderToken; anything else: 200, to c10c with a date
// twenty minutes ahead.
import { createSecureServer } from 'node:http2';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [key, cert, providerFile, keyId, teamId, topic] = process.argv.slice(2);
const provider = createPublicKey(readFileSync(providerFile));
const expired = new Set(), left = new Set();
const say = (line) => process.stdout.write(line + '\n');

// Why the provider token is refused, or null.
function tokenFault(authorization) {
	const [header, claims, signature] = (authorization ?? '').replace(/^bearer /, '').split('.');
	if (!signature) return 'MissingProviderToken';
	const head = JSON.parse(Buffer.from(header, 'base64url'));
	const said = JSON.parse(Buffer.from(claims, 'base64url'));
	const good = head.alg === 'ES256' && head.kid === keyId && said.iss === teamId &&
		verify('sha256', Buffer.from(`${header}.${claims}`), { key: provider, dsaEncoding: 'ieee-p1363' },
			Buffer.from(signature, 'base64url'));
	if (!good) return 'InvalidProviderToken';
	return Math.abs(Date.now() / 1000 - said.iat) > 3600 ? 'ExpiredProviderToken' : null;
}

function answer(stream, status, body, aheadMs = 0) {
	stream.respond({ ':status': status, date: new Date(Date.now() + aheadMs).toUTCString() });
	stream.end(body ? JSON.stringify(body) : '');
}

// Status and body for a good request, by its device token.
function verdict(token) {
	if (token.startsWith('dead')) return [410, { reason: 'Unregistered', timestamp: Date.now() + 3600e3 }];
	if (token.startsWith('de1d')) return [410, { reason: 'Unregistered', timestamp: 1e12 }];
	if (token.startsWith('bad0')) return [400, { reason: 'BadDeviceToken' }];
	if (token.startsWith('e0') && !expired.has(token)) {
		expired.add(token);
		return [403, { reason: 'ExpiredProviderToken' }];
	}
	return [200, null, token.startsWith('c10c') ? 1200e3 : 0];
}

const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) });
let connections = 0;
server.on('session', (session) => {
	session.connection = ++connections;
});
server.on('stream', (stream, headers) => {
	const asked = headers[':path'].split('/').pop(), session = stream.session;
	if (asked.startsWith('60a2') && !left.has(asked)) {
		left.add(asked);
		say(`leaves ${asked} on ${session.connection}`);
		stream.on('error', () => {}); // the client resets what was left undone
		session.goaway(0, stream.id - 2); // the last that was taken is the one before
		return;
	}
	const chunks = [];
	stream.on('data', (chunk) => chunks.push(chunk));
	stream.on('end', () => {
		const body = Buffer.concat(chunks).toString();
		const path = /^\/3\/device\/([0-9a-f]+)$/i.exec(headers[':path']);
		const fault = headers[':method'] !== 'POST' || !path ? 'BadPath'
			: headers['apns-topic'] !== topic ? 'BadTopic'
			: !JSON.parse(body).aps ? 'PayloadEmpty'
			: tokenFault(headers.authorization);
		if (fault) {
			say(`refused ${fault}`);
			answer(stream, fault.endsWith('Token') ? 403 : 400, { reason: fault });
			return;
		}
		say(JSON.stringify({ token: path[1], type: headers['apns-push-type'], connections, on: session.connection, body }));
		answer(stream, ...verdict(path[1]));
		if (asked.startsWith('60a1')) session.goaway(0);
	});
});
server.listen(0, '127.0.0.1', () => say(`listening ${server.address().port}`));
