import type { Report } from "../../results/schema.ts";
import { parsePeerCheck } from "../peers/spec-result.ts";

/**
 * Adds the specs of a run of `npm run peers` to the report of a run of the suite. Pure.
 *
 * @throws an error if the runs are of different clusters, or if the peers' run contains no spec
 */
export function mergePeers(report: Report, peers: Report): Report {
  const differing = (["kubernetes", "kernel"] as const).find((name) => report.versions[name] !== peers.versions[name]);
  if (peers.provider !== report.provider || differing !== undefined)
    throw new Error(
      `the runs ${report.id} and ${peers.id} are of different clusters: ${differing ?? "provider"} differs; run npm run peers with the same versions`,
    );
  const added = peers.checks.filter(({ name, status }) => parsePeerCheck(name) !== undefined || status === "failed");
  if (added.every(({ name }) => parsePeerCheck(name) === undefined))
    throw new Error(`the run ${peers.id} contains no spec of another suite: name a run of npm run peers`);
  const count = (status: "passed" | "failed" | "skipped") => added.filter((check) => check.status === status).length;
  const { passed, failed, skipped } = report.summary;
  return {
    ...report,
    checks: [...report.checks, ...added],
    summary: {
      passed: passed + count("passed"),
      failed: failed + count("failed"),
      skipped: skipped + count("skipped"),
    },
  };
}
