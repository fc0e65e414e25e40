// `helm test`: strangers are refused where keys are asked for, by each of many requests, since one pod may be open and
// another not; and what is published over HTTP arrives over a WebSocket, all through the Service and, where `tests.url` is
// given, through the ingress. Where a token is needed and cannot be made here (no JWT_SECRET) it ends with the strangers.
// Pods that are not up yet are waited for; an answer that will stay the same is not.
import { createHmac, randomUUID } from 'node:crypto';

const { URL: url, WS_PATH = '/ws', JWT_SECRET: secret, API_KEYS: keys } = process.env;
const { AUTHENTICATED, API_GUARDED, DEADLINE_SECONDS = '60' } = process.env;
/** The public may not be let in to the HTTP API. */
const { API_URL: api = url } = process.env;
/** So many that hardly a pod is left out. */
const STRANGERS = 20;
const RETRY_MS = 500;
const room = `helm-test-${randomUUID()}`;
const STALE = '\nPods that started before their Secret has changed have the keys of before: kubectl rollout restart.';
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
function explanation(token) {
  return ask(`${url}${WS_PATH}/${room}?explain=1${token ? `&token=${token}` : ''}`);
}

/** Whether pods that were told of keys let in somebody who has none. */
async function refuseStrangers() {
  for (let n = 0; n < STRANGERS; n += 1) {
    if (AUTHENTICATED === 'true') {
      const { status } = await explanation();
      if (status !== 401) fail(`without a token ${status}, not 401`);
    }
    if (API_GUARDED === 'true') {
      const { status } = await ask(`${api}/api/rooms`);
      if (status !== 401) fail(`the HTTP API without a key ${status}, not 401`);
    }
  }
  if (AUTHENTICATED === 'true' || API_GUARDED === 'true') console.log('strangers are refused');
}

async function publish(headers) {
  const answer = await ask(`${api}/api/rooms/${room}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ data: room }),
  });
  if (!answer.ok) fail(`publishing was answered with ${answer.status}: ${await answer.text()}${STALE}`);
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

await refuseStrangers();
if (AUTHENTICATED === 'true' && !secret) {
  console.log('no key is here to make a token for anybody else');
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
  const answer = await explanation(bearer);
  if (!answer.ok) fail(`the WebSocket was refused with ${answer.status}: ${await answer.text()}${STALE}`);
  await pause();
}
