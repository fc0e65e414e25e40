import { Hono } from 'hono';
import type { Pod } from '../core/pod.ts';

/** What the WebSocket paths answer to plain HTTP: statistics at `PATH/stats`, else 426 (RFC 9110 section 15.5.22). */
export function sockets(pod: Pod, paths: readonly string[]): Hono {
  const app = new Hono();
  for (const path of paths.toSorted((a, b) => b.length - a.length)) {
    app.get(`${path}/stats`, (c) =>
      c.json({
        pod: pod.name,
        connections: pod.hub.connectionCount,
        rooms: pod.hub.roomCount,
        uptime_seconds: Math.floor((pod.clock.now() - pod.startedAt) / 1000),
      }),
    );
    for (const route of [path, `${path}/*`]) {
      app.all(route, (c) =>
        c.json({ error: 'this is a WebSocket address', code: 'upgrade_required' }, 426, {
          Upgrade: 'websocket',
        }),
      );
    }
  }
  return app;
}
