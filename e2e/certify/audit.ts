import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { isDeepStrictEqual } from "node:util";
import { buildExpectedPath } from "../evidence/expected.ts";
import { findWrongPath } from "../evidence/compare-path.ts";
import { formatHop } from "../evidence/path.ts";
import { listSupportedCells } from "../cells/supported-cells.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Cell } from "../cells/cell.ts";
import type { Features } from "../cells/features.ts";
import { decideExpectation } from "../cells/gate.ts";
import { lacksLocalEndpoint, decideVerdict } from "../cells/cell-verdict.ts";
import { REQUIRED_CHECKS } from "../matrix/required-checks.ts";
import type { EvidenceLevel } from "../../results/certificate/certificate-schema.ts";
import type { CellResult, Report, VariantResult } from "../../results/schema.ts";
import { summarizeCells } from "../../results/summarize-cells.ts";
import { variantTitle } from "../../results/title.ts";

/**
 * Finds what in a report contradicts its raw results or is missing. Does not trust the vendor's verdicts (expected, ok, table,
 * summary) but derives them again: the cells from the number of workers, their expected results from the gate, and their paths
 * from the documented ones.
 * @returns one sentence for each problem
 */
export function auditReport(report: Report, workers: number): readonly string[] {
  return [
    ...report.variants.flatMap((variant) =>
      auditVariant(variant, listExpectedCells(variant, report, workers), report).map(
        (problem) => `${variantTitle(variant)}: ${problem}`,
      ),
    ),
    ...auditSummary(report),
    ...auditChecks(report),
  ];
}

/** Lists the cells that a variant must contain: all, or for an existing cluster those that its API server lets the suite probe. */
function listExpectedCells(variant: VariantResult, report: Report, workers: number): readonly Cell[] {
  const features = findFeatures(variant, isCaptured(report));
  const allCells = listMatrixCells(workers, listReportFamilies(report), features);
  if (isCaptured(report)) return allCells;
  const ids = new Set(variant.cells.map(({ id }) => id));
  return listSupportedCells(allCells, {
    features,
    outside: false,
    nodeAccess: variant.invalidDropRule === undefined ? "none" : "network",
    podTrafficKnown: allCells.some((cell) => lacksLocalEndpoint(cell) && ids.has(cell.id)),
  });
}

function findExternalProtocol(results: VariantResult["cells"]): Features["externalTarget"] {
  const cell = results.find(({ group }) => group === "external-target");
  return cell === undefined ? undefined : cell.protocol === "icmp" ? "icmp" : "tcp";
}

/**
 * Derives the cluster's features from the cells that were run.
 * @param attacked whether attacks were run, as in every cluster that the suite created
 */
function findFeatures({ cells: results }: VariantResult, attacked: boolean): Features {
  const hasGroup = (group: Cell["group"]) => results.some((result) => result.group === group);
  return {
    dns: hasGroup("dns"),
    vips: hasGroup("vip"),
    hostPorts: hasGroup("host-port"),
    sourceGuard: attacked,
    externalTarget: findExternalProtocol(results),
    forwardDrop: results.some(({ id }) => id.includes("/node-as-router/")),
  };
}

/** Returns whether the run captured packets; in an existing cluster it cannot. */
export function isCaptured({ provider }: Pick<Report, "provider">): boolean {
  return hasCapability(provider, "node-files");
}

/** Returns on what the verdicts of all runs can be based: the lowest level of them. */
export function findEvidenceLevel(reports: readonly Report[]): EvidenceLevel {
  if (reports.every(isCaptured)) return "captures";
  const hasFilters = ({ variants }: Report) => variants.every(({ invalidDropRule }) => invalidDropRule !== undefined);
  return reports.every(hasFilters) ? "host-pods" : "answers";
}

/** Returns the highest number of a worker that had a client pod. */
export function countWorkers({ variants }: Report): number {
  const numbers = variants.flatMap(({ cells: all }) =>
    all.map(({ from }) => Number(/-(\d+)-[ab]$/.exec(from)?.[1] ?? 0)),
  );
  return Math.max(0, ...numbers);
}

/** Lists the families of the cells, the cluster's primary one first: the API server is probed only by that one. */
export function listReportFamilies({ variants }: Report): readonly ("ipv4" | "ipv6")[] {
  const results = variants.flatMap((variant) => variant.cells);
  const first = results.find(({ group }) => group === "api-server")?.family ?? "ipv4";
  const families = new Set([first, ...results.map(({ family }) => family)]);
  return [...families];
}

