import { Counter, Gauge, Trend } from 'k6/metrics';

// Metrics can be made only while a script loads, so all of them are here; a script prints those that it has.

export const published = new Counter('published');
export const received = new Counter('received');
export const lost = new Counter('lost');
export const repeated = new Counter('repeated');
export const disordered = new Counter('disordered');
export const unacked = new Counter('unacked');
/** Memberships that could not be brought up to date by the history. */
export const unrecovered = new Counter('unrecovered');
/** Error frames. */
export const errors = new Counter('errors');
/** Who had not joined when the others began to publish, or gave up. */
export const late = new Counter('late');
/** One up when a virtual user begins, one down when it has told its account: who was interrupted is left over. */
export const unaccounted = new Counter('unaccounted');
/** Virtual users, or iterations, that have told their account. */
export const accounted = new Counter('accounted');
/** Virtual users on each pod: tag `pod`, its place in the order of names. */
export const onPod = new Counter('on_pod');

export const publishToReceive = new Trend('publish_to_receive_ms');
export const publishToAck = new Trend('publish_to_ack_ms');
export const connectToJoined = new Trend('connect_to_joined_ms');

export const reconnects = new Counter('reconnects');
/** From the end of a connection to `joined` on the next one. */
export const reconnected = new Trend('reconnected_ms');
/** When, in seconds since the scripts began to publish. */
export const reconnectedAt = new Trend('reconnected_at_s');

export const presence = new Trend('presence_ms');
/** Words of others that were heard. */
export const presenceTold = new Counter('presence_told');
export const presenceWrong = new Counter('presence_wrong');

export const opened = new Counter('opened');
export const refused = new Counter('refused');
/** Refusals without `Retry-After`, or with another status than 503 and 429. */
export const refusedWrongly = new Counter('refused_wrongly');
export const bytesPerConnection = new Gauge('bytes_per_connection');

export const memorySlope = new Gauge('memory_slope_mb_per_hour');
export const latencySlope = new Gauge('latency_slope_ms_per_hour');
