import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS } from '../../src/protocol/error-codes.ts';
import { type Pod, startPod } from '../support/pod.ts';

const PROGRAM = join(import.meta.dirname, 'react-native-program.ts');

let pod: Pod;

beforeAll(async () => {
  pod = await startPod();
});
afterAll(() => pod.stop());

test('Without the globals that React Native lacks it talks, and is told why it is refused', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    `${pod.wsUrl}/ws`,
  ]);
  const [message = '', ...rest] = stdout.trim().split('\n');
  expect(JSON.parse(message)).toMatchObject({ room: 'r', from: 'ann lee', data: 'ü' });
  expect(rest).toEqual([`closed 400 ${ERRORS.invalid_room}`]);
});
