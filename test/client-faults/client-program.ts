// A client in a process of its own, so that it can be frozen: it talks in a room until SIGUSR2 and prints its notes,
// one JSON object a line. Arguments: the URL of the pod, its name, the room.
import type { Note } from './notes.ts';
import { Person } from './person.ts';

const EVERY_MS = 250;
const MOST_WAITING = 50;

class PrintingPerson extends Person {
  override take(note: Note): void {
    super.take(note);
    print(note);
  }
}

/** What the last line is, after its last word. */
export interface Stopped {
  readonly stopped: true;
}

function print(note: Note | Stopped): void {
  process.stdout.write(`${JSON.stringify(note)}\n`);
}

const [url = '', name = '', room = ''] = process.argv.slice(2);
const person = new PrintingPerson(name, url, { room });
await person.room.join();
const timer = setInterval(() => {
  if (person.waiting < MOST_WAITING) void person.say();
}, EVERY_MS);
process.once('SIGUSR2', () => {
  clearInterval(timer);
  print({ stopped: true });
});
