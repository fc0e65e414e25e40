import { Redis } from 'ioredis';

/** Carries texts between servers, if there is more than one; every text comes back to its sender as well. */
export interface Bus {
  publish(room: string, text: string): void;
  subscribe(room: string): void;
}

/** Redis's publish and subscribe where REDIS_URL says so, else nothing between. */
export function connectBus(deliver: (room: string, text: string) => void): Bus {
  const url = process.env['REDIS_URL'];
  if (url === undefined) return { publish: deliver, subscribe: () => undefined };
  const publisher = new Redis(url);
  const subscriber = new Redis(url);
  subscriber.on('message', deliver);
  return {
    publish: (room, text) => void publisher.publish(room, text),
    subscribe: (room) => void subscriber.subscribe(room),
  };
}
