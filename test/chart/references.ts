import type { KubernetesObject } from './helm.ts';

// What is rendered has no types here: each function reads the fields of the kinds it knows.
// oxlint-disable typescript/no-explicit-any

interface Workload {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly spec: any;
  readonly claims: readonly string[];
}

/**
 * What objects refer to although it is neither rendered nor named anywhere in the values (`given`): Secrets and their
 * keys, ConfigMaps, Services, ports, volumes, accounts, and labels that no pod has.
 */
export function dangling(objects: readonly KubernetesObject[], given: object): string[] {
  const world = new World(objects, new Set(textsOf(given)));
  for (const object of objects) {
    for (const check of CHECKS[object.kind] ?? []) check(object, world);
  }
  for (const workload of world.workloads) checkPod(workload, world);
  return world.faults;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

class World {
  readonly faults: string[] = [];
  readonly workloads: readonly Workload[];
  readonly #objects: readonly KubernetesObject[];
  readonly #given: ReadonlySet<string>;

  constructor(objects: readonly KubernetesObject[], given: ReadonlySet<string>) {
    this.#objects = objects;
    this.#given = given;
    this.workloads = objects.flatMap(workloadOf);
  }

  /** The object; undefined where it is given and not rendered. */
  need(from: string, kind: string, name: string): KubernetesObject | undefined {
    const found = this.#objects.find((object) => object.kind === kind && object.metadata.name === name);
    if (found === undefined && !this.#given.has(name)) this.faults.push(`${from}: no ${kind} ${name}`);
    return found;
  }

  key(from: string, kind: string, { name, key }: { name: string; key: string }): void {
    const found = this.need(from, kind, name);
    if (found === undefined || key in { ...found['data'], ...found['stringData'] }) return;
    this.faults.push(`${from}: no ${key} in ${kind} ${name}`);
  }

  pods(from: string, labels: Record<string, string>): readonly Workload[] {
    const found = this.workloads.filter((workload) => matches(workload.labels, labels));
    if (found.length === 0) this.faults.push(`${from}: no pod has ${JSON.stringify(labels)}`);
    return found;
  }

  /** Pods are found by the labels, and have the port that is meant by its name. */
  podsWithPort(from: string, labels: Record<string, string>, port: string | number): void {
    for (const { name, spec } of this.pods(from, labels)) {
      const ports = portsOf(spec).flatMap((one) => [one.name, one.containerPort]);
      if (!ports.includes(port)) this.faults.push(`${from}: no port ${port} in ${name}`);
    }
  }

  servicePort(from: string, service: string, port: string | number): void {
    const found = this.need(from, 'Service', service);
    const ports: any[] = found?.['spec'].ports ?? [];
    if (ports.some((one) => one.name === port || one.port === port)) return;
    this.faults.push(`${from}: no port ${port} of Service ${service}`);
  }

  services(from: string, labels: Record<string, string>): readonly KubernetesObject[] {
    const found = this.#objects.filter(
      (object) => object.kind === 'Service' && matches(object.metadata.labels ?? {}, labels),
    );
    if (found.length === 0) this.faults.push(`${from}: no Service has ${JSON.stringify(labels)}`);
    return found;
  }
}

function matches(labels: Readonly<Record<string, string>>, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function workloadOf(object: KubernetesObject): Workload[] {
  const { kind, metadata } = object;
  if (kind === 'Pod')
    return [{ name: metadata.name, labels: metadata.labels ?? {}, spec: object['spec'], claims: [] }];
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return [];
  const { template, replicas, volumeClaimTemplates = [] } = object['spec'];
  const claims: string[] = volumeClaimTemplates.map((one: any) => one.metadata.name);
  const whole = { name: metadata.name, labels: template.metadata.labels, spec: template.spec, claims };
  if (kind === 'Deployment') return [whole];
  // Kubernetes itself puts this label on the pods of a StatefulSet.
  return Array.from({ length: replicas }, (_, ordinal) => ({
    ...whole,
    labels: { ...whole.labels, 'statefulset.kubernetes.io/pod-name': `${metadata.name}-${ordinal}` },
  }));
}

function portsOf(spec: any): any[] {
  return spec.containers.flatMap((container: any) => container.ports ?? []);
}

function checkPod({ name, spec, labels, claims }: Workload, world: World): void {
  if (spec.serviceAccountName && spec.serviceAccountName !== 'default')
    world.need(name, 'ServiceAccount', spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) world.need(name, 'Secret', secret.name);
  for (const volume of spec.volumes ?? []) {
    if (volume.configMap) world.need(name, 'ConfigMap', volume.configMap.name);
    if (volume.secret) world.need(name, 'Secret', volume.secret.secretName);
  }
  for (const { labelSelector } of spec.topologySpreadConstraints ?? []) {
    if (labelSelector !== undefined && !matches(labels, labelSelector.matchLabels))
      world.faults.push(`${name}: is spread over others`);
  }
  const volumes = new Set([...claims, ...(spec.volumes ?? []).map((volume: any) => volume.name)]);
  for (const container of spec.containers) checkContainer(name, container, volumes, world);
}

function checkContainer(pod: string, container: any, volumes: ReadonlySet<string>, world: World): void {
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) world.need(pod, 'ConfigMap', configMapRef.name);
    if (secretRef) world.need(pod, 'Secret', secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.secretKeyRef) world.key(pod, 'Secret', valueFrom.secretKeyRef);
    if (valueFrom?.configMapKeyRef) world.key(pod, 'ConfigMap', valueFrom.configMapKeyRef);
  }
  for (const mount of container.volumeMounts ?? []) {
    if (!volumes.has(mount.name)) world.faults.push(`${pod}: no volume ${mount.name}`);
  }
  const ports = new Set((container.ports ?? []).map((port: any) => port.name));
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const port = container[probe]?.httpGet?.port;
    if (port !== undefined && !ports.has(port)) world.faults.push(`${pod}: ${probe} has no port ${port}`);
  }
}

