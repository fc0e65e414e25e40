// `helm test`: what is published over HTTP arrives over a WebSocket, through the Service and, where `tests.url` is given, through the ingress. Where a token is needed
// and can be made here (JWT_SECRET), one is; otherwise it must be refused to whoever has none. Pods that are not up yet
// are waited for; an answer that will stay the same is not.
import { createHmac, randomUUID } from 'node:crypto';

const { URL: url, WS_PATH = '/ws', JWT_SECRET: secret, API_KEYS: keys, AUTHENTICATED } = process.env;
// The public may not be let in to the HTTP API.
const { DEADLINE_SECONDS = '60', API_URL: api = url } = process.env;
const RETRY_MS = 500;
const room = `helm-test-${randomUUID()}`;
/** Why the last attempt came to nothing. */
let trouble = '';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const pause = () => new Promise((resolve) => setTimeout(resolve, RETRY_MS));

function token() {
  const claims = {
    sub: 'helm-test',
    exp: Math.floor(Date.now() / 1000) + 600,
    [process.env.JWT_PERMISSIONS_CLAIM || 'permissions']: [`join:${room}`, 'api:*'],
    ...(process.env.JWT_ISSUER && { iss: process.env.JWT_ISSUER }),
    ...(process.env.JWT_AUDIENCE && { aud: process.env.JWT_AUDIENCE }),
  };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** The first answer that another attempt would not change. */
async function ask(address, request = {}) {
  for (;;) {
    try {
      // Each over a connection of its own, which may lead to another pod.
      const headers = { connection: 'close', ...request.headers };
      const answer = await fetch(address, { ...request, headers });
      if (answer.status < 500 && answer.status !== 429) return answer;
      trouble = `${answer.status}: ${await answer.text()}`;
    } catch (error) {
      trouble = error.cause?.code ?? error.message;
    }
    await pause();
  }
}

/** What an upgrade would be told now: a WebSocket does not say why it was refused. */
function explanation() {
  return ask(`${url}${WS_PATH}/${room}?explain=1${bearer ? `&token=${bearer}` : ''}`);
}

async function publish(headers) {
  const answer = await ask(`${api}/api/rooms/${room}/messages`, {
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

function receive({ data }) {
  const frame = JSON.parse(data);
  if (frame.event === 'joined') {
    trouble = '';
    void publish(identity());
  }
  if (frame.type === 'error') fail(`error: ${data}`);
  if (frame.type === 'chat' && frame.data === room) {
    console.log('published over HTTP, received over a WebSocket');
    process.exit(0);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const late = () => fail(`no answer within ${DEADLINE_SECONDS} s${trouble && `: ${trouble}`}`);
setTimeout(late, Number(DEADLINE_SECONDS) * 1000);

const bearer = secret ? token() : undefined;

if (AUTHENTICATED === 'true' && !secret) {
  const { status } = await explanation();
  if (status !== 401) fail(`without a token ${status}, not 401`);
  console.log('refused without a token, as it should be; no key is here to make one');
  process.exit(0);
}

for (;;) {
  const socket = new WebSocket(
    `${url.replace(/^http/, 'ws')}${WS_PATH}/${room}${bearer ? `?token=${bearer}` : ''}`,
  );
  socket.addEventListener('message', receive);
  await new Promise((resolve) => {
    for (const end of ['error', 'close']) socket.addEventListener(end, resolve);
  });
  const answer = await explanation();
  if (!answer.ok) fail(`the WebSocket was refused with ${answer.status}: ${await answer.text()}`);
  await pause();
}
