import { asyncapi } from './asyncapi/document.ts';
import { createRoute, z } from '@hono/zod-openapi';
import type { Api } from './api-env.ts';
import { registerOtherRoutes } from './other-routes.ts';
import { readVersion } from '../version.ts';

const version = readVersion();

const Document = z.record(z.string(), z.unknown());

const getOpenApi = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  tags: ['documents'],
  summary: 'Returns this document (OpenAPI 3.1).',
  security: [],
  responses: {
    200: {
      description: 'The answer is the OpenAPI document.',
      content: { 'application/json': { schema: Document } },
    },
  },
});

const getAsyncApi = createRoute({
  method: 'get',
  path: '/asyncapi.json',
  operationId: 'getAsyncApi',
  tags: ['documents'],
  summary: 'Returns the document that describes the WebSocket frames (AsyncAPI 3.0).',
  security: [],
  responses: {
    200: {
      description: 'The answer is the AsyncAPI document.',
      content: { 'application/json': { schema: Document } },
    },
  },
});

/** Serves the documents that describe the server. Call it after all other routes, or the document lacks some. */
export function documentRoutes(api: Api): void {
  const components = api.openAPIRegistry;
  components.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The header holds one of the keys in API_KEYS.',
  });
  components.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token needs the permission `api:*`.',
  });
  registerOtherRoutes(components);
  const answer = asyncapi(version);
  api.openapi(getAsyncApi, (c) => c.json(answer, 200));

  let document: Record<string, unknown> | undefined;
  api.openapi(getOpenApi, (c) => {
    document ??= { ...openApi(api) };
    return c.json(document, 200);
  });
}

function openApi(api: Api) {
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Crosspod',
      version,
      description:
        'Crosspod offers rooms, broadcast, presence and history over WebSockets. This is its HTTP API for backends. ' +
        'If API_KEYS is set or authentication is on, every path under `/api/` except guest login needs an API key or ' +
        'a token; otherwise the API is open to everybody.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'publish', description: 'Publish messages to a room, to a user or to everybody.' },
      { name: 'disconnect', description: 'Close connections of clients.' },
      { name: 'users', description: 'Look up users and connections, and move users between rooms.' },
      { name: 'blocks', description: 'Block users and revoke tokens.' },
      { name: 'rooms', description: 'Read rooms, their members and their history.' },
      { name: 'connecting', description: 'Find out why a WebSocket handshake is refused.' },
      { name: 'guests', description: 'Issue tokens to guests.' },
      {
        name: 'documents',
        description: 'Read the documents that describe this API and the WebSocket frames.',
      },
      { name: 'pages', description: 'Open a page in a browser.' },
      { name: 'operations', description: 'Check, measure and drain a pod, as an operator.' },
    ],
  });
}
