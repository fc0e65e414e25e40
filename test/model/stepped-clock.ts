// Loaded into a pod before it starts (clock.ts): its wall clock is wrong by what a file says. What measures time is not.
import { existsSync, readFileSync } from 'node:fs';

const POLL_MS = 50;
const file = process.env['CLOCK_FILE'] ?? '';
const now = Date.now.bind(Date);
let offset = 0;

function look(): void {
  // Half written, it is looked at again.
  const ms = existsSync(file) ? Number(readFileSync(file, 'utf8') || Number.NaN) : 0;
  if (!Number.isNaN(ms)) offset = ms;
}

Date.now = () => now() + offset;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget) as Date,
});
look();
setInterval(look, POLL_MS).unref();
