import { answerRaw, type RawError } from '../core/base/raw-answer.ts';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { latestAnswers } from './latest-answers.ts';
import { RequestError } from '@hono/node-server';

const MALFORMED: RawError = { status: 400, error: 'the request is not valid HTTP', code: 'invalid_request' };
const NO_HOST: RawError = {
  status: 400,
  error: 'the request must have exactly one Host header',
  code: 'invalid_request',
};
const NOT_EXPECTED: RawError = {
  status: 417,
  error: 'the only supported expectation is 100-continue',
  code: 'invalid_request',
};
const NO_TUNNEL: RawError = { status: 405, error: 'this server is not a proxy', code: 'method_not_allowed' };

/** By the error code of Node's parser. Every other code means a malformed request. */
const BY_CODE: Readonly<Record<string, RawError>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: 'the address and the headers together may have at most 16 KiB',
    code: 'too_large',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    error: 'the chunk extensions are too long',
    code: 'too_large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, error: 'the request took too long to arrive', code: 'timeout' },
};

/** Gives a JSON body to the refusals that Node itself would send without one, before any route sees the request. */
export function answerParserErrors(server: Server): void {
  const latest = latestAnswers(server);
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const answer = (): void => {
      if (stream.writable && error.code !== 'ECONNRESET')
        answerRaw(stream, BY_CODE[error.code ?? ''] ?? MALFORMED, STATUS_CODES);
      else stream.destroy();
    };
    const before = latest.get(stream);
    if (before === undefined || before.closed) answer();
    // The error concerns the next request. Its answer must not overtake the previous one (RFC 9112 section 9.3.2).
    else if (before.req.complete) before.once('close', answer);
    // The error concerns the body of a request whose answer has already begun.
    else if (before.headersSent) stream.destroy();
    else answer();
  });
  server.on('checkExpectation', (_, response) => write(response, NOT_EXPECTED));
  server.on('connect', (_, stream) => {
    // Node has removed its own listeners, as for an upgrade. Without this one, a reset would end the process.
    stream.on('error', () => stream.destroy());
    answerRaw(stream, NO_TUNNEL, STATUS_CODES);
  });
}

/**
 * Refuses a request without exactly one Host, and returns true if it did; HTTP/1.0 needs none (RFC 9112 section 3.2).
 * With two, a proxy may have checked another one than Node uses.
 */
export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse): boolean {
  const { length } = request.headersDistinct['host'] ?? [];
  if (length === 1 || (length === 0 && request.httpVersion === '1.0')) return false;
  write(response, NO_HOST);
  return true;
}

/** Answers a request that Hono's adapter could not convert, for example because its Host is not valid. */
export function answerConversionError(error: unknown): Response {
  const isClientError = error instanceof RequestError;
  const text = isClientError
    ? `the address or the Host header is not valid: ${error.message}`
    : 'something went wrong on the server';
  return Response.json(
    { error: text, code: isClientError ? 'invalid_request' : 'internal' },
    { status: isClientError ? 400 : 500 },
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
