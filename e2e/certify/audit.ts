import { isDeepStrictEqual } from "node:util";
import { expectedPath } from "../evidence/expected.ts";
import { findWrongPath } from "../evidence/compare-path.ts";
import { formatHop } from "../evidence/path.ts";
import { listSupportedCells } from "../matrix/supported-cells.ts";
import { type Cell, cells, type Features } from "../matrix/cells.ts";
import { expectationFor } from "../matrix/gate.ts";
import { lacksLocalEndpoint, verdictFor } from "../matrix/verdict.ts";
import type { CellResult, Report, VariantResult } from "../../results/schema.ts";
import { summarizeCells } from "../../results/table.ts";
import { variantTitle } from "../../results/title.ts";

/**
 * What in a report does not follow from its own raw results, or is missing from them. The sender's verdicts (expected, ok,
 * table, sums) are not believed but derived once more: the cells from the number of workers, what they must do from the
 * gate, their ways from the documents.
 */
export function auditReport(report: Report, workers: number): readonly string[] {
  return [
    ...report.variants.flatMap((variant) =>
      auditVariant(variant, listAsked(variant, report, workers), report).map(
        (problem) => `${variantTitle(variant)}: ${problem}`,
      ),
    ),
    ...auditSummary(report),
    ...auditChecks(report),
  ];
}

/** The cells that this variant has to have: all, or of an existing cluster those that can be asked through its API server. */
function listAsked(variant: VariantResult, report: Report, workers: number): readonly Cell[] {
  const features = findFeatures(variant, isCaptured(report));
  const all = cells(workers, listFamilies(report), features);
  if (isCaptured(report)) return all;
  const ids = new Set(variant.cells.map(({ id }) => id));
  return listSupportedCells(all, {
    features,
    outside: false,
    nodeAccess: variant.invalidDropRule === undefined ? "none" : "network",
    podTrafficKnown: all.some((cell) => lacksLocalEndpoint(cell) && ids.has(cell.id)),
  });
}

/**
 * What the cluster had by the cells that were asked.
 * @param attacked the attacks are asked of every cluster that the suite made, and of no other
 */
function findFeatures({ cells: results }: VariantResult, attacked: boolean): Features {
  const has = (group: Cell["group"]) => results.some((result) => result.group === group);
  return {
    dns: has("dns"),
    vips: has("vip"),
    hostPorts: has("host-port"),
    sourceGuard: attacked,
    forwardDrop: results.some(({ id }) => id.includes("/node-as-router/")),
  };
}

/** Whether every packet's path can be captured: an existing cluster is known through its API server alone. */
export function isCaptured({ provider }: Pick<Report, "provider">): boolean {
  return provider !== "existing";
}

/** Counts the workers that pods of the cells were on. */
export function countWorkers({ variants }: Report): number {
  const numbers = variants.flatMap(({ cells: all }) =>
    all.map(({ from }) => Number(/-(\d+)-[ab]$/.exec(from)?.[1] ?? 0)),
  );
  return Math.max(0, ...numbers);
}

/** Of the cells; the API server is asked over the cluster's first one alone. */
export function listFamilies({ variants }: Report): readonly ("ipv4" | "ipv6")[] {
  const all = variants.flatMap((variant) => variant.cells);
  const first = all.find(({ group }) => group === "api-server")?.family ?? "ipv4";
  const both = new Set([first, ...all.map(({ family }) => family)]);
  return [...both];
}

