import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inbox } from '../support/inbox.ts';
import { onTestFinished } from 'vitest';

export type Fields = Readonly<Record<string, unknown>>;

/** A question as the backend got it. */
export interface Question {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly fields: Fields;
  readonly response: ServerResponse;
}

/** An answer as JSON with 200; with a function the test writes it itself. */
type Answer = object | string | ((response: ServerResponse) => void);

/** A backend in this process that answers as the test says; it lives until the test ends. */
export interface FakeBackend {
  readonly url: string;
  readonly questions: Inbox<Question>;
  /** Every question so far. */
  readonly asked: Fields[];
  /** How it answers from now on; undefined: not at all. */
  answer: (fields: Fields) => Answer | undefined;
  /** Connections that were opened. */
  readonly connections: { opened: number };
}

export async function startBackend(
  answer: FakeBackend['answer'] = () => ({ allow: true }),
): Promise<FakeBackend> {
  const connections = { opened: 0 };
  const questions = new Inbox<Question>();
  const backend = { url: '', questions, asked: [] as Fields[], answer, connections };
  const server = createServer((request, response) => {
    void take(request, response);
  });
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request);
    const fields = JSON.parse(body) as Fields;
    backend.asked.push(fields);
    questions.put({ headers: request.headers, body, fields, response });
    respond(response, backend.answer(fields));
  };
  server.on('connection', () => (connections.opened += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  backend.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/decide`;
  return backend;
}

function respond(response: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) return;
  if (typeof answer === 'function') answer(response);
  else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