function auditVariant(variant: VariantResult, expectedCells: readonly Cell[], report: Report): readonly string[] {
  const byId = new Map(variant.cells.map((result) => [result.id, result]));
  const knownIds = new Set(expectedCells.map(({ id }) => id));
  const { tcpBeLiberal, invalidDropRule } = decideExpectation(variant);
  return [
    ...expectedCells.flatMap((cell) => {
      const result = byId.get(cell.id);
      const problems = result === undefined ? ["is missing"] : auditCell(cell, result, variant, report);
      return problems.map((problem) => `cell ${cell.id} ${problem}`);
    }),
    ...variant.cells.filter(({ id }) => !knownIds.has(id)).map(({ id }) => `cell ${id} is unknown to the suite`),
    ...(byId.size === variant.cells.length ? [] : ["a cell exists twice"]),
    ...(isDeepStrictEqual(variant.table, summarizeCells(variant.cells)) ? [] : ["the table does not match the cells"]),
    ...(!hasFilters(variant, report) ||
    (variant.tcpBeLiberal === tcpBeLiberal && variant.invalidDropRule === invalidDropRule)
      ? []
      : [
          `the nodes had sysctl ${String(variant.tcpBeLiberal)} and rule ${String(variant.invalidDropRule)}, which does not match this variant`,
        ]),
  ];
}

/** Returns whether the sysctl and kube-proxy's rule are known and follow from Interlay's return path. */
function hasFilters({ invalidDropRule }: VariantResult, report: Report): boolean {
  return isCaptured(report) || (report.datapath !== "none" && invalidDropRule !== undefined);
}

function auditCell(cell: Cell, result: CellResult, variant: VariantResult, report: Report): readonly string[] {
  const problems: string[] = [];
  const expectEqual = (what: string, actual: unknown, expectedValue: unknown) => {
    if (actual !== expectedValue) problems.push(`has ${what} ${String(actual)}, want ${String(expectedValue)}`);
  };
  expectEqual("group", result.group, cell.group);
  expectEqual("source", result.source, cell.source);
  expectEqual("target", result.target, cell.target);
  expectEqual("from", result.from, cell.from);
  expectEqual("placement", result.placement, cell.placement);
  expectEqual("family", result.family, cell.family);
  expectEqual("protocol", result.protocol, cell.protocol);
  const verdict = decideVerdict(variant, cell);
  expectEqual("expected", result.expected, verdict.expected);
  if (!result.ok) return problems; // a reported failure needs no evidence
  if (result.expectedSource !== undefined && result.actual === "pass")
    expectEqual(
      "the source address",
      result.expectedSource.includes(result.seen ?? "") ? result.seen : "",
      result.seen,
    );
  expectEqual("actual", result.actual, result.expected === "pass" ? "pass" : "fail");
  if (verdict.expected === "blocked" && verdict.by === "invalid-rule")
    problems.push(...auditDrop(result, isCaptured(report) || variant.invalidDropRule !== undefined));
  const expected = isCaptured(report) ? buildExpectedPath(cell, variant.returnPath) : undefined;
  if (expected === undefined) return problems;
  const path = result.evidence?.path;
  if (path === undefined) return [...problems, "has no captured path"];
  if (!isDeepStrictEqual(path.expected, expected))
    problems.push("is compared with another path than the documented one");
  if (result.expected === "pass") {
    const wrong = findWrongPath(expected, path.seen);
    if (wrong !== undefined) problems.push(`passed by a wrong path: ${wrong}`);
  } else if (
    path.seen.request.map(formatHop).includes(formatHop(expected.request.at(-1) ?? expected.request[0] ?? NOWHERE))
  )
    problems.push("is reported as blocked, but its request arrived");
  return problems;
}

/** Finds gaps in the proof that kube-proxy's rule dropped a cell's packets. @param counted whether the nodes counted them */
function auditDrop({ client, evidence }: CellResult, counted: boolean): readonly string[] {
  const { received, forwarded } = evidence?.drop ?? { received: 0, forwarded: 0 };
  if (client === undefined) return ["is reported as blocked by the INVALID rule, but was not connected"];
  return counted && (received === 0 || forwarded > 0)
    ? [`is reported as blocked by the INVALID rule, but ${received} INVALID packets arrived and ${forwarded} passed`]
    : [];
}

const NOWHERE = { place: "", link: "", direction: "in" } as const;

function auditSummary({ summary, variants, checks }: Report): readonly string[] {
  const results = variants.flatMap((variant) => variant.cells);
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  const passed = results.filter(({ ok }) => ok).length + count("passed");
  const failed = results.filter(({ ok }) => !ok).length + count("failed");
  return summary.passed === passed && summary.failed === failed && summary.skipped === count("skipped")
    ? []
    : [
        `the summary has ${summary.passed} passed and ${summary.failed} failed, the results have ${passed} and ${failed}`,
      ];
}

/** Finds required checks that did not run. */
function auditChecks(report: Report): readonly string[] {
  const { checks, variants } = report;
  const mayBeSkipped = !isCaptured(report);
  const required = [
    REQUIRED_CHECKS.podsReady,
    REQUIRED_CHECKS.podRoutes,
    ...variants.map((variant) => `${variantTitle(variant)} ${REQUIRED_CHECKS.nodeFilters}`),
  ];
  return required
    .filter(
      (name) => !checks.some((check) => check.name.endsWith(name) && (mayBeSkipped || check.status !== "skipped")),
    )
    .map((name) => `the check "${name}" did not run`);
}
