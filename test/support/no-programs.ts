import children from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/** Setup of the unit tests: starting a program throws, so that they keep running anywhere and fast. */
function refuse(): never {
  throw new Error('A unit test must not start a program; vitest.config.ts says which tests are unit tests.');
}

Object.assign(children, { spawn: refuse, spawnSync: refuse, exec: refuse, execSync: refuse });
Object.assign(children, { execFile: refuse, execFileSync: refuse, fork: refuse });
syncBuiltinESMExports();
