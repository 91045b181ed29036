import { runCommand } from "../components/command.ts";
import type { DockerEngine } from "../docker/engine.ts";
import type { Progress } from "../progress.ts";
import type { ClusterSpec } from "../provider.ts";
import { type Underlay, parseUnderlay } from "../spec.ts";
import { findConflict, type UsedRange, parseDockerNetworks, parseRoutes } from "./address-ranges.ts";
import { getNetworkName, readSubnetAndRange } from "./network-step.ts";

/** 10.7.0.0/16, 10.17.0.0/16, … 10.247.0.0/16: none of them meets Kubernetes' or Docker's usual ranges. */
const CANDIDATES: readonly Underlay[] = Array.from({ length: 25 }, (_, i) => parseUnderlay(`10.${7 + 10 * i}.0.0/16`));

/**
 * The underlay for the cluster: the one of the network that it has already, else the wanted one, else (where nobody asked
 * for that by name) the first that nobody uses. The engine runs, so that its own networks are known as such.
 * Errors: none is free.
 */
export async function findFreeUnderlay(engine: DockerEngine, spec: ClusterSpec, progress: Progress): Promise<Underlay> {
  const own = await readSubnetAndRange(engine, spec.name);
  const used = await listUsedRanges(engine, getNetworkName(spec.name));
  const { is, taken } = chooseUnderlay(spec, own, used);
  if (taken !== undefined)
    progress.note(`${spec.underlayCidr} is in use (${taken.range}, ${taken.by}): the underlay is ${is.underlayCidr}`);
  return is;
}

/** @param own `subnet range` of the cluster's Docker network, if it is there. */
export function chooseUnderlay(
  spec: ClusterSpec,
  own: string | undefined,
  used: readonly UsedRange[],
): { readonly is: Underlay; readonly taken?: UsedRange } {
  const { underlayCidr, nodeRange, podRange } = spec;
  const wanted = { underlayCidr, nodeRange, podRange };
  const has = [wanted, ...(spec.underlayMayMove ? CANDIDATES : [])].find(
    (candidate) => own === `${candidate.underlayCidr} ${candidate.nodeRange}`,
  );
  if (has !== undefined) return { is: has };
  const taken = findConflict(underlayCidr, used);
  if (taken === undefined) return { is: wanted };
  const free = CANDIDATES.find((candidate) => findConflict(candidate.underlayCidr, used) === undefined);
  if (spec.underlayMayMove && free !== undefined) return { is: free, taken };
  throw new Error(
    `The underlay ${underlayCidr} is in use (${taken.range}, ${taken.by}): name another, as INTERLAY_UNDERLAY=${free?.underlayCidr ?? "172.30.0.0/16"}.`,
  );
}

/** All that is in use, but for the cluster's own Docker network. */
async function listUsedRanges(engine: DockerEngine, own: string): Promise<readonly UsedRange[]> {
  const [bridge, routes, ids] = await Promise.all([
    engine.docker(["network", "inspect", own, "--format", "br-{{slice .Id 0 12}}"]),
    runCommand(["ip", "-json", "-4", "route", "show"]),
    engine.docker(["network", "ls", "-q"]),
  ]);
  const networks = await engine.docker(["network", "inspect", ...ids.stdout.split("\n").filter((id) => id !== "")]);
  return [
    ...parseRoutes(routes.stdout).filter(({ by }) => by !== `the route by ${bridge.stdout.trim()}`),
    ...parseDockerNetworks(networks.stdout).filter(({ by }) => by !== `the Docker network ${own}`),
  ];
}
