import type { CertifiedVariant, ProfileName, ProfileResult } from "../../results/certificate/certificate-schema.ts";
import { EVIDENCE_TEXT, PROFILES } from "../../results/certificate/certificate-schema.ts";
import { findEvidenceLevel, isCaptured } from "./audit.ts";
import { type CheckResult, POD_TYPES, type Report } from "../../results/schema.ts";
import { parsePeerCheck } from "../peers/spec-result.ts";

/** Runs that a pass needs, because one run cannot show flaky cells. */
const MIN_RUNS = 2;
/** Workers that a pass needs, for cells to another node. */
const MIN_WORKERS = 2;
const SCALE_WORKERS = 10;

/** Profiles that may pass with one run: an existing cluster may be tested once, and specs of other suites are in one run. */
const NOT_REPEATED: ReadonlySet<ProfileName> = new Set(["connectivity", "sig-network"]);

interface CertifiedRuns {
  readonly reports: readonly Report[];
  readonly variants: readonly CertifiedVariant[];
  readonly workers: number;
  readonly families: readonly string[];
}
type ProfileVerdict = Omit<ProfileResult, "name" | "claimed">;

const pass = (reason: string): ProfileVerdict => ({ result: "pass", reason });
const fail = (reason: string): ProfileVerdict => ({ result: "fail", reason });
const notRun = (reason: string): ProfileVerdict => ({ result: "not-run", reason });

const RULES: Readonly<Record<ProfileName, (facts: CertifiedRuns) => ProfileVerdict>> = {
  base: (facts) => {
    if (!facts.reports.every(isCaptured))
      return notRun("packets are not captured in an existing cluster: claim the profile connectivity");
    if (facts.workers < MIN_WORKERS) return notRun(`${facts.workers} worker: two are needed`);
    const broken = findFailedCheck(facts, isOwnCheck);
    if (broken !== undefined) return fail(broken);
    return judgeCells(facts, (group) => group !== "node-port-local");
  },
  connectivity: (facts) => {
    if (facts.workers < MIN_WORKERS) return notRun(`${facts.workers} worker: two are needed`);
    const broken = findFailedCheck(facts, isOwnCheck);
    return broken === undefined ? judgeCells(facts, () => true) : fail(broken);
  },
  "node-port-local": (facts) => judgeCells(facts, (group) => group === "node-port-local"),
  "dual-stack": (facts) =>
    facts.families.length < 2 ? notRun(`only ${facts.families.join()} (--family dual)`) : judgeCells(facts, () => true),
  policy: (facts) => {
    const ranPolicySpecs = facts.reports.every(({ checks }) =>
      checks.some((check) => isPolicy(check) && check.status !== "skipped"),
    );
    if (!ranPolicySpecs) return notRun("the NetworkPolicy specs did not run (--profile …,policy)");
    const broken = findFailedCheck(facts, isPolicy);
    return broken === undefined ? pass("a denying NetworkPolicy is effective in every run") : fail(broken);
  },
  scale: (facts) => {
    if (facts.workers < SCALE_WORKERS) return notRun(`${facts.workers} workers: at least ${SCALE_WORKERS} are needed`);
    return judgeCells(facts, () => true);
  },
  "sig-network": ({ reports }) => {
    const specs = reports
      .flatMap(({ checks }) => checks)
      .flatMap((check) => {
        const peer = parsePeerCheck(check.name);
        return peer?.suite === "sig-network" ? [{ ...check, podType: peer.podType }] : [];
      });
    if (specs.length === 0) return notRun("Kubernetes' network specs did not run (npm run peers, then --peers RUN)");
    const broken = specs.find(({ status }) => status === "failed");
    if (broken !== undefined) return fail(`the spec "${broken.name}" failed: ${broken.error ?? ""}`);
    const passed = specs.filter(({ status }) => status === "passed");
    const missing = POD_TYPES.filter((type) => !passed.some(({ podType }) => podType === type));
    if (missing.length > 0) return notRun(`no spec passed with every pod as ${missing.join(" or ")} pod`);
    return pass(
      `${passed.length} specs passed and ${specs.length - passed.length} skipped, with every pod as overlay, underlay and multi-nic pod`,
    );
  },
};

/** Returns the result of every profile. Pure: the recipient gets the same from the raw results. */
export function evaluateProfiles(facts: CertifiedRuns, claimed: readonly ProfileName[]): ProfileResult[] {
  return PROFILES.map((name) => {
    const hasTooFewRuns = facts.reports.length < (NOT_REPEATED.has(name) ? 1 : MIN_RUNS);
    const verdict = RULES[name](facts);
    return {
      name,
      claimed: claimed.includes(name),
      ...(hasTooFewRuns && verdict.result === "pass"
        ? notRun(`one run cannot show flaky cells: at least ${MIN_RUNS} are needed`)
        : verdict),
    };
  });
}

const isPeer = ({ name }: CheckResult): boolean => parsePeerCheck(name) !== undefined;
const isPolicy = (check: CheckResult): boolean => check.name.includes("NetworkPolicy") && !isPeer(check);
const isOwnCheck = (check: CheckResult): boolean => !isPolicy(check) && !isPeer(check);
const getGroup = (id: string): string => id.split("/")[0] ?? "";

function judgeCells({ reports, variants }: CertifiedRuns, isRequired: (group: string) => boolean): ProfileVerdict {
  const selectRequired = (ids: readonly string[]) => ids.filter((id) => isRequired(getGroup(id)));
  const failed = variants.flatMap((variant) => selectRequired(variant.failed));
  const flaky = variants.flatMap((variant) => selectRequired(variant.flaky));
  const cells = reports[0]?.variants.reduce(
    (sum, variant) => sum + variant.cells.filter(({ group }) => isRequired(group)).length,
    0,
  );
  if (failed.length > 0) return fail(`${failed.length} of ${cells ?? 0} cells failed, such as ${failed[0] ?? ""}`);
  if (flaky.length > 0) return fail(`${flaky.length} of ${cells ?? 0} cells are flaky, such as ${flaky[0] ?? ""}`);
  if (cells === undefined || cells === 0) return notRun("no such cell was run");
  const evidence = EVIDENCE_TEXT[findEvidenceLevel(reports)];
  return pass(
    `${cells} cells in ${variants.length} variants as expected in each of ${reports.length} runs; evidence: ${evidence}`,
  );
}

function findFailedCheck({ reports }: CertifiedRuns, isRequired: (check: CheckResult) => boolean): string | undefined {
  // Checks that summarize cells are left out: each profile judges its cells.
  const broken = reports
    .flatMap(({ checks }) => checks)
    .find((check) => isRequired(check) && check.status === "failed" && !/ cells: [a-z-]+$/.test(check.name));
  return broken && `the check "${broken.name}" failed: ${broken.error ?? ""}`;
}
