/** Number of minor versions that kube-proxy may be older than the API server (Kubernetes' version skew policy). */
const MAX_SKEW = 3;

/** Whether Kubernetes supports a kube-proxy with a control plane: it is not newer, and not too old. */
export function isSkewSupported(kubeProxy: string, controlPlane: string): boolean {
  const skew = parseMinor(controlPlane) - parseMinor(kubeProxy);
  return skew >= 0 && skew <= MAX_SKEW;
}

/** Returns the minor of a version `v1.MINOR.PATCH`, also with a suffix like `+k3s1`. @throws an error for any other text */
export function parseMinor(version: string): number {
  const minor = /^v1\.(\d+)\.\d+/.exec(version)?.[1];
  if (minor === undefined) throw new Error(`invalid version "${version}": want v1.MINOR.PATCH, like v1.29.15`);
  return Number(minor);
}
