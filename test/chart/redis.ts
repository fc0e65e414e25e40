import { find, type KubernetesObject, render } from './helm.ts';

/** The name of all objects of Redis, in the release and the namespace of `render`. */
export const NAME = 'r-crosspod-redis';

/** All that the chart renders with these values of `redis`, and others beside it. */
export function renderRedis(redis: object = {}, others: object = {}): Promise<KubernetesObject[]> {
  return render(valuesOf(redis, others));
}

/** Values with these of `redis`. */
export function valuesOf(redis: object = {}, others: object = {}): object {
  return { ...others, redis: { enabled: true, ...redis } };
}

/** The ConfigMap's files by their names, as they are mounted into the pods. */
export function filesOf(objects: readonly KubernetesObject[]): Record<string, string> {
  return find(objects, 'ConfigMap', NAME)['data'] as Record<string, string>;
}
