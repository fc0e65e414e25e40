import type { Backend } from './backend/backend.ts';
import type { Config } from './config.ts';
import { destinationOf } from './webhooks/post.ts';
import type { HookRunner } from './hooks/runner.ts';
import type { Hooks } from './core/ports/hooks.ts';
import { inOrder } from './core/commands/hook-chain.ts';
import type { Log } from './core/ports/log.ts';
import type { Platform } from './platform.ts';
import { randomUUID } from 'node:crypto';
import { readHttpAddress } from './core/base/http-address.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** What the operator decides with. */
export interface Deciders {
  readonly runner: HookRunner | undefined;
  readonly backend: Backend | undefined;
  /** Both in one: the module first. Undefined without either. */
  readonly hooks: Hooks | undefined;
}

export async function decidersOf(config: Config, log: Log, platform: Platform): Promise<Deciders> {
  const runner = await hooksOf(config, log, platform);
  const backend = await backendOf(config, log, platform);
  const hooks =
    runner !== undefined && backend !== undefined ? inOrder(runner, backend) : (runner ?? backend);
  return { runner, backend, hooks };
}

/** Undefined without HOOKS_MODULE. Raises an error if the module is unusable. */
async function hooksOf({ values }: Config, log: Log, { clock }: Platform): Promise<HookRunner | undefined> {
  if (values.HOOKS_MODULE === undefined) return undefined;
  const { loadHooks } = await import('./hooks/load.ts');
  const { HookRunner } = await import('./hooks/runner.ts');
  return new HookRunner(await loadHooks(values.HOOKS_MODULE), { clock, log });
}

/** Undefined without BACKEND_URL. Raises an Error that names the setting. */
async function backendOf({ values }: Config, log: Log, { clock }: Platform): Promise<Backend | undefined> {
  const { BACKEND_URL: url, BACKEND_SECRET: secret, BACKEND_EVENTS: events } = values;
  const server = url === undefined ? undefined : readHttpAddress(url);
  if (server === undefined || secret === undefined || events === undefined) return undefined;
  const { Backend } = await import('./backend/backend.ts');
  return new Backend({
    ...server,
    secret,
    events,
    clock,
    log,
    timeoutMs: values.BACKEND_TIMEOUT_MS,
    concurrency: values.BACKEND_CONCURRENCY,
    allowsOnFailure: values.BACKEND_ON_FAILURE === 'allow',
    passedHeaders: values.BACKEND_HEADERS ?? [],
  });
}

export function webhooksOf({ values }: Config, log: Log, { clock, random }: Platform): Webhooks | undefined {
  const { WEBHOOK_URL, WEBHOOK_SECRET } = values;
  if (WEBHOOK_URL === undefined || WEBHOOK_SECRET === undefined) return undefined;
  const destination = destinationOf(WEBHOOK_URL, WEBHOOK_SECRET);
  return new Webhooks({ destination, clock, log, random, newId: randomUUID });
}
