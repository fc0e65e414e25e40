import { describe, expect, onTestFinished, test } from 'vitest';
import { type Line, recordModules, runProgram } from './programs.ts';
import { freePort } from '../support/ports.ts';
import { Receiver } from './receiver.ts';

async function receive(): Promise<Receiver> {
  const receiver = await Receiver.start();
  onTestFinished(() => receiver.stop());
  return receiver;
}

function line(lines: readonly Line[], msg: string): Line {
  const found = lines.find((one) => one.msg === msg);
  if (found === undefined) throw new Error(`no line ${msg}: ${JSON.stringify(lines)}`);
  return found;
}

describe('Tracing', () => {
  test('sends the remaining spans when it stops', async () => {
    const receiver = await receive();
    await runProgram({ ...receiver.env, OTEL_BSP_SCHEDULE_DELAY: '60000' });
    expect(receiver.spans.map(({ name }) => name).toSorted()).toEqual(['GET /', 'deliver', 'publish']);
    expect(receiver.requests).toEqual([{ path: '/v1/traces', type: 'application/json' }]);
  });

  test('sends protobuf by default, and only traces', async () => {
    const receiver = await receive();
    await runProgram({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    expect(receiver.requests).toEqual([{ path: '/v1/traces', type: 'application/x-protobuf' }]);
  });

  test('uses an endpoint for traces unchanged', async () => {
    const receiver = await receive();
    await runProgram({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/here` });
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/here']);
  });

  test.each([
    [{ OTEL_SERVICE_NAME: 'mine' }, 'mine'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=b,service.name=yours' }, 'yours'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'my.service.name=x' }, 'crosspod'],
    [{}, 'crosspod'],
  ])('has the service name of %j', async (env, name) => {
    const receiver = await receive();
    await runProgram({ ...receiver.env, ...env });
    expect(receiver.spans.map(({ resource }) => resource['service.name'])).toEqual([name, name, name]);
  });

  test.each([
    { OTEL_TRACES_SAMPLER: 'always_off' },
    { OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
  ])('that samples nothing (%j) sends nothing, and messages and log lines have no trace', async (env) => {
    const receiver = await receive();
    const lines = await runProgram({ ...receiver.env, ...env });
    expect(receiver.requests).toEqual([]);
    expect(line(lines, 'in the publication')).toMatchObject({ sampled: false });
    for (const one of lines) expect(one).not.toHaveProperty('trace_id');
  });

  test.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' },
  ])('is off, and nothing of OpenTelemetry loaded, with %j', async (env) => {
    const { env: recording, modules } = recordModules();
    const lines = await runProgram({ ...recording, ...env });
    expect(line(lines, 'started')).toMatchObject({ traced: false });
    expect(modules().filter((url) => url.includes('opentelemetry'))).toEqual([]);
    expect(modules().some((url) => url.endsWith('/telemetry/tracing.ts'))).toBe(true);
  });

  test('with an unavailable receiver logs that and stops', async () => {
    const unavailable = `http://user:hunter2@127.0.0.1:${await freePort()}`;
    const lines = await runProgram({
      OTEL_EXPORTER_OTLP_ENDPOINT: unavailable,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter3',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    expect(line(lines, 'stopped')).toBeDefined();
    expect(lines.length).toBeLessThan(20);
    expect(JSON.stringify(lines)).not.toMatch(/hunter/);
  });

  test.each(['console', 'console,otlp'])(
    'with exporter %s writes only log lines to standard output',
    async (names) => {
      const receiver = await receive();
      // Fails for a line that is no JSON.
      const lines = await runProgram({
        ...receiver.env,
        OTEL_TRACES_EXPORTER: names,
        OTEL_LOG_LEVEL: 'debug',
      });
      expect(lines.map(({ msg }) => msg).join('\n')).toContain('console is ignored');
      expect(line(lines, 'started')).toMatchObject({ traced: names !== 'console' });
      expect(receiver.requests).toHaveLength(names === 'console' ? 0 : 1);
    },
  );

  test('logs a setting that it does not understand', async () => {
    const receiver = await receive();
    for (const level of ['', 'info']) {
      const lines = await runProgram({
        ...receiver.env,
        OTEL_TRACES_SAMPLER: 'sometimes',
        OTEL_LOG_LEVEL: level,
      });
      const told = lines.filter((one) => one['component'] === 'opentelemetry');
      expect(told.map(({ msg }) => msg).join('\n')).toContain('sometimes');
    }
  });
});

test('Log lines carry trace_id and span_id within a sampled span, and not outside', async () => {
  const receiver = await receive();
  const lines = await runProgram(receiver.env);
  const ids = (name: string): object => {
    const [span] = receiver.named(name);
    return { trace_id: span?.traceId, span_id: span?.spanId };
  };
  expect(line(lines, 'in the request')).toMatchObject(ids('GET /'));
  expect(line(lines, 'in the publication')).toMatchObject(ids('publish'));
  expect(line(lines, 'outside')).not.toHaveProperty('trace_id');
});
