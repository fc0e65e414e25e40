// `helm test`: what is published over HTTP arrives over a WebSocket, both through the Service. Where a token is needed
// and can be made here (JWT_SECRET), one is; otherwise it must be refused to whoever has none.
import { createHmac, randomUUID } from 'node:crypto';

const { URL: url, WS_PATH = '/ws', JWT_SECRET: secret, API_KEYS: keys, AUTHENTICATED } = process.env;
const { DEADLINE_SECONDS = '30' } = process.env;
const room = `helm-test-${randomUUID()}`;

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token() {
  const claims = {
    sub: 'helm-test',
    exp: Math.floor(Date.now() / 1000) + 60,
    [process.env.JWT_PERMISSIONS_CLAIM || 'permissions']: [`join:${room}`, 'api:*'],
    ...(process.env.JWT_ISSUER && { iss: process.env.JWT_ISSUER }),
    ...(process.env.JWT_AUDIENCE && { aud: process.env.JWT_AUDIENCE }),
  };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function publish(headers) {
  const answer = await fetch(`${url}/api/rooms/${room}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ data: room }),
  });
  if (!answer.ok) fail(`publishing was answered with ${answer.status}: ${await answer.text()}`);
}

/** What lets a backend in: a key, or else the token. */
function identity() {
  const [key] = keys?.split(',') ?? [];
  if (key) return { 'x-api-key': key };
  return bearer ? { authorization: `Bearer ${bearer}` } : {};
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

setTimeout(() => fail(`no answer within ${DEADLINE_SECONDS} s`), Number(DEADLINE_SECONDS) * 1000);

if (AUTHENTICATED === 'true' && !secret) {
  const { status } = await fetch(`${url}${WS_PATH}/${room}?explain=1`);
  if (status !== 401) fail(`without a token ${status}, not 401`);
  console.log('refused without a token, as it should be; no key is here to make one');
  process.exit(0);
}

const bearer = secret ? token() : undefined;
const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${WS_PATH}/${room}${bearer ? `?token=${bearer}` : ''}`);
socket.addEventListener('error', () => fail('the WebSocket was refused'));
socket.addEventListener('message', ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.event === 'joined') void publish(identity());
  if (frame.type === 'error') fail(`error: ${data}`);
  if (frame.type === 'chat' && frame.data === room) {
    console.log('published over HTTP, received over a WebSocket');
    process.exit(0);
  }
});
