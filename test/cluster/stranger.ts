import { kubectl, kubectlWith, NAMESPACE } from './cluster.ts';
import { image } from './release.ts';

/** A pod that has nothing to do with the release, has Node.js, and listens on port 8080. */
export const STRANGER = 'stranger';

/** Puts it there, anew. */
export async function invite(): Promise<void> {
  await leave();
  const listen = "require('node:http').createServer((_, answer) => answer.end()).listen(8080)";
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
  const command = ['node', '--eval', listen];
  const container = { name: STRANGER, image: image(), command, readinessProbe };
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [container],
  };
  const metadata = { name: STRANGER, namespace: NAMESPACE };
  await kubectlWith({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, 'create', '--filename', '-');
  await kubectl('wait', `pod/${STRANGER}`, '--for=condition=Ready', '--timeout=3m');
}

/** Takes it away, if it is there. */
export async function leave(): Promise<void> {
  await kubectl('delete', `pod/${STRANGER}`, '--ignore-not-found');
}
