import { runCommand } from "../components/run-command.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { Progress } from "../progress/progress.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type Underlay, parseUnderlay } from "../spec/address-ranges.ts";
import { findConflict, type UsedRange, parseDockerNetworks, parseRouteRanges } from "./used-ranges.ts";
import { getNetworkName, readSubnetAndRange } from "./network-step.ts";

/** 10.7.0.0/16, 10.17.0.0/16, … 10.247.0.0/16: none overlaps the default ranges of Kubernetes and Docker. */
const CANDIDATES: readonly Underlay[] = Array.from({ length: 25 }, (_, i) => parseUnderlay(`10.${7 + 10 * i}.0.0/16`));

/**
 * Returns the underlay of the cluster: that of its existing network, else the requested one, else, if the user has not named one,
 * the first free one.
 *
 * @throws if the requested underlay is in use and may not be replaced
 */
export async function findFreeUnderlay(engine: DockerEngine, spec: ClusterSpec, progress: Progress): Promise<Underlay> {
  const current = await readSubnetAndRange(engine, spec.name);
  const usedRanges = await listUsedRanges(engine, getNetworkName(spec.name));
  const { underlay, conflict } = chooseUnderlay(spec, current, usedRanges);
  if (conflict !== undefined)
    progress.note(
      `${spec.underlayCidr} is in use (${conflict.range}, ${conflict.by}): the underlay is ${underlay.underlayCidr}`,
    );
  return underlay;
}

/** Chooses an underlay. Pure. @param current `SUBNET RANGE` of the cluster's Docker network, if it exists */
export function chooseUnderlay(
  spec: ClusterSpec,
  current: string | undefined,
  used: readonly UsedRange[],
): { readonly underlay: Underlay; readonly conflict?: UsedRange } {
  const { underlayCidr, nodeRange, podRange } = spec;
  const requestedRanges = { underlayCidr, nodeRange, podRange };
  const existing = [requestedRanges, ...(spec.underlayMayMove ? CANDIDATES : [])].find(
    (candidate) => current === `${candidate.underlayCidr} ${candidate.nodeRange}`,
  );
  if (existing !== undefined) return { underlay: existing };
  const conflict = findConflict(underlayCidr, used);
  if (conflict === undefined) return { underlay: requestedRanges };
  const free = CANDIDATES.find((candidate) => findConflict(candidate.underlayCidr, used) === undefined);
  if (spec.underlayMayMove && free !== undefined) return { underlay: free, conflict };
  throw new Error(
    `The underlay ${underlayCidr} is in use (${conflict.range}, ${conflict.by}): name another, like INTERLAY_UNDERLAY=${free?.underlayCidr ?? "172.30.0.0/16"}.`,
  );
}

/** Returns the ranges in use, without the cluster's own Docker network. */
async function listUsedRanges(engine: DockerEngine, ownNetwork: string): Promise<readonly UsedRange[]> {
  const [bridge, routes, ids] = await Promise.all([
    engine.docker(["network", "inspect", ownNetwork, "--format", "br-{{slice .Id 0 12}}"]),
    runCommand(["ip", "-json", "-4", "route", "show"]),
    engine.docker(["network", "ls", "-q"]),
  ]);
  const networks = await engine.docker(["network", "inspect", ...ids.stdout.split("\n").filter((id) => id !== "")]);
  return [
    ...parseRouteRanges(routes.stdout).filter(({ by }) => by !== `the route by ${bridge.stdout.trim()}`),
    ...parseDockerNetworks(networks.stdout).filter(({ by }) => by !== `the Docker network ${ownNetwork}`),
  ];
}
