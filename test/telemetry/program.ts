import { createLog } from '../../src/telemetry/log.ts';
import { startTracing, type Tracing } from '../../src/telemetry/tracing.ts';

/** A process of its own that traces as a pod does: a request that publishes and delivers, with a log line each. */
let tracing: Tracing | undefined;
const log = await createLog({ level: 'info', format: 'json', fields: () => tracing?.logFields() ?? {} });
tracing = await startTracing(process.env, log);
log.info({ traced: tracing !== undefined }, 'started');

await tracing?.tracer.request({ method: 'GET', isKnown: true, header: () => undefined }, async () => {
  log.info({}, 'in the request');
  await tracing?.tracer.publish({ destination: 'room', type: 'chat' }, async (trace) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    log.info({ sampled: trace !== undefined }, 'in the publication');
    if (trace !== undefined) tracing?.tracer.deliver(trace, 'room')?.end(1);
    return { id: 'id', duplicate: false };
  });
  return { route: '/', status: 200 };
});
log.info({}, 'outside');
await tracing?.stop();
log.info({}, 'stopped');
