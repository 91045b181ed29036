import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildExpectedPath } from "../evidence/expected.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Cell } from "../cells/cell.ts";
import { NO_FEATURES } from "../cells/features.ts";
import { decideExpectation, type Variant } from "../cells/gate.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";
import { REQUIRED_CHECKS } from "../matrix/required-checks.ts";
import { toJunit } from "../../results/junit.ts";
import { toMarkdown } from "../../results/markdown.ts";
import type { ClusterComponents } from "../../results/component-schema.ts";
import { type CellResult, type Report, reportSchema, RESULTS_SCHEMA } from "../../results/schema.ts";
import { summarizeCells } from "../../results/summarize-cells.ts";
import { variantTitle } from "../../results/title.ts";

/** A variant with blocked cells, and one without. */
const VARIANTS: readonly Variant[] = [
  { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "liberal" },
  { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" },
];

/** Components as a run records them. */
const COMPONENTS: ClusterComponents = {
  nodes: ["node-1", "node-2"].map((name) => ({
    name,
    os: "Debian 12",
    kernel: "6.1.0",
    architecture: "amd64",
    runtime: "containerd://1.7",
    kubelet: "v1.29.15",
  })),
  daemonSets: [
    { namespace: "kube-system", name: "calico-node", images: ["calico/node:v3.28.5"], desired: 2, ready: 2 },
  ],
  images: [{ image: "calico/node:v3.28.5" }],
  crds: [{ name: "ippools.crd.projectcalico.org", versions: ["v1"] }],
  cniConfigurations: [{ file: "10-calico.conflist", sha256: "1".repeat(64), nodes: ["node-1", "node-2"] }],
  missing: ["digests of 1 images: the container runtime reports none"],
};

/** Creates the report of a healthy cluster for tests, as run `number` of several. */
export function createHealthyReport(
  workers: number,
  number: number,
  families: readonly ("ipv4" | "ipv6")[] = ["ipv4"],
): Report {
  const variants = VARIANTS.map((variant) => {
    const { tcpBeLiberal, invalidDropRule } = decideExpectation(variant);
    const results = listMatrixCells(workers, families, { ...NO_FEATURES, sourceGuard: true }).map((cell, index) =>
      createHealthyCell(cell, variant, number + index / 1000),
    );
    return { ...variant, tcpBeLiberal, invalidDropRule, cells: results, table: summarizeCells(results), seconds: 1 };
  });
  const names = [
    REQUIRED_CHECKS.podsReady,
    REQUIRED_CHECKS.podRoutes,
    ...VARIANTS.map((variant) => `${variantTitle(variant)} ${REQUIRED_CHECKS.nodeFilters}`),
  ];
  const checks = names.map((name) => ({ name: `matrix ${name}`, status: "passed" as const, seconds: 0 }));
  const passed = variants.reduce((sum, variant) => sum + variant.cells.length, checks.length);
  return reportSchema.parse({
    schema: RESULTS_SCHEMA,
    id: `run-${number}`,
    started: `2026-01-01T00:0${number}:00.000Z`,
    finished: `2026-01-01T00:0${number}:30.000Z`,
    provider: "lab",
    versions: { kubernetes: "v1.29.15", kernel: "6.1.0" },
    suite: { version: "1.2.3", commit: "0123456789abcdef0123456789abcdef01234567", modified: true },
    components: COMPONENTS,
    variants,
    checks,
    summary: { passed, failed: 0, skipped: 0 },
  });
}

function createHealthyCell(cell: Cell, variant: Variant, latencyMs: number): CellResult {
  const verdict = decideVerdict(variant, cell);
  const expected = buildExpectedPath(cell, variant.returnPath);
  const blocked = verdict.expected === "blocked";
  const seen = (hops: NonNullable<typeof expected>["request"]) =>
    hops.map((hop) => ({ ...hop, source: "10.7.200.1:4000", destination: "10.7.200.2:8080" }));
  return {
    id: cell.id,
    from: cell.from,
    to: cell.server ?? cell.to.kind,
    source: cell.source,
    target: cell.target,
    group: cell.group,
    address: "10.7.200.2:8080",
    placement: cell.placement,
    family: cell.family,
    protocol: cell.protocol,
    expected: verdict.expected,
    ...(verdict.expected === "blocked" ? { blockedBy: verdict.by } : {}),
    actual: blocked ? "fail" : "pass",
    ok: true,
    latencyMs,
    attempts: 1,
    ...(cell.protocol === "tcp" ? { client: "10.7.200.1:4000" } : {}),
    ...(expected === undefined
      ? {}
      : {
          evidence: {
            ...(blocked ? { drop: { node: "node-1", received: 5, forwarded: 0 } } : {}),
            path: {
              expected: { request: [...expected.request], reply: [...expected.reply] },
              seen: {
                request: seen(blocked ? expected.request.slice(0, 2) : expected.request),
                reply: blocked ? [] : seen(expected.reply),
              },
            },
          },
        }),
  };
}

/** Writes the files of a run, as in results/runs. @returns the directory */
export async function writeRun(report: Report, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const files = {
    "report.json": `${JSON.stringify(report)}\n`,
    "junit.xml": toJunit(report),
    "report.md": toMarkdown(report),
    "report.html": "<!doctype html>",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}
