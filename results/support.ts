import { z } from "zod";
import { type Report, variantSchema } from "./schema.ts";
import { DEFAULT_ENVIRONMENT_NAME } from "./title.ts";

const support = z.object({
  provider: z.enum(["kind", "lab", "existing"]),
  kubernetes: z.string(),
  kubeProxy: variantSchema.shape.kubeProxy,
  returnPath: variantSchema.shape.returnPath,
  environment: z.string(),
  families: z.array(z.enum(["ipv4", "ipv6"])),
  /** Components of the cluster by name: calico, multus, kernel and others. */
  versions: z.record(z.string(), z.string()),
  /** Cells as expected and not. */
  passed: z.int(),
  blocked: z.int(),
  failed: z.int(),
  /** Day of the run, and version of the suite. */
  date: z.iso.date(),
  suite: z.string(),
});
/** Result of the complete matrix with one set of versions. */
export type SupportRecord = z.infer<typeof support>;
const supportFile = z.array(support);

/** Parses results/support.json. @throws if it is not as expected */
export function parseSupport(text: string): readonly SupportRecord[] {
  return supportFile.parse(JSON.parse(text));
}

/** Lists the variants of a report of Interlay that probed the complete matrix. */
export function listSupportRecords(report: Report): readonly SupportRecord[] {
  const { kubernetes } = report.versions;
  if (kubernetes === undefined || report.datapath === "none") return [];
  return report.variants
    .filter(({ table }) => !table.flat().includes("not-run"))
    .map(({ kubeProxy, returnPath, environment = DEFAULT_ENVIRONMENT_NAME, cells }) => ({
      provider: report.provider,
      kubernetes,
      kubeProxy,
      returnPath,
      environment,
      families: [...new Set(cells.map(({ family }) => family))].sort(),
      versions: Object.fromEntries(Object.entries(report.versions).filter(([name]) => COMPONENTS.includes(name))),
      passed: cells.filter(({ ok, expected }) => ok && expected === "pass").length,
      blocked: cells.filter(({ ok, expected }) => ok && expected === "blocked").length,
      failed: cells.filter(({ ok }) => !ok).length,
      date: report.started.slice(0, 10),
      suite: report.suite?.commit?.slice(0, 12) ?? report.versions["interlay"] ?? "unknown",
    }));
}

const COMPONENTS = ["calico", "multus", "cniPlugins", "kernel"];

function getKey({ provider, kubernetes, kubeProxy, returnPath, environment, families }: SupportRecord): string {
  return [environment, kubernetes, kubeProxy.version, kubeProxy.mode, returnPath, families.join("+"), provider].join(
    " ",
  );
}

/** Merges records; of two with the same versions the later one stays. */
export function mergeSupport(
  records: readonly SupportRecord[],
  newRecords: readonly SupportRecord[],
): readonly SupportRecord[] {
  const byKey = new Map(records.map((record) => [getKey(record), record]));
  for (const record of newRecords) {
    const existing = byKey.get(getKey(record));
    if (existing === undefined || existing.date <= record.date) byKey.set(getKey(record), record);
  }
  return [...byKey].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })).map(([, record]) => record);
}

const HEAD = ["Kubernetes", "kube-proxy", "return path", "environment", "families", "provider", "result", "run"];

/** Renders docs/support.md. Pure. */
export function renderSupportPage(records: readonly SupportRecord[]): string {
  const rows = records.map((record) => [
    record.kubernetes,
    `${record.kubeProxy.version} ${record.kubeProxy.mode}`,
    record.returnPath,
    record.environment,
    record.families.join(", "),
    record.provider,
    describeResult(record),
    `${record.date}, ${record.suite}`,
  ]);
  const versions = COMPONENTS.map((name) => {
    const recorded = [...new Set(records.flatMap((record) => record.versions[name] ?? []))].sort();
    return `- ${LABELS[name] ?? name}: ${recorded.join(", ") || "none"}`;
  });
  return `# Support matrix

This page lists, for cluster administrators, the versions with which the complete connectivity matrix ran, and the
results. It is generated from \`results/support.json\` by \`npm run generate\`; \`interlay report record RUN\` adds a run.
[Environments](environments.md) has the other configurations.

${[HEAD, HEAD.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}

Versions of other components in these runs:

${versions.join("\n")}

A combination that is not in the table was not run since the recording began on 2026-11-30.
`;
}

const LABELS: Readonly<Record<string, string>> = {
  calico: "Calico",
  multus: "Multus",
  cniPlugins: "reference plugins",
  kernel: "Linux",
};

function describeResult({ passed, blocked, failed }: SupportRecord): string {
  const result = failed === 0 ? `${passed} cells pass` : `**${failed} of ${passed + blocked + failed} cells fail**`;
  return blocked === 0 ? result : `${result}, ${blocked} blocked as expected`;
}
