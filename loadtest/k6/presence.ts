import exec from 'k6/execution';
import { clearInterval, setInterval, setTimeout } from 'k6/timers';
import { Client, ownJar } from './client.ts';
import {
  accounted,
  connectToJoined,
  errors,
  late,
  presence,
  presenceTold,
  presenceWrong,
  unaccounted,
} from './figures.ts';
import { judge } from './judged.ts';
import { optionsFor, type Thresholds } from './options.ts';
import { arrivalOf, membersOf, messagesOf, type Plan, planOf, roomOf, secondsOf, userOf } from './plan.ts';
import { readSettings } from './settings.ts';
import { summaryOf } from './summary.ts';
import { View } from './view.ts';

const settings = readSettings(__ENV, { RATE: '0.5', DURATION: '20s', SETTLE: '20s' });
const { vus, rooms, settle, token } = settings;

/** As PRESENCE_EVENTS_LIMIT has it: above that nobody is told who comes and goes. */
const LARGEST_ROOM = 500;
if (vus / rooms > LARGEST_ROOM)
  throw new Error(`more than ${LARGEST_ROOM} members a room: more ROOMS, fewer VUS`);
if (token !== undefined) throw new Error('with TOKEN all would be one user: give JWT_SECRET');

const thresholds: Thresholds = {
  presence_ms: [`p(95)<${settings.latencyMs}`],
  // Whoever is alone in a room hears of nobody.
  ...(vus > rooms ? { presence_told: ['count>0'] } : {}),
  presence_wrong: ['count==0'],
  errors: ['count==0'],
  late: ['count==0'],
  unaccounted: ['count==0'],
  accounted: ['count>0'],
};

export const options = optionsFor(settings, { seconds: secondsOf(settings), thresholds });

export function setup(): Plan {
  judge(thresholds);
  return planOf(settings);
}

/**
 * Everybody says how it is, again and again; in the end everybody must know the last word of everybody. Then every
 * other member leaves, and those who stay must know who.
 */
export default function tell(plan: Plan): void {
  unaccounted.add(1);
  const index = exec.scenario.iterationInTest;
  const room = roomOf(index, settings, plan);
  const members = membersOf(index, settings);
  const others = members.filter((one) => one !== index);
  const stays = (one: number): boolean => members.indexOf(one) % 2 === 0;
  const view = new View((at) => {
    presence.add(Date.now() - at);
    presenceTold.add(1);
  });
  let hasJoined = false;
  const openAt = arrivalOf(settings, plan);
  const client = new Client({
    settings,
    user: userOf(index, plan),
    jar: ownJar(),
    watcher: {
      onPresence: (frame) => view.apply(frame),
      onJoined(frame) {
        hasJoined = true;
        view.apply(frame);
        connectToJoined.add(Date.now() - openAt);
        late.add(Date.now() > plan.publishFrom ? 1 : 0);
      },
      onError: (frame) => errors.add(1, { code: frame.data?.code ?? '' }),
      onGivenUp: () => late.add(1),
    },
  });
  client.join(room);
  const at = (time: number, act: () => void): void => void setTimeout(act, Math.max(0, time - Date.now()));
  at(openAt, () => client.open());
  at(plan.publishFrom, () => speak(client, room));
  at(plan.publishUntil + settle * 250, () => {
    const last = messagesOf(settings);
    const wrong = others.filter((one) => view.numberOf(userOf(one, plan)) !== last);
    presenceWrong.add(wrong.length, { what: 'last word' });
    if (!stays(index)) finish();
  });
  if (stays(index)) {
    at(plan.end, () => {
      const wrong = others.filter((one) => view.has(userOf(one, plan)) !== stays(one));
      presenceWrong.add(wrong.length, { what: 'who is there' });
      finish();
    });
  }
  function finish(): void {
    unaccounted.add(-1);
    // Who never was in the room has nothing to tell.
    if (hasJoined) accounted.add(1);
    else late.add(1);
    client.close();
  }
}

/** Numbers what it says, at the rate of the settings. */
function speak(client: Client, room: string): void {
  let n = 0;
  const saying = setInterval(() => {
    n += 1;
    const status = n % 2 === 0 ? 'online' : 'away';
    client.send({ type: 'presence', room, data: { status, meta: { n, at: Date.now() } } });
    if (n === messagesOf(settings)) clearInterval(saying);
  }, 1_000 / settings.rate);
}

export const handleSummary = summaryOf('presence', settings);
