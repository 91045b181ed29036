import { isDeepStrictEqual } from "node:util";
import type { Certificate, CertifiedVariant, ProfileName } from "../../results/certificate/certificate-schema.ts";
import type { SuiteVersion } from "../../results/component-schema.ts";
import { type Report, TABLE_ENTRIES, type SummaryEntry, type VariantResult } from "../../results/schema.ts";
import { isFlaky } from "../../results/run-summary.ts";
import { variantTitle } from "../../results/title.ts";
import { findEvidenceLevel, listReportFamilies } from "./audit.ts";
import { evaluateProfiles } from "./profiles.ts";

/** The part of a certificate that follows from the raw results. */
type Assessment = Pick<
  Certificate,
  | "provider"
  | "evidence"
  | "datapath"
  | "suite"
  | "versions"
  | "components"
  | "workers"
  | "families"
  | "runs"
  | "variants"
  | "profiles"
  | "result"
>;

/** Entries in order of severity, the worst last. */
const SEVERITY: readonly SummaryEntry[] = [
  "pass",
  "blocked",
  "not-run",
  "fail",
] satisfies (typeof TABLE_ENTRIES)[number][];

/**
 * Summarizes runs. Pure: the vendor and the recipient both call it.
 * @throws if the runs are of different clusters or variants
 */
export function assessRuns(reports: readonly Report[], workers: number, claimed: readonly ProfileName[]): Assessment {
  const [first] = reports;
  if (first === undefined) throw new Error("no runs to certify");
  for (const other of reports.slice(1)) requireSameCluster(first, other);
  const variants = first.variants.map((_, index) =>
    summarizeVariant(reports.flatMap((report) => report.variants[index] ?? [])),
  );
  const profiles = evaluateProfiles({ reports, variants, workers, families: listReportFamilies(first) }, claimed);
  const claimedProfiles = profiles.filter((profile) => profile.claimed);
  return {
    provider: first.provider,
    evidence: findEvidenceLevel(reports),
    ...(first.datapath === undefined ? {} : { datapath: first.datapath }),
    suite: getSuite(first),
    versions: first.versions,
    ...(first.components === undefined ? {} : { components: first.components }),
    workers,
    families: [...listReportFamilies(first)],
    runs: reports.map(({ id, started, finished }, index) => ({ id, started, finished, folder: `runs/${index + 1}` })),
    variants,
    profiles,
    result: claimedProfiles.length > 0 && claimedProfiles.every(({ result }) => result === "pass") ? "pass" : "fail",
  };
}

/** Returns the version of the suite that made a run. */
function getSuite({ suite, versions }: Report): SuiteVersion {
  return suite ?? { version: versions["interlay"] ?? "unknown" };
}

/** Returns the components that cannot change between runs: not the number of ready pods, for example. */
function listFixedComponents({ components }: Report): unknown {
  return components && [components.nodes, components.daemonSets.map(({ name, images }) => [name, images])];
}

/** @throws if the runs are of different clusters or variants */
function requireSameCluster(first: Report, other: Report): void {
  const titles = (report: Report) => report.variants.map(variantTitle);
  if (other.provider !== first.provider || !isDeepStrictEqual(other.versions, first.versions))
    throw new Error(`the runs ${first.id} and ${other.id} are of different clusters`);
  if (!isDeepStrictEqual(getSuite(other), getSuite(first)))
    throw new Error(`the runs ${first.id} and ${other.id} were made by different versions of the suite`);
  if (!isDeepStrictEqual(listFixedComponents(other), listFixedComponents(first)))
    throw new Error(`the nodes or DaemonSets differ between the runs ${first.id} and ${other.id}`);
  if (!isDeepStrictEqual(titles(other), titles(first)))
    throw new Error(`the runs ${first.id} and ${other.id} have different variants`);
}

function summarizeVariant(runs: readonly VariantResult[]): CertifiedVariant {
  const [first] = runs;
  if (first === undefined) throw new Error("a variant has no run");
  const cellResults = first.cells.map(({ id }) => ({
    id,
    results: runs.flatMap(({ cells }) => cells.find((cell) => cell.id === id) ?? []),
  }));
  const listIds = (isSelected: (results: VariantResult["cells"]) => boolean) =>
    cellResults.filter(({ results }) => isSelected(results)).map(({ id }) => id);
  return {
    kubeProxy: first.kubeProxy,
    returnPath: first.returnPath,
    ...(first.environment === undefined ? {} : { environment: first.environment }),
    table: first.table.map((row, rowIndex) =>
      row.map((entry, columnIndex) =>
        findWorst(
          runs.map(({ table }) => table[rowIndex]?.[columnIndex] ?? "not-run"),
          entry,
        ),
      ),
    ),
    cells: first.cells.length,
    blocked: listIds((results) => results.every(({ ok, blockedBy }) => ok && blockedBy === "invalid-rule")),
    failed: listIds((results) => results.length < runs.length || results.some(({ ok }) => !ok)),
    flaky: listIds((results) => results.some((cell) => isFlaky(cell) || cell.ok !== results[0]?.ok)),
  };
}

function findWorst(entries: readonly SummaryEntry[], start: SummaryEntry): SummaryEntry {
  return entries.reduce((worst, entry) => (SEVERITY.indexOf(entry) > SEVERITY.indexOf(worst) ? entry : worst), start);
}
