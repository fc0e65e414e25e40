import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENT_REFERENCE, referenceFingerprint, referenceHeader } from './client-reference.ts';

/** An npm package of its own, because TypeDoc needs an older TypeScript than the repository's. */
const FOLDER = join(import.meta.dirname, 'client-docs');

const INTRODUCTION = `# API reference of crosspod-client

The [client's README](../../src/client/README.md) explains the client by task. This page lists all that the package exports.
`;

/** Sections that repeat what the signature above them says. */
const REPETITION = /^#+ (?:Parameters|Type Parameters|Returns|Overrides|Extends)\n\n(?:(?!#|\*\*\*).*\n)*/gm;

function generate(): string {
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-fund'], { cwd: FOLDER, stdio: 'inherit' });
  const output = mkdtempSync(join(tmpdir(), 'crosspod-client-docs-'));
  try {
    const typedoc = ['node_modules/typedoc/bin/typedoc', '--out', output];
    execFileSync(process.execPath, typedoc, { cwd: FOLDER, stdio: 'inherit' });
    return readFileSync(join(output, 'README.md'), 'utf8');
  } finally {
    rmSync(output, { recursive: true });
  }
}

/** Leaves out what the reader of the Markdown does not need: repetitions, and anchors without a link to them. */
function readable(markdown: string): string {
  return markdown
    .replace(/^# .*\n/, INTRODUCTION)
    .replaceAll('\r', '')
    .replaceAll(REPETITION, '')
    .replaceAll(/^#+ Get Signature\n\n/gm, '')
    .replaceAll(/<a id="[^"]*"><\/a> /g, '')
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n');
}

const text = readable(generate());
writeFileSync(CLIENT_REFERENCE, referenceHeader(referenceFingerprint(text)) + text);
