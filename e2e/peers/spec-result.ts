import { type CheckResult, POD_TYPES, type PodType } from "../../results/schema.ts";

const PEER_SUITES = ["sig-network", "cyclonus"] as const;
/** Suites of other projects that can be run. */
export type PeerSuiteName = (typeof PEER_SUITES)[number];

/** Result of one spec of another project's suite, under the name that it has there. */
export type PeerSpecResult = Pick<CheckResult, "name" | "status" | "seconds" | "error">;

/** Results of one suite with every pod of one type. */
export interface PeerRun {
  readonly suite: PeerSuiteName;
  readonly podType: PodType;
  readonly specs: readonly PeerSpecResult[];
  /** Seconds that all specs took together. */
  readonly seconds: number;
}

/** Converts a run to checks of a report, named `sig-network / underlay / SPEC`. */
export function toChecks({ suite, podType, specs }: PeerRun): readonly CheckResult[] {
  return specs.map((spec) => ({ ...spec, name: `${suite} / ${podType} / ${spec.name}` }));
}

/** Parses the name of a check by `toChecks`; undefined for another check. */
export function parsePeerCheck(name: string): { readonly suite: PeerSuiteName; readonly podType: PodType } | undefined {
  const [suiteName, typeName, ...spec] = name.split(" / ");
  const suite = PEER_SUITES.find((peerSuite) => peerSuite === suiteName);
  const podType = POD_TYPES.find((type) => type === typeName);
  return suite === undefined || podType === undefined || spec.length === 0 ? undefined : { suite, podType };
}

/** Counts the specs of a run. */
export function countSpecs({ specs }: Pick<PeerRun, "specs">): Readonly<Record<CheckResult["status"], number>> {
  const count = (status: CheckResult["status"]) => specs.filter((spec) => spec.status === status).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** Lists the pod types for which no spec ran: a run without specs must not pass. */
export function listEmptyRuns(runs: readonly PeerRun[], podTypes: readonly PodType[]): readonly PodType[] {
  return podTypes.filter((podType) => {
    const specs = runs.filter((run) => run.podType === podType).flatMap((run) => run.specs);
    return specs.every(({ status }) => status === "skipped");
  });
}
