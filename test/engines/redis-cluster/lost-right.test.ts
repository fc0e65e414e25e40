import { clusterAndPods, historyIn, roomOfEach } from './world.ts';
import { degraded, eventually, ready, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { expectEverythingOnce } from '../../faults/judge.ts';
import { Witness } from '../../faults/witness.ts';

test.for([
  ['spublish', 'may not SPUBLISH'],
  ['xadd', 'may not XADD'],
])(
  'one master revokes a right of the pods’ user (%s): only its rooms are unavailable, and the log names the right',
  SLOW,
  async ([command = '', named = '']) => {
    const { cluster, pods } = await clusterAndPods();
    const [here, there] = pods;
    const rooms = await roomOfEach(cluster);
    const speakers: Witness[] = [];
    const listeners: Witness[] = [];
    for (const room of rooms.values()) {
      speakers.push(await Witness.join(here, room, `in-${room}`));
      listeners.push(await Witness.join(there, room, `hears-${room}`));
    }
    const [[master, room] = []] = rooms;
    await master?.command('ACL', 'SETUSER', 'default', `-${command}`);
    for (const one of speakers) one.say();
    // The other pod has no publisher in these rooms.
    await degraded(here);
    for (const one of speakers) one.say();
    await eventually('a line in the log', () =>
      here.output().includes('Redis refuses commands that every pod needs'),
    );
    expect(here.output()).toContain(named);
    for (const [index, listener] of listeners.entries()) {
      if (speakers[index]?.user === `in-${room}`) continue;
      await eventually('what is said in other rooms', () => listener.heard().length === 2);
    }
    await master?.command('ACL', 'SETUSER', 'default', `+${command}`);
    await ready(here, there);
    for (const one of speakers) one.say();
    for (const [index, speaker] of speakers.entries()) {
      const listener = listeners[index];
      if (listener !== undefined) await expectEverythingOnce([speaker, listener], [speaker]);
    }
    if (room !== undefined) expect((await historyIn(cluster, room)).master).toBe(master);
  },
);
