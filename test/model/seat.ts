import { type Frame, part } from '../support/client.ts';
import { type Row, View } from './view.ts';
import { ResumePoint } from '../../src/client/resume-point.ts';
import type { Joined, Message } from '../../src/client/wire.ts';
import type { Moment, Story } from './story.ts';

interface At extends Moment {
  /** Number of the connection. */
  readonly line: number;
  readonly pod: string;
}

/** A message as it was received. */
export interface Sighting extends At {
  readonly kind: 'message';
  readonly id: string;
  readonly token: string;
  readonly provisional: boolean;
  readonly ephemeral: boolean;
  readonly provisionalId: string | undefined;
}

export interface JoinedEntry extends At {
  readonly kind: 'joined';
  /** The `last_id` it was asked with. */
  readonly after: string | undefined;
  readonly position: string;
  readonly recovered: boolean | undefined;
  readonly reason: string | undefined;
}

export interface RecoveredEntry extends At {
  readonly kind: 'recovered';
  readonly recovered: boolean;
  readonly reason: string | undefined;
}

/** `forgot`: the client begins as somebody who was never there. */
export type Entry =
  | Sighting
  | JoinedEntry
  | RecoveredEntry
  | (At & { readonly kind: 'left' | 'cut' | 'forgot' });

/** What a client was told of somebody's presence. */
export interface PresenceEntry extends At, Row {}

/** One client's place in one room, over all its connections: what it was told there, in order. */
export class Seat {
  readonly actor: string;
  readonly user: string;
  readonly room: string;
  readonly entries: Entry[] = [];
  readonly presence: PresenceEntry[] = [];
  /** From when on it is present without a change; undefined: it is not, or is about to change. Oldest first. */
  readonly presentSince: { readonly ms: number; readonly pod: string | undefined }[] = [];
  state: 'out' | 'joining' | 'in' | 'leaving' = 'out';
  /** It is to be a member, whatever happens to its connection. */
  wanted = false;
  /** It said that it is offline. */
  hidden = false;
  /** What it has had, and so what the next `last_id` is. */
  readonly resume = new ResumePoint();
  /** What it said of itself at the end, if anything. */
  final: { status: string; meta: Record<string, unknown> } | undefined;
  /** Who is present, as far as this connection was told. */
  view = new View();
  /** The `last_id` of the join that is under way. */
  asked: string | undefined;
  readonly #story: Story;

  /** What the next `last_id` is; a place in a room that could not be read is none. */
  get position(): string | undefined {
    return this.resume.position === '' ? undefined : this.resume.position;
  }

  constructor(actor: string, user: string, room: string, story: Story) {
    this.actor = actor;
    this.user = user;
    this.room = room;
    this.#story = story;
  }

  /** A connection of this client got a frame about the room. */
  take(frame: Frame, line: number, pod: string): void {
    const at: At = { ...this.#story.now(), line, pod };
    if (frame['type'] === 'chat') this.#takeMessage(frame, at);
    else if (frame['type'] === 'presence') this.#takePresence(part(frame, 'data') as unknown as Row, at);
    else if (frame['event'] === 'joined') this.#takeJoined(frame, at);
    else if (frame['event'] === 'recovered') this.#takeRecovered(frame, at);
    else if (frame['event'] === 'members') this.view.replaced(part(frame, 'data')['members']);
    else if (frame['event'] === 'left') {
      this.entries.push({ kind: 'left', ...at });
      this.state = 'out';
    }
  }

  /** Its connection is gone. */
  cut(line: number, pod: string): void {
    if (this.state === 'out') return;
    this.entries.push({ kind: 'cut', ...this.#story.now(), line, pod });
    this.state = 'out';
    this.present(undefined);
  }

  /** What it had does not count any more. */
  forget(line: number, pod: string): void {
    this.resume.clear();
    this.entries.push({ kind: 'forgot', ...this.#story.now(), line, pod });
  }

  /** Its user is present through it from now on, on this pod; or not, or not for sure. */
  present(pod: string | undefined): void {
    this.presentSince.push({ ms: this.#story.now().ms, pod });
  }

  #takePresence(row: Row, at: At): void {
    this.view.changed(row);
    this.presence.push({ ...at, ...row });
  }

  #takeMessage(frame: Frame, at: At): void {
    const { provisional, ephemeral, provisional_id: provisionalId } = frame as unknown as Message;
    this.resume.received(frame as unknown as Message);
    this.entries.push({
      kind: 'message',
      ...at,
      id: String(frame['id']),
      token: String(part(frame, 'data')['token']),
      provisional: provisional === true,
      ephemeral: ephemeral === true,
      provisionalId,
    });
  }

  #takeJoined(frame: Frame, at: At): void {
    const data = part(frame, 'data');
    const joined = data as unknown as Joined;
    const { position = '', recovered, reason } = joined;
    this.resume.joined(joined);
    this.view = new View();
    this.view.replaced(data['members']);
    this.hidden = false;
    this.state = 'in';
    this.present(at.pod);
    this.entries.push({ kind: 'joined', ...at, after: this.asked, position, recovered, reason });
  }

  #takeRecovered(frame: Frame, at: At): void {
    const { recovered, reason } = part(frame, 'data') as unknown as RecoveredEntry;
    this.entries.push({ kind: 'recovered', ...at, recovered, reason });
  }
}
