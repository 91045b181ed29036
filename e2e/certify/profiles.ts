import type { CertifiedVariant, ProfileName, ProfileResult } from "../../results/certificate/schema.ts";
import { PROFILES } from "../../results/certificate/schema.ts";
import { isCaptured } from "./audit.ts";
import type { CheckResult, Report } from "../../results/schema.ts";

/** One run shows no flake. */
const MIN_RUNS = 2;
/** Cells to another node need two workers. */
const LEAST_WORKERS = 2;
const SCALE_WORKERS = 10;

interface Facts {
  readonly reports: readonly Report[];
  readonly variants: readonly CertifiedVariant[];
  readonly workers: number;
  readonly families: readonly string[];
}
type Verdict = Omit<ProfileResult, "name" | "claimed">;

const pass = (reason: string): Verdict => ({ result: "pass", reason });
const fail = (reason: string): Verdict => ({ result: "fail", reason });
const notRun = (reason: string): Verdict => ({ result: "not-run", reason });

const RULES: Readonly<Record<ProfileName, (facts: Facts) => Verdict>> = {
  base: (facts) => {
    if (!facts.reports.every(isCaptured))
      return notRun("paths of packets are not captured in an existing cluster: claim the profile connectivity");
    if (facts.workers < LEAST_WORKERS) return notRun(`${facts.workers} worker: a second one is needed`);
    const broken = failedChecks(facts, (check) => !isPolicy(check));
    if (broken !== undefined) return fail(broken);
    return cellsOf(facts, (group) => group !== "node-port-local");
  },
  connectivity: (facts) => {
    if (facts.workers < LEAST_WORKERS) return notRun(`${facts.workers} worker: a second one is needed`);
    const broken = failedChecks(facts, (check) => !isPolicy(check));
    return broken === undefined ? cellsOf(facts, () => true) : fail(broken);
  },
  "node-port-local": (facts) => cellsOf(facts, (group) => group === "node-port-local"),
  "dual-stack": (facts) =>
    facts.families.length < 2 ? notRun(`only ${facts.families.join()} (--family dual)`) : cellsOf(facts, () => true),
  policy: (facts) => {
    const made = facts.reports.every(({ checks }) =>
      checks.some((check) => isPolicy(check) && check.status !== "skipped"),
    );
    if (!made) return notRun("the NetworkPolicy specs were not run (--profile …,policy)");
    const broken = failedChecks(facts, isPolicy);
    return broken === undefined ? pass("a NetworkPolicy that denies holds, in every run") : fail(broken);
  },
  scale: (facts) => {
    if (facts.workers < SCALE_WORKERS) return notRun(`${facts.workers} workers of at least ${SCALE_WORKERS}`);
    return cellsOf(facts, () => true);
  },
};

/** Every profile's result. Pure: the receiver gets the same from the same raw results. */
export function evaluateProfiles(facts: Facts, claimed: readonly ProfileName[]): ProfileResult[] {
  return PROFILES.map((name) => {
    // An existing cluster is certified by one run too; a second one is what shows flakes, and the certificate counts them.
    const few = facts.reports.length < (name === "connectivity" ? 1 : MIN_RUNS);
    const verdict = RULES[name](facts);
    return {
      name,
      claimed: claimed.includes(name),
      ...(few && verdict.result === "pass" ? notRun(`one run shows no flake: at least ${MIN_RUNS}`) : verdict),
    };
  });
}

const isPolicy = ({ name }: CheckResult): boolean => name.includes("NetworkPolicy");
const groupOf = (id: string): string => id.split("/")[0] ?? "";

function cellsOf({ reports, variants }: Facts, wanted: (group: string) => boolean): Verdict {
  const among = (ids: readonly string[]) => ids.filter((id) => wanted(groupOf(id)));
  const failed = variants.flatMap((variant) => among(variant.failed));
  const flaky = variants.flatMap((variant) => among(variant.flaky));
  const cells = reports[0]?.variants.reduce(
    (sum, one) => sum + one.cells.filter(({ group }) => wanted(group)).length,
    0,
  );
  if (failed.length > 0) return fail(`${failed.length} of ${cells ?? 0} cells failed, as ${failed[0] ?? ""}`);
  if (flaky.length > 0) return fail(`${flaky.length} of ${cells ?? 0} cells are flaky, as ${flaky[0] ?? ""}`);
  if (cells === undefined || cells === 0) return notRun("no such cell was asked");
  return pass(`${cells} cells in ${variants.length} variants as expected in each of ${reports.length} runs`);
}

function failedChecks({ reports }: Facts, wanted: (check: CheckResult) => boolean): string | undefined {
  // What a check says of cells is said by the cells, profile by profile.
  const broken = reports
    .flatMap(({ checks }) => checks)
    .find((check) => wanted(check) && check.status === "failed" && !/ cells: [a-z-]+$/.test(check.name));
  return broken && `the check "${broken.name}" failed: ${broken.error ?? ""}`;
}
