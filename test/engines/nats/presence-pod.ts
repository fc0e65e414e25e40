import type { NatsSubject, PodOptions } from './subject.ts';
import type { Occupant, PresenceChange } from '../../../src/core/ports/presence-store.ts';
import type { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { NatsPresence } from '../../../src/engines/nats/presence.ts';
import { vi } from 'vitest';

/** A pod's presence store and the events that it gave. */
export class PresencePod {
  readonly backbone: NatsBackbone;
  readonly store: NatsPresence;
  /** As `alice joins r (1)`, in order. */
  readonly told: string[] = [];
  readonly caused: string[] = [];
  uncertain = 0;

  constructor(backbone: NatsBackbone) {
    this.backbone = backbone;
    this.store = new NatsPresence({ backbone, isSubscribed: () => true });
  }

  async start(): Promise<void> {
    await this.store.start({
      changed: (room, change) => void this.told.push(sentence(room, change)),
      caused: (room, change) => void this.caused.push(sentence(room, change)),
      uncertain: () => void (this.uncertain += 1),
    });
    await this.backbone.start();
  }

  /** User ids, sorted; what was raised instead. */
  async users(room = 'r'): Promise<string[] | string> {
    try {
      const { members, count } = await this.store.list(room, 1_000_000);
      if (members.length !== count) return `${members.length} of ${count}`;
      return members.map(({ userId }) => userId).toSorted();
    } catch (error) {
      return String(error);
    }
  }
}

export async function openPod(nats: NatsSubject, options: PodOptions = {}): Promise<PresencePod> {
  const pod = new PresencePod(nats.backbone(options));
  await pod.start();
  await nats.settled(pod.backbone);
  // From now on it announces changes.
  await vi.waitFor(() => pod.store.list('r', 0), { timeout: 20_000 });
  return pod;
}

export function who(userId: string, connectionId = `${userId}-1`): Occupant {
  return { userId, connectionId };
}

function sentence(room: string, { kind, member, count }: PresenceChange): string {
  return `${member.userId} ${kind} ${room} ${count}`;
}
