/**
 * Whether a peer's address is a loopback address. In Kubernetes, `kubectl exec` and `kubectl port-forward` come from
 * there; other pods and nodes do not. An unknown address is not.
 */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/i.test(address);
}
