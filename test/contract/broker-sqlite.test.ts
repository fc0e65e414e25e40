import { afterAll, beforeAll } from 'vitest';
import { brokerContract } from './broker.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { sharedBrokerContract } from './shared-broker.ts';
import { SqliteBroker } from '../../examples/sqlite-broker/sqlite-broker.ts';
import { systemClock } from '../../src/platform.ts';
import { TestClock } from '../support/test-clock.ts';
import { tmpdir } from 'node:os';

const clock = new TestClock();
let folder = '';
let files = 0;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'crosspod-sqlite-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const LIMITS = { historySize: 5, historyTtlMs: 60_000 };

brokerContract('The broker that docs/contributor/write-an-engine.md makes', {
  open() {
    const file = join(folder, `${(files += 1)}.db`);
    return Promise.resolve(new SqliteBroker({ ...LIMITS, file, pod: 'pod', clock }));
  },
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
});

let pods = 0;
let shared = '';
let lock: DatabaseSync | undefined;

sharedBrokerContract('The broker that docs/contributor/write-an-engine.md makes', {
  empty() {
    shared = join(folder, `${(files += 1)}.db`);
  },
  open() {
    const pod = `pod-${(pods += 1)}`;
    return Promise.resolve(
      new SqliteBroker({ ...LIMITS, historySize: 1_000, file: shared, pod, clock: systemClock }),
    );
  },
  breaks() {
    lock = new DatabaseSync(shared);
    lock.exec('BEGIN IMMEDIATE');
  },
  mends: () => lock?.close(),
});
