// Verifies a signed message with WebCrypto. Reads the JWS from standard input
// and prints the payload, or fails.
let jws = '';
for await (const chunk of process.stdin) jws += chunk;
const [header, payload, signature] = jws.trim().split('.').map((part) => Buffer.from(part, 'base64url'));
const { alg, typ, jwk } = JSON.parse(header.toString());
if (alg !== 'ES256' || typ !== 'sightline+jws') throw new Error('wrong header');
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
const input = new TextEncoder().encode(jws.trim().slice(0, jws.trim().lastIndexOf('.')));
if (!(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, input))) throw new Error('wrong signature');
process.stdout.write(payload.toString());
