import { readFileSync } from 'node:fs';
import type { Kind } from './setting-kinds.ts';
import { printable, problem } from './setting-problems.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the environment holds for one setting. */
export interface Given {
  /** The variable that holds it. */
  readonly name: string;
  /** Absent if the setting is not given. */
  readonly text?: string;
}

/**
 * A setting's text: from its variable, or, for a setting that is kept secret, from the file that `NAME_FILE` names. An
 * empty variable counts as unset. Without a usable file the setting counts as unset and `problems` gets a line.
 */
export function givenOf(name: string, kind: Kind<unknown>, env: Env, problems: string[]): Given {
  const text = env[name];
  const path = kind.secret === true ? env[`${name}_FILE`] : undefined;
  if (!path) return text ? { name, text } : { name };
  const file = `${name}_FILE`;
  if (text) problems.push(`${file}: given beside ${name}; allowed: only one of them`);
  const content = contentOf(path);
  if (content) return { name: file, text: content };
  problems.push(problem(file, shown(path), 'path of a readable file that is not empty'));
  return { name: file };
}

/** Without the final line break, which editors add. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

/** A value that is not written like a path may be the secret itself. */
function shown(path: string): string | undefined {
  return /^\.{0,2}\//.test(path) ? printable(path) : undefined;
}
