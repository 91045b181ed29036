import { isDeepStrictEqual } from "node:util";
import type { Certificate, CertifiedVariant, ProfileName } from "../../results/certificate/schema.ts";
import { type Report, TABLE_ENTRIES, type SummaryEntry, type VariantResult } from "../../results/schema.ts";
import { isFlaky } from "../../results/summary.ts";
import { variantTitle } from "../../results/title.ts";
import { isCaptured, listFamilies } from "./audit.ts";
import { evaluateProfiles } from "./profiles.ts";

/** What of a certificate follows from the raw results. */
type Assessment = Pick<
  Certificate,
  | "provider"
  | "evidence"
  | "datapath"
  | "versions"
  | "workers"
  | "families"
  | "runs"
  | "variants"
  | "profiles"
  | "result"
>;

/** Worst last. */
const BY_BADNESS: readonly SummaryEntry[] = [
  "pass",
  "blocked",
  "not-run",
  "fail",
] satisfies (typeof TABLE_ENTRIES)[number][];

/** Sums runs up. Throws where they are not runs of the same thing. Pure: sender and receiver both call it. */
export function assessRuns(reports: readonly Report[], workers: number, claimed: readonly ProfileName[]): Assessment {
  const [first] = reports;
  if (first === undefined) throw new Error("no runs to certify");
  for (const other of reports.slice(1)) sameThing(first, other);
  const variants = first.variants.map((_, index) =>
    certified(reports.flatMap((report) => report.variants[index] ?? [])),
  );
  const profiles = evaluateProfiles({ reports, variants, workers, families: listFamilies(first) }, claimed);
  const wanted = profiles.filter((profile) => profile.claimed);
  return {
    provider: first.provider,
    evidence: isCaptured(first) ? "captures" : "answers",
    ...(first.datapath === undefined ? {} : { datapath: first.datapath }),
    versions: first.versions,
    workers,
    families: [...listFamilies(first)],
    runs: reports.map(({ id, started, finished }, index) => ({ id, started, finished, folder: `runs/${index + 1}` })),
    variants,
    profiles,
    result: wanted.length > 0 && wanted.every(({ result }) => result === "pass") ? "pass" : "fail",
  };
}

/** A run that is another one's copy, or of something else. */
function sameThing(first: Report, other: Report): void {
  const titles = (report: Report) => report.variants.map(variantTitle);
  if (other.provider !== first.provider || !isDeepStrictEqual(other.versions, first.versions))
    throw new Error(`The runs ${first.id} and ${other.id} are of different clusters.`);
  if (!isDeepStrictEqual(titles(other), titles(first)))
    throw new Error(`The runs ${first.id} and ${other.id} have different variants.`);
}

function certified(runs: readonly VariantResult[]): CertifiedVariant {
  const [first] = runs;
  if (first === undefined) throw new Error("A variant without a run.");
  const over = first.cells.map(({ id }) => ({
    id,
    results: runs.flatMap(({ cells }) => cells.find((cell) => cell.id === id) ?? []),
  }));
  const ids = (which: (results: VariantResult["cells"]) => boolean) =>
    over.filter(({ results }) => which(results)).map(({ id }) => id);
  return {
    kubeProxy: first.kubeProxy,
    returnPath: first.returnPath,
    table: first.table.map((row, r) =>
      row.map((entry, c) =>
        worst(
          runs.map(({ table }) => table[r]?.[c] ?? "not-run"),
          entry,
        ),
      ),
    ),
    cells: first.cells.length,
    blocked: ids((results) => results.every(({ ok, blockedBy }) => ok && blockedBy === "invalid-rule")),
    failed: ids((results) => results.length < runs.length || results.some(({ ok }) => !ok)),
    flaky: ids((results) => results.some((cell) => isFlaky(cell) || cell.ok !== results[0]?.ok)),
  };
}

function worst(entries: readonly SummaryEntry[], start: SummaryEntry): SummaryEntry {
  return entries.reduce((a, b) => (BY_BADNESS.indexOf(b) > BY_BADNESS.indexOf(a) ? b : a), start);
}
