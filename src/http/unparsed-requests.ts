import { answerRaw, type RawError } from '../core/base/raw-answer.ts';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { latestAnswers } from './latest-answers.ts';
import { RequestError } from '@hono/node-server';

const MALFORMED: RawError = { status: 400, error: 'this is no HTTP request', code: 'invalid_request' };
const NO_HOST: RawError = { status: 400, error: 'the request must name one Host', code: 'invalid_request' };
const NOT_EXPECTED: RawError = {
  status: 417,
  error: 'nothing but 100-continue can be expected',
  code: 'invalid_request',
};
const NO_TUNNEL: RawError = { status: 405, error: 'this is no proxy', code: 'method_not_allowed' };

/** By the code of the error of Node's parser; any other is a malformed request. */
const BY_CODE: Readonly<Record<string, RawError>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: 'the address and the headers together may have 16 KiB',
    code: 'too_large',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, error: 'the chunks say too much', code: 'too_large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, error: 'the request took too long to come', code: 'timeout' },
};

/** Answers what no route ever sees in the words of all others: what Node itself would refuse without any. */
export function answerUnparsed(server: Server): void {
  const latest = latestAnswers(server);
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const answer = (): void => {
      if (stream.writable && error.code !== 'ECONNRESET')
        answerRaw(stream, BY_CODE[error.code ?? ''] ?? MALFORMED, STATUS_CODES);
      else stream.destroy();
    };
    const before = latest.get(stream);
    if (before === undefined || before.closed) answer();
    // It is about the next request, whose answer must not overtake that of the one before (RFC 9112 section 9.3.2).
    else if (before.req.complete) before.once('close', answer);
    // It is about the body of one that is being answered already.
    else if (before.headersSent) stream.destroy();
    else answer();
  });
  server.on('checkExpectation', (_, response) => write(response, NOT_EXPECTED));
  server.on('connect', (_, stream) => {
    // Node has taken its own listeners off, as with an upgrade; a reset must not end the process.
    stream.on('error', () => stream.destroy());
    answerRaw(stream, NO_TUNNEL, STATUS_CODES);
  });
}

/**
 * Whether a request lacks the one Host that every one must name, but for HTTP/1.0 (RFC 9112 section 3.2); then it is
 * answered. Of two a proxy may have judged by the other one than Node takes.
 */
export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse): boolean {
  const { length } = request.headersDistinct['host'] ?? [];
  if (length === 1 || (length === 0 && request.httpVersion === '1.0')) return false;
  write(response, NO_HOST);
  return true;
}

/** Answers what the adapter of Hono could make no request of: it names no host, or something that is none. */
export function answerUnparsedable(error: unknown): Response {
  const isTheirs = error instanceof RequestError;
  const text = isTheirs
    ? `the address or the Host cannot be read: ${error.message}`
    : 'something went wrong on the server';
  return Response.json(
    { error: text, code: isTheirs ? 'invalid_request' : 'internal' },
    { status: isTheirs ? 400 : 500 },
  );
}

function write(response: ServerResponse, { status, error, code }: RawError): void {
  const body = JSON.stringify({ error, code });
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  });
  response.end(body);
}