type Check = (object: KubernetesObject, world: World) => void;

const CHECKS: Readonly<Record<string, readonly Check[]>> = {
  Service: [
    ({ metadata, spec }, world) => {
      for (const port of spec.ports) world.podsWithPort(metadata.name, spec.selector, port.targetPort);
    },
  ],
  StatefulSet: [({ metadata, spec }, world) => void world.need(metadata.name, 'Service', spec.serviceName)],
  Ingress: [checkIngress],
  HTTPRoute: [
    ({ spec }, world) => {
      const backends = spec.rules.flatMap((rule: any) => rule.backendRefs);
      for (const { name, port } of backends) world.servicePort('HTTPRoute', name, port);
    },
  ],
  HorizontalPodAutoscaler: [
    ({ spec }, world) => void world.need('HPA', spec.scaleTargetRef.kind, spec.scaleTargetRef.name),
  ],
  ScaledObject: [
    ({ spec }, world) => {
      world.need('ScaledObject', 'Deployment', spec.scaleTargetRef.name);
      for (const { authenticationRef } of spec.triggers)
        if (authenticationRef) world.need('ScaledObject', 'TriggerAuthentication', authenticationRef.name);
    },
  ],
  PodDisruptionBudget: [({ spec }, world) => void world.pods('PDB', spec.selector.matchLabels)],
  NetworkPolicy: [checkPolicy],
  ServiceMonitor: [
    ({ spec }, world) => {
      for (const { metadata } of world.services('ServiceMonitor', spec.selector.matchLabels))
        for (const { port } of spec.endpoints) world.servicePort('ServiceMonitor', metadata.name, port);
    },
  ],
  PodMonitor: [
    ({ spec }, world) => {
      for (const { port } of spec.podMetricsEndpoints)
        world.podsWithPort('PodMonitor', spec.selector.matchLabels, port);
    },
  ],
};

function checkIngress({ spec }: KubernetesObject, world: World): void {
  const paths = spec.rules.flatMap((rule: any) => rule.http.paths);
  for (const { backend } of paths)
    world.servicePort('Ingress', backend.service.name, backend.service.port.name);
  for (const { secretName } of spec.tls ?? []) world.need('Ingress', 'Secret', secretName);
}

function checkPolicy({ metadata, spec }: KubernetesObject, world: World): void {
  const from = `NetworkPolicy ${metadata.name}`;
  world.pods(from, spec.podSelector.matchLabels);
  for (const { ports } of spec.ingress)
    for (const { port } of ports) world.podsWithPort(from, spec.podSelector.matchLabels, port);
  for (const { to = [], ports = [] } of spec.egress) {
    for (const peer of to.filter((one: any) => one.podSelector && !one.namespaceSelector))
      for (const { port } of ports) world.podsWithPort(from, peer.podSelector.matchLabels, port);
  }
  for (const peer of spec.ingress.flatMap((rule: any) => rule.from ?? []))
    if (peer.podSelector && !peer.namespaceSelector) world.pods(from, peer.podSelector.matchLabels);
}
