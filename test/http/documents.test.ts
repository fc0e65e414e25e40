import { expect, test } from 'vitest';
import { Ajv } from 'ajv';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { world } from './world.ts';

const require = createRequire(import.meta.url);

test('/openapi.json is a document of OpenAPI 3.1', async () => {
  const { body } = await world().get('/openapi.json');
  const validator = new Validator();
  expect(await validator.validate(body as Record<string, unknown>)).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('/asyncapi.json is a document of AsyncAPI 3.0', async () => {
  const { body } = await world().get('/asyncapi.json');
  // The bundle without ids: the other one brings the draft's own schema, which Ajv has already.
  const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  validate(body);
  expect(validate.errors).toBeNull();
});
