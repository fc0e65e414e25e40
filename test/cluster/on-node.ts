import { get, kubectl, kubectlWith, NAMESPACE } from './cluster.ts';
import { eventually } from './patience.ts';
import { image } from './release.ts';

const POD = 'on-node';

/**
 * Runs a program for Node.js on a node of the cluster, as root and with all of its processes in sight, to its end, and
 * gives what it wrote. Kubernetes may be away meanwhile. Throws with what it wrote where it fails.
 */
export async function onNode(node: string, program: string, ...args: readonly string[]): Promise<string> {
  await kubectl('delete', `pod/${POD}`, '--ignore-not-found');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: POD, namespace: NAMESPACE },
    spec: {
      nodeName: node,
      hostPID: true,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: POD,
          image: image(),
          command: ['node', '--eval', program, ...args],
          securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false },
        },
      ],
    },
  };
  await kubectlWith(pod, 'create', '--filename', '-');
  const phase = async (): Promise<string> => (await get(`pod/${POD}`)).status.phase;
  try {
    await eventually(`the end of the pod ${POD}`, async () => /Succeeded|Failed/.test(await phase()));
    const output = await kubectl('logs', `pod/${POD}`);
    if ((await phase()) === 'Failed') throw new Error(output);
    return output;
  } finally {
    await kubectl('delete', `pod/${POD}`);
  }
}
