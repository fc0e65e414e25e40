import { readFileSync, writeFileSync } from 'node:fs';
import { CLOSE } from '../src/protocol/close-codes.ts';
import { CLOSE_REASONS } from '../src/protocol/close-reasons.ts';
import { CLOSE_MEANINGS } from '../src/protocol/close-meanings.ts';
import { ERRORS } from '../src/protocol/error-codes.ts';
import { RULE_KEYS, type RuleKey } from '../src/rules/keys.ts';
import { SETTINGS, type Setting } from '../src/settings.ts';
import { madeFiles } from './made-files.ts';
import { valueRows } from './chart-readme.ts';

/** The tables of the documents, made from the code; each stands between `<!-- table NAME -->` and `<!-- end -->`. */
export const TABLES: Readonly<Record<string, () => string>> = {
  settings: () =>
    markdown(
      ['Setting', 'Default', 'Allowed', 'Meaning'],
      Object.entries<Setting<unknown>>(SETTINGS).map(([name, { fallback, kind, meaning }]) => [
        `\`${name}\``,
        fallback === undefined ? '–' : `\`${fallback}\``,
        kind.secret === true ? `${kind.allowed}; or in a file: \`${name}_FILE\`` : kind.allowed,
        meaning,
      ]),
    ),
  errors: () =>
    markdown(
      ['Code', 'Meaning'],
      Object.entries(ERRORS).map(([code, text]) => [`\`${code}\``, text]),
    ),
  closes: () =>
    markdown(
      ['Code', 'Meaning', 'Reason text', 'Reconnect?'],
      Object.entries(CLOSE).map(([name, { code, reconnect }]) => [
        String(code),
        CLOSE_MEANINGS[name as keyof typeof CLOSE],
        reasonText(name as keyof typeof CLOSE),
        code === CLOSE.drain.code
          ? 'yes, when the `drain` frame says; without one with backoff'
          : RECONNECT[reconnect],
      ]),
    ),
  rules: () =>
    markdown(
      ['Key', 'Allowed', 'Without it', 'Meaning'],
      Object.entries<RuleKey>(RULE_KEYS).map(([key, { allowed, absent, meaning }]) => [
        `\`${key}\``,
        allowed,
        absent,
        meaning,
      ]),
    ),
  values: () => markdown(['Value', 'Default', 'Meaning'], valueRows()),
};

/** The reason text that a close frame carries. */
function reasonText(name: keyof typeof CLOSE): string {
  const usual = CLOSE_REASONS[name];
  if (name === 'kicked') return `what the application said, else \`${usual}\``;
  if (name === 'normal') return '–';
  return usual === undefined ? 'none: the WebSocket library closes' : `\`${usual}\``;
}

const RECONNECT = {
  backoff: 'yes, with backoff',
  'new-token': 'yes, with a new token',
  never: 'no',
} as const;

export const DOCUMENTS = [
  'docs/settings.md',
  'docs/protocol.md',
  'docs/platform/rules.md',
  'src/client/README.md',
  'charts/crosspod/README.md',
];

/** The document with every table regenerated. Raises an error for an unknown table. */
export function withTables(document: string): string {
  return document.replace(
    /(<!-- table (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const table = TABLES[name];
      if (table === undefined)
        throw new Error(`there is no table ${name}; known are ${Object.keys(TABLES).join(', ')}`);
      return `${begin}${table()}${end}`;
    },
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

if (import.meta.main) {
  for (const [path, content] of Object.entries(madeFiles())) writeFileSync(path, content);
  for (const path of DOCUMENTS) writeFileSync(path, withTables(readFileSync(path, 'utf8')));
}