function auditVariant(variant: VariantResult, asked: readonly Cell[], report: Report): readonly string[] {
  const byId = new Map(variant.cells.map((result) => [result.id, result]));
  const known = new Set(asked.map(({ id }) => id));
  const { tcpBeLiberal, invalidDropRule } = expectationFor(variant);
  return [
    ...asked.flatMap((cell) => {
      const result = byId.get(cell.id);
      const problems = result === undefined ? ["is missing"] : auditCell(cell, result, variant, isCaptured(report));
      return problems.map((problem) => `cell ${cell.id} ${problem}`);
    }),
    ...variant.cells.filter(({ id }) => !known.has(id)).map(({ id }) => `cell ${id} is none of the suite's`),
    ...(byId.size === variant.cells.length ? [] : ["a cell is there twice"]),
    ...(isDeepStrictEqual(variant.table, summarizeCells(variant.cells)) ? [] : ["the table is not that of the cells"]),
    ...(!hasFilters(variant, report) ||
    (variant.tcpBeLiberal === tcpBeLiberal && variant.invalidDropRule === invalidDropRule)
      ? []
      : [
          `the nodes had sysctl ${String(variant.tcpBeLiberal)} and rule ${String(variant.invalidDropRule)}, which this variant has not`,
        ]),
  ];
}

/** Whether the sysctl and kube-proxy's rule are known and Interlay's: not in an existing cluster that has none of either. */
function hasFilters({ invalidDropRule }: VariantResult, report: Report): boolean {
  return isCaptured(report) || (report.datapath !== "none" && invalidDropRule !== undefined);
}

function auditCell(cell: Cell, result: CellResult, variant: VariantResult, captured: boolean): readonly string[] {
  const problems: string[] = [];
  const is = (what: string, actual: unknown, wanted: unknown) => {
    if (actual !== wanted) problems.push(`says ${what} ${String(actual)}, it is ${String(wanted)}`);
  };
  is("group", result.group, cell.group);
  is("source", result.source, cell.source);
  is("target", result.target, cell.target);
  is("from", result.from, cell.from);
  is("placement", result.placement, cell.placement);
  is("family", result.family, cell.family);
  is("protocol", result.protocol, cell.protocol);
  is("expected", result.expected, verdictFor(variant, cell).expected);
  if (!result.ok) return problems; // a failure that is owned up to needs no proof
  if (result.expectedSource !== undefined && result.actual === "pass")
    is("that the server saw", result.expectedSource.includes(result.seen ?? "") ? result.seen : "", result.seen);
  is("actual", result.actual, result.expected === "pass" ? "pass" : "fail");
  const expected = captured ? expectedPath(cell, variant.returnPath) : undefined;
  if (expected === undefined) return problems;
  const path = result.evidence?.path;
  if (path === undefined) return [...problems, "has no evidence of its way"];
  if (!isDeepStrictEqual(path.expected, expected))
    problems.push("is compared with another way than the documented one");
  if (result.expected === "pass") {
    const wrong = findWrongPath(expected, path.seen);
    if (wrong !== undefined) problems.push(`passed by a wrong way: ${wrong}`);
  } else if (
    path.seen.request.map(formatHop).includes(formatHop(expected.request.at(-1) ?? expected.request[0] ?? NOWHERE))
  )
    problems.push("is said to be blocked, but its request arrived");
  return problems;
}

const NOWHERE = { place: "", link: "", direction: "in" } as const;

function auditSummary({ summary, variants, checks }: Report): readonly string[] {
  const all = variants.flatMap((variant) => variant.cells);
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  const passed = all.filter(({ ok }) => ok).length + count("passed");
  const failed = all.filter(({ ok }) => !ok).length + count("failed");
  return summary.passed === passed && summary.failed === failed && summary.skipped === count("skipped")
    ? []
    : [`the sums say ${summary.passed} passed and ${summary.failed} failed, the results ${passed} and ${failed}`];
}

/** Checks that are not cells but must have run. */
function auditChecks(report: Report): readonly string[] {
  const { checks, variants } = report;
  const mayBeSkipped = !isCaptured(report);
  const wanted = [
    "every pod is ready: its node reaches it",
    "the pods' `ip route` has the documented lines",
    ...variants.map(
      (one) => `${variantTitle(one)} kube-proxy's INVALID rule and the sysctl are as the gate says, on every node`,
    ),
  ];
  return wanted
    .filter(
      (name) => !checks.some((check) => check.name.endsWith(name) && (mayBeSkipped || check.status !== "skipped")),
    )
    .map((name) => `the check "${name}" was not made`);
}
