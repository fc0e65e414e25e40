import { HOOK_NAMES, type HooksModule } from './types.ts';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { statSync } from 'node:fs';

const NAMES = HOOK_NAMES;

/**
 * Imports the hooks module; `path` is absolute or relative to the working directory. Raises an Error whose message is
 * one line that names the setting.
 */
export async function loadHooks(path: string): Promise<HooksModule> {
  const file = resolve(path);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw problem(path, 'there is no such file');
  const exported = await importFrom(file, path);
  const faults = faultsOf(exported);
  if (faults.length > 0) throw problem(path, faults.join('; '));
  const entries = NAMES.map((name) => [name, exported[name]]).filter(([, hook]) => hook !== undefined);
  return Object.fromEntries(entries) as HooksModule;
}

async function importFrom(file: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw problem(path, `it cannot be loaded: ${String(error).replaceAll(/\s+/g, ' ')}`);
  }
}

/** A misspelt hook would silently never be called. */
function faultsOf(exported: Readonly<Record<string, unknown>>): string[] {
  const names: readonly string[] = NAMES;
  const faults = Object.keys(exported)
    .filter(
      (name) => /^on(?:[A-Z]|connect$|disconnect$|join$|message$|call$)/.test(name) && !names.includes(name),
    )
    .map((name) => `it exports ${name}, which is not a hook`);
  const given = NAMES.filter((name) => exported[name] !== undefined);
  for (const name of given) {
    if (typeof exported[name] !== 'function') faults.push(`${name} is not a function`);
  }
  if (given.length === 0 && faults.length === 0) faults.push('it exports no hook');
  return faults;
}

function problem(path: string, what: string): Error {
  const allowed = `the path of an ES module that exports ${NAMES.join(', ')} or some of these`;
  return new Error(`HOOKS_MODULE: ${JSON.stringify(path)} is not valid (${what}); allowed: ${allowed}`);
}
