import { type Certificate, EVIDENCE_TEXT } from "../../results/certificate/certificate-schema.ts";
import { type ClusterComponents, formatSuiteVersion } from "../../results/component-schema.ts";
import { variantTitle } from "../../results/title.ts";

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
    components,
    workers,
    families,
    runs,
    variants,
    profiles,
    result,
  } = certificate;
  return [
    `${product.vendor} ${product.name} ${product.version}: ${result}`,
    `${runs.length} ${runs.length === 1 ? "run" : "runs"} on ${provider}, ${workers} workers, ${families.join(" and ")}, suite ${formatSuiteVersion(suite)}`,
    `evidence: ${EVIDENCE_TEXT[evidence]}; ${datapath === "none" ? "the pods are connected by another solution than Interlay" : "the pods are connected by Interlay"}`,
    `versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
    ...listComponents(components),
    ...variants.map(
      (variant) =>
        `  ${variantTitle(variant)}: ${variant.cells} cells, ${variant.blocked.length} blocked as expected, ${variant.failed.length} failed, ${variant.flaky.length} flaky`,
    ),
    ...profiles.map(
      (profile) =>
        `  ${profile.result.padEnd(8)}${profile.name}${profile.claimed ? "" : " (not claimed)"}: ${profile.reason}`,
    ),
    keyids.length === 0 ? "not signed" : `signed with ${keyids.join(", ")}`,
  ].join("\n");
}

function listComponents(components: ClusterComponents | undefined): readonly string[] {
  if (components === undefined) return ["components: not recorded"];
  const { nodes, daemonSets, missing } = components;
  const kinds = new Set(
    nodes.map(({ os, kernel, architecture, runtime }) => [os, kernel, architecture, runtime].join(", ")),
  );
  return [
    ...[...kinds].map((kind) => `nodes: ${kind}`),
    ...daemonSets.map(({ namespace, name, images }) => `DaemonSet ${namespace}/${name}: ${images.join(", ")}`),
    ...missing.map((sentence) => `not known: ${sentence}`),
  ];
}
