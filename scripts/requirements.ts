import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that are not npm packages and without which tests cannot run. */
export type Program =
  | 'chromium'
  | 'redis-server'
  | 'redis-sentinel'
  | 'nats-server'
  | 'haproxy'
  | 'openssl'
  | 'gcc'
  | 'shellcheck'
  | 'promtool'
  | 'python3';

/** Where Debian puts servers; not every user's PATH has it. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin'];

interface Where {
  /** An environment variable that names the program's path; it wins. */
  readonly variable: string;
  readonly names: readonly string[];
  /** The Debian package. */
  readonly debian: string;
  /** What follows `brew install`. */
  readonly brew: string;
}

const PROGRAMS: Record<Program, Where> = {
  chromium: {
    variable: 'CHROMIUM_PATH',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    debian: 'chromium',
    brew: '--cask chromium',
  },
  'redis-server': {
    variable: 'REDIS_SERVER_PATH',
    names: ['redis-server'],
    debian: 'redis-server',
    brew: 'redis',
  },
  'redis-sentinel': {
    variable: 'REDIS_SENTINEL_PATH',
    names: ['redis-sentinel'],
    debian: 'redis-sentinel',
    brew: 'redis',
  },
  'nats-server': {
    variable: 'NATS_SERVER_PATH',
    names: ['nats-server'],
    debian: 'nats-server',
    brew: 'nats-server',
  },
  gcc: { variable: 'GCC_PATH', names: ['gcc'], debian: 'gcc', brew: 'gcc' },
  openssl: { variable: 'OPENSSL_PATH', names: ['openssl'], debian: 'openssl', brew: 'openssl' },
  shellcheck: {
    variable: 'SHELLCHECK_PATH',
    names: ['shellcheck'],
    debian: 'shellcheck',
    brew: 'shellcheck',
  },
  promtool: { variable: 'PROMTOOL_PATH', names: ['promtool'], debian: 'prometheus', brew: 'prometheus' },
  python3: { variable: 'PYTHON_PATH', names: ['python3'], debian: 'python3', brew: 'python' },
  haproxy: { variable: 'HAPROXY_PATH', names: ['haproxy'], debian: 'haproxy', brew: 'haproxy' },
};

/**
 * The path of a program that tests need. Where it is missing, Debian's package is installed if this process may do
 * that (root on Debian or Ubuntu); else, or if that fails, it throws and says how a person installs it: a test
 * without its program fails, it is never skipped.
 */
export function requireProgram(name: Program): string {
  const where = PROGRAMS[name];
  const given = process.env[where.variable];
  if (given !== undefined && given !== '') {
    if (isExecutable(given)) return given;
    throw new Error(`${where.variable} is ${given}, which is not a program that can be run`);
  }
  const found = findOnPath(where.names);
  if (found !== undefined) return found;
  if (mayInstall()) {
    installDebian(name, where);
    const installed = findOnPath(where.names);
    if (installed !== undefined) return installed;
  }
  throw new Error(howToInstall(name, where));
}

export function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  folders.push(...SYSTEM_FOLDERS);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

function installDebian(name: Program, where: Where): void {
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  try {
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', where.debian], options);
  } catch (cause) {
    throw new Error(howToInstall(name, where), { cause });
  }
}

function howToInstall(name: Program, where: Where): string {
  return (
    `${name} is needed by the tests and was not found on the PATH (looked for ${where.names.join(', ')}). ` +
    `Install it (Debian and Ubuntu: sudo apt-get install ${where.debian}; ` +
    `macOS: brew install ${where.brew}), ` +
    `or set ${where.variable} to its path.`
  );
}
