// `helm test`. If keys are configured, it checks with many requests that a client without one is refused: one pod may be
// open while another is not. Then it publishes over HTTP and receives over a WebSocket, through the Service and, with
// `tests.url`, through the ingress. If clients need a token and there is no JWT_SECRET to make one, it skips this part.
// It retries while pods are starting, and fails at once on an answer that would not change.
import { createHmac, randomUUID } from 'node:crypto';

const { URL: url, WS_PATH = '/ws', JWT_SECRET: secret, API_KEYS: keys } = process.env;
const { AUTHENTICATED, API_GUARDED, DEADLINE_SECONDS = '60' } = process.env;
/** The Service of the HTTP API: the ingress at URL may not serve it. */
const { API_URL: api = url } = process.env;
/** Enough requests to reach every pod with high probability. */
const STRANGERS = 20;
const RETRY_MS = 500;
const room = `helm-test-${randomUUID()}`;
const STALE = '\nPods that started before their Secret changed still use the old keys: run kubectl rollout restart.';
/** Why the last attempt failed. */
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

/** Repeats the request until its answer is final: not 429 and not 5xx. */
async function ask(address, request = {}) {
  for (;;) {
    try {
      // A new connection for each request, so that each may reach another pod.
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

/** The answer that an upgrade would get now. A WebSocket does not expose why it was refused. */
function explanation(token) {
  return ask(`${url}${WS_PATH}/${room}?explain=1${token ? `&token=${token}` : ''}`);
}

/** Fails if a pod accepts a request without the token or key that it should need. */
async function refuseStrangers() {
  for (let n = 0; n < STRANGERS; n += 1) {
    if (AUTHENTICATED === 'true') {
      const { status } = await explanation();
      if (status !== 401) fail(`a client without a token got ${status} instead of 401`);
    }
    if (API_GUARDED === 'true') {
      const { status } = await ask(`${api}/api/rooms`);
      if (status !== 401) fail(`the HTTP API answered ${status} instead of 401 to a request without a key`);
    }
  }
  if (AUTHENTICATED === 'true' || API_GUARDED === 'true') console.log('requests without a token or key are refused');
}

async function publish(headers) {
  const answer = await ask(`${api}/api/rooms/${room}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ data: room }),
  });
  if (!answer.ok) fail(`publishing failed with ${answer.status}: ${await answer.text()}${STALE}`);
}

/** The credentials of a backend: an API key, or else the token. */
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
  if (frame.type === 'error') fail(`the gateway sent an error: ${data}`);
  if (frame.type === 'chat' && frame.data === room) {
    console.log('a message published over HTTP arrived over a WebSocket');
    process.exit(0);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const late = () => fail(`the test did not finish within ${DEADLINE_SECONDS} s${trouble && `; last failure: ${trouble}`}`);
setTimeout(late, Number(DEADLINE_SECONDS) * 1000);

const bearer = secret ? token() : undefined;

await refuseStrangers();
if (AUTHENTICATED === 'true' && !secret) {
  console.log('without JWT_SECRET the test cannot make a token; messages are not tested');
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
