import exec from 'k6/execution';
import http, { type CookieJar, type RefinedParams, type RefinedResponse } from 'k6/http';

import { valueOf } from './metrics-text.ts';
import type { Settings } from './settings.ts';

const DISCOVERY_REQUESTS = { least: 10, most: 60 };

/** No status is taken for a failure: whoever asks looks at it. */
const ANY_STATUS = http.expectedStatuses({ min: 100, max: 599 });

type Answer = RefinedResponse<'text'>;

export const ASK: RefinedParams<'text'> = {
  responseType: 'text',
  responseCallback: ANY_STATUS,
  timeout: '5s',
  redirects: 0,
};

function statsUrl({ baseUrl, wsPath }: Settings): string {
  return `${baseUrl}${wsPath}/stats`;
}

/** How the pod that answered is told from the others; undefined where none did. */
function nameOf(answer: Answer, settings: Settings, jar: CookieJar): string | undefined {
  if (answer.status !== 200) return undefined;
  const { pod } = JSON.parse(answer.body) as { pod: string };
  const { stickyCookie } = settings;
  if (stickyCookie === undefined) return pod;
  return `${pod} ${jar.cookiesForURL(settings.baseUrl)[stickyCookie]?.[0] ?? ''}`;
}

/** Which pod the cookies of this jar lead to; the first time, the jar gets them. */
export async function askPod(settings: Settings, jar: CookieJar): Promise<string | undefined> {
  const params = { ...ASK, jar, tags: { name: 'stats' } };
  return nameOf(await http.asyncRequest('GET', statsUrl(settings), null, params), settings, jar);
}

/** The pods that were found, in the order of their names: asked as strangers, until there are enough. */
export function discover(settings: Settings): string[] {
  const names = new Set<string>();
  let status = 0;
  const { least, most } = DISCOVERY_REQUESTS;
  for (let asked = 0; asked < least || (asked < most && names.size < settings.minPods); asked += 1) {
    const jar = new http.CookieJar();
    const answer = http.get(statsUrl(settings), { ...ASK, jar, tags: { name: 'stats' } });
    status = answer.status;
    const name = nameOf(answer, settings, jar);
    if (name !== undefined) names.add(name);
  }
  if (names.size < settings.minPods) {
    exec.test.abort(
      `GET ${statsUrl(settings)} was answered by ${names.size} pods, and MIN_PODS is ${settings.minPods} ` +
        `(last status: ${status}). Pods on one machine have one name: STICKY_COOKIE tells them apart.`,
    );
  }
  return [...names].sort();
}

/** What the pods of OPS_URLS have together; undefined where one of them does not say. */
export function totals({ opsUrls }: Settings): { bytes: number; connections: number } | undefined {
  let [bytes, connections] = [0, 0];
  if (opsUrls.length === 0) return undefined;
  for (const opsUrl of opsUrls) {
    const { body } = http.get(`${opsUrl}/metrics`, { ...ASK, tags: { name: 'metrics' } });
    const text = body ?? '';
    bytes += valueOf(text, 'process_resident_memory_bytes') ?? Number.NaN;
    connections += valueOf(text, 'realtime_connections_total') ?? Number.NaN;
  }
  return Number.isNaN(bytes + connections) ? undefined : { bytes, connections };
}
