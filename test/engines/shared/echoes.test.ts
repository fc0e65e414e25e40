import { beforeEach, expect, test } from 'vitest';
import { Echoes } from '../../../src/engines/shared/echoes.ts';
import { TestClock } from '../../support/test-clock.ts';

let clock: TestClock;
let timers: number;
let echoes: Echoes<string>;
let told: [name: string, heard: string | undefined][];

beforeEach(() => {
  clock = new TestClock();
  timers = 0;
  told = [];
  echoes = new Echoes({
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after(ms, task) {
      timers += 1;
      return clock.after(ms, task);
    },
  });
});

function wait(name: string): void {
  echoes.expect(name);
  echoes.whenHeard(name, (heard) => told.push([name, heard]));
}

test('what came back is told once, also if it came back before it was waited for', () => {
  echoes.expect('early');
  echoes.heard('early', '1');
  echoes.whenHeard('early', (heard) => told.push(['early', heard]));
  wait('late');
  echoes.heard('late', '2');
  echoes.heard('late', '3');
  echoes.heard('of another pod', '4');
  clock.advance(5_000);
  expect(told).toEqual([
    ['early', '1'],
    ['late', '2'],
  ]);
});

test('what does not come back is given up after exactly a second, each at its own time', () => {
  wait('a');
  clock.advance(300);
  wait('b');
  wait('heard');
  clock.advance(300);
  wait('c');
  echoes.heard('heard', '1');
  told = [];
  clock.advance(399);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([['a', undefined]]);
  clock.advance(300);
  expect(told).toHaveLength(2);
  clock.advance(300);
  expect(told.map(([name]) => name)).toEqual(['a', 'b', 'c']);
});

test('what is given up may be waited for again from within', () => {
  echoes.expect('a');
  echoes.whenHeard('a', () => wait('again'));
  clock.advance(500);
  wait('b');
  clock.advance(500);
  expect(told).toEqual([]);
  clock.advance(500);
  expect(told).toEqual([['b', undefined]]);
  clock.advance(500);
  expect(told.at(-1)).toEqual(['again', undefined]);
});

test('a thousand names in a second need one timer, and no timer is left when none waits', () => {
  for (let n = 0; n < 1_000; n += 1) {
    wait(`n${n}`);
    echoes.heard(`n${n}`, 'here');
  }
  expect(timers).toBe(1);
  clock.advance(60_000);
  expect(timers).toBe(1);
});
