import { SETTINGS, type Setting } from './settings.ts';

type Values = { readonly [Name in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Name]> };
type ValueOf<S> = S extends Setting<infer T> ? (S extends { fallback: string } ? T : T | undefined) : never;

/** What a pod is started with; frozen. Durations are in seconds, sizes in bytes, as in the settings. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly values: Values;
}

/** Every fault of the environment at once, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the settings; an empty variable counts as unset. Raises ConfigError. */
export function loadConfig(env: Env): Config {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, one]) => [name, valueOf(name, one, env, problems)]);
  const values = Object.freeze(Object.fromEntries(entries)) as Values;
  const address = addressOf(values, problems);
  if (problems.length === 0) checkTogether(values, address.port, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...address, values });
}

function valueOf(name: string, { kind, fallback }: Setting<unknown>, env: Env, problems: string[]): unknown {
  const given = env[name] || fallback;
  if (given === undefined) return undefined;
  const value = kind.read(given);
  if (value === undefined) problems.push(problem(name, kind.secret ? undefined : given, kind.allowed));
  return value;
}

function addressOf(values: Values, problems: string[]): { host: string; port: number } {
  const given = values.SERVER_ADDR;
  if (given === undefined) return { host: values.HOST, port: values.PORT };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]*)):(\d{1,5})$/.exec(given) ?? [];
  const port = SETTINGS.PORT.kind.read(digits ?? '');
  if (port === undefined) problems.push(problem('SERVER_ADDR', given, ':port, host:port or [ipv6]:port'));
  return { host: bracketed || plain || values.HOST, port: port ?? 0 };
}

function checkTogether(values: Values, port: number, problems: string[]): void {
  const { OPS_PORT, HEARTBEAT_SECONDS, HEARTBEAT_TIMEOUT_SECONDS } = values;
  if (port !== 0 && port === OPS_PORT) {
    problems.push(problem('OPS_PORT', String(OPS_PORT), 'another port than the one where clients connect'));
  }
  if (HEARTBEAT_TIMEOUT_SECONDS <= HEARTBEAT_SECONDS) {
    const allowed = `more than HEARTBEAT_SECONDS (${HEARTBEAT_SECONDS})`;
    problems.push(problem('HEARTBEAT_TIMEOUT_SECONDS', String(HEARTBEAT_TIMEOUT_SECONDS), allowed));
  }
}

function problem(name: string, given: string | undefined, allowed: string): string {
  const what = given === undefined ? 'the value given is not valid' : `${JSON.stringify(given)} is not valid`;
  return `${name}: ${what}; allowed: ${allowed}`;
}
