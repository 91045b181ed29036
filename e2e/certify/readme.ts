import type { Certificate } from "../../results/certificate/certificate-schema.ts";
import { renderCertificate } from "./render-certificate.ts";

/** Renders the README of a submission: what it certifies, how it was made, how to verify it. */
export function renderReadme(certificate: Certificate, keyids: readonly string[]): string {
  const { product, suite } = certificate;
  const key = keyids.length === 0 ? "" : " --public-key VENDOR.pub";
  const commit = suite.commit === undefined ? [] : [`git checkout ${suite.commit}`];
  return [
    `# ${product.vendor} ${product.name} ${product.version}`,
    "",
    "This directory contains a certificate of connectivity by Interlay's test suite, with the raw results.",
    "",
    "```text",
    renderCertificate(certificate, keyids),
    "```",
    "",
    "## How it was made",
    "",
    "In a copy of Interlay's repository:",
    "",
    "```sh",
    ...commit,
    "npm ci",
    formatCommand(certificate),
    "```",
    "",
    ...(suite.modified === true ? ["Files of the suite differed from this commit.", ""] : []),
    "## How to verify it",
    "",
    "With the same version of Interlay; all results are recomputed from the raw results:",
    "",
    "```sh",
    `npm run certify -- --verify DIRECTORY${key}`,
    "```",
    "",
    "`certificate.json` is a DSSE envelope with an in-toto statement, which other tools verify too.",
    "",
  ].join("\n");
}

/** Returns the command that makes such a certificate. */
function formatCommand({ provider, datapath, runs, variants, families, workers, profiles, components }: Certificate) {
  const list = (values: readonly string[]) => [...new Set(values)].join(",");
  const claimed = profiles.filter((profile) => profile.claimed).map(({ name }) => name);
  const common = ["--profile", list(claimed), "--repeat", String(runs.length), "--product", "PRODUCT.yaml"];
  if (provider === "existing") {
    const cluster = ["--provider", "existing", "--kubeconfig", "FILE", "--yes", "--datapath", datapath ?? "interlay"];
    return ["npm run certify --", ...cluster, ...common].join(" ");
  }
  const kubeProxies = variants.map(
    ({ kubeProxy: { version, mode } }) => `${version}${mode === "iptables" ? "" : `/${mode}`}`,
  );
  const [kubelet] = components?.nodes.map((node) => node.kubelet) ?? [];
  return [
    "npm run certify --",
    `--provider ${provider} --nodes ${workers} --kube-proxy ${list(kubeProxies)}`,
    `--return-path ${list(variants.map(({ returnPath }) => returnPath))}`,
    ...(kubelet === undefined ? [] : ["--kubernetes", kubelet]),
    `--family ${families.length > 1 ? "dual" : (families[0] ?? "ipv4")}`,
    ...common,
  ].join(" ");
}
