import type { Certificate } from "../../results/certificate/schema.ts";

/**
 * Renders a certificate as text.
 * @param keyids fingerprints of the keys that signed it
 */
export function renderCertificate(certificate: Certificate, keyids: readonly string[]): string {
  const {
    product,
    suite,
    provider,
    evidence,
    datapath,
    versions,
    workers,
    families,
    runs,
    variants,
    profiles,
    result,
  } = certificate;
  return [
    `${product.vendor} ${product.name} ${product.version}: ${result}`,
    `${runs.length} runs by Interlay ${suite} on ${provider}, ${workers} workers, evidence: ${evidence}${datapath === undefined ? "" : `, datapath ${datapath}`}, ${families.join(" and ")}; ${Object.entries(
      versions,
    )
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
    ...variants.map(
      ({ kubeProxy, returnPath, cells, blocked, failed, flaky }) =>
        `  kube-proxy ${kubeProxy.version} (${kubeProxy.mode}), ${returnPath}: ${cells} cells, ${blocked.length} blocked as expected, ${failed.length} failed, ${flaky.length} flaky`,
    ),
    ...profiles.map(
      (profile) =>
        `  ${profile.result.padEnd(8)}${profile.name}${profile.claimed ? "" : " (not claimed)"}: ${profile.reason}`,
    ),
    keyids.length === 0 ? "not signed" : `signed with ${keyids.join(", ")}`,
  ].join("\n");
}
