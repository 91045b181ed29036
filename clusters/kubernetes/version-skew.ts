/** Kubernetes' version skew policy: kube-proxy is never newer than the API server, and at most three minors older. */
const MOST_BEHIND = 3;

export function isSkewSupported(kubeProxy: string, controlPlane: string): boolean {
  const behind = parseMinor(controlPlane) - parseMinor(kubeProxy);
  return behind >= 0 && behind <= MOST_BEHIND;
}

/** Throws on what is no `v1.MINOR.PATCH`. */
export function parseMinor(version: string): number {
  const minor = /^v1\.(\d+)\.\d+$/.exec(version)?.[1];
  if (minor === undefined) throw new Error(`"${version}" is no version: write v1.29.15.`);
  return Number(minor);
}
