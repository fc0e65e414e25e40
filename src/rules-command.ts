import { ConfigError, loadConfig } from './config.ts';
import { loadRules, type LoadedRules, RulesError, rulesIn } from './rules/load-rules.ts';
import { existsSync } from 'node:fs';
import { readRulesStream } from './rules/rules-text.ts';
import type { RulesContext } from './rules/setting-faults.ts';
import { rulesContext } from './rules-context.ts';

const STDIN = 'standard input';

const USAGE = `usage: crosspod rules check FILE

Checks a file of rules for rooms with the settings in the environment, as a pod with ROOMS_FILE=FILE does at its start.
It exits with 1 if the file has a fault. With - as FILE it reads standard input.
`;

/** Runs the command and resolves with the exit code: 0 if the file can be used, else 1. */
async function run([group, verb, path, ...more]: readonly string[]): Promise<0 | 1> {
  if (group !== 'rules' || verb !== 'check' || path === undefined || more.length > 0) {
    process.stderr.write(USAGE);
    return 1;
  }
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    // The file to check is the one that the command names.
    const config = loadConfig({ ...process.env, ROOMS_FILE: undefined });
    const { rules, warnings } = await load(path, rulesContext(config));
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    const name = path === '-' ? STDIN : path;
    process.stdout.write(`${name}: ${rules.length === 1 ? '1 rule' : `${rules.length} rules`}, no fault\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof RulesError)) throw error;
    process.stderr.write(`${error.problems.join('\n')}\n`);
    return 1;
  }
}

async function load(path: string, context: RulesContext): Promise<LoadedRules> {
  return path === '-'
    ? rulesIn(await readRulesStream(process.stdin), STDIN, context)
    : loadRules(path, context);
}

process.exitCode = await run(process.argv.slice(2));
