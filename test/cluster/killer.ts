import { get, kubectl, kubectlWith, type KubernetesObject, NAMESPACE, RELEASE } from './cluster.ts';

/**
 * What kills from outside: no process can send SIGKILL to the first one of its own container. It sees all processes of
 * the node; of those in the container, which its control group tells, it finds the one that is number 1 there.
 */
const KILL = `
const { readdirSync, readFileSync } = require('node:fs');
const [id] = process.argv.slice(-1);
const read = (pid, file) => { try { return readFileSync('/proc/' + pid + '/' + file, 'utf8'); } catch { return ''; } };
const isFirst = (pid) => /^NSpid:.*\\s1$/m.test(read(pid, 'status'));
const found = readdirSync('/proc').filter((pid) => read(pid, 'cgroup').includes(id) && isFirst(pid));
if (found.length !== 1) throw new Error('found ' + found.length);
process.kill(Number(found[0]), 'SIGKILL');
`;

/** SIGKILL to the first process of the container, and to no other. */
export async function killContainer(pod: string, container: string): Promise<void> {
  const { spec, status } = await get(`pod/${pod}`);
  const { containerID } = status.containerStatuses.find(({ name }: KubernetesObject) => name === container);
  const gateway = await get(`deployment/${RELEASE}`);
  const [{ image }] = gateway.spec.template.spec.containers;
  await kubectl('delete', 'pod/killer', '--ignore-not-found');
  await kubectlWith(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'killer', namespace: NAMESPACE },
      spec: {
        nodeName: spec.nodeName,
        hostPID: true,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'killer',
            image,
            command: ['node', '--eval', KILL, containerID.split('//')[1]],
            securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false },
          },
        ],
      },
    },
    'create',
    '--filename',
    '-',
  );
  try {
    await kubectl('wait', 'pod/killer', '--for', 'jsonpath={.status.phase}=Succeeded', '--timeout', '30s');
  } catch (cause) {
    throw new Error(await kubectl('logs', 'pod/killer'), { cause });
  } finally {
    await kubectl('delete', 'pod/killer');
  }
}
