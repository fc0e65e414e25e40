import { asyncapi } from './asyncapi/document.ts';
import { createRoute, z } from '@hono/zod-openapi';
import type { Api } from './api-env.ts';
import { describeOthers } from './other-routes.ts';
import { readVersion } from '../version.ts';

const version = readVersion();

const Document = z.record(z.string(), z.unknown());

const getOpenApi = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenApi',
  tags: ['documents'],
  summary: 'This document (OpenAPI 3.1).',
  security: [],
  responses: {
    200: { description: 'The OpenAPI document.', content: { 'application/json': { schema: Document } } },
  },
});

const getAsyncApi = createRoute({
  method: 'get',
  path: '/asyncapi.json',
  operationId: 'getAsyncApi',
  tags: ['documents'],
  summary: 'What is spoken over the WebSockets (AsyncAPI 3.0).',
  security: [],
  responses: {
    200: { description: 'The AsyncAPI document.', content: { 'application/json': { schema: Document } } },
  },
});

/** The documents that describe the server; call it after all other routes. */
export function documentRoutes(api: Api): void {
  const components = api.openAPIRegistry;
  components.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'One of API_KEYS.',
  });
  components.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token with the permission `api:*`.',
  });
  describeOthers(components);
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
        'Rooms, broadcast, presence and history over WebSockets: what a backend asks of a pod by HTTP. With API_KEYS ' +
        'set or authentication on, all of `/api/` but guest login needs a key or a token; else it is open.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'publish', description: 'Messages to rooms, users and everybody.' },
      { name: 'disconnect', description: 'Closing connections.' },
      { name: 'rooms', description: 'Rooms, who is in them, and what was said.' },
      { name: 'connecting', description: 'Why a WebSocket is refused.' },
      { name: 'guests', description: 'Tokens for guests.' },
      { name: 'documents', description: 'Descriptions of the server.' },
      { name: 'pages', description: 'For people.' },
      { name: 'operations', description: 'For operators.' },
    ],
  });
}
