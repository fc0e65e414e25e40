/**
 * Whether the address of a socket's other end is this machine's own, which in Kubernetes is this pod's: `kubectl exec`
 * and `kubectl port-forward` come from there, other pods and nodes do not. Unknown: no.
 */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/i.test(address);
}
