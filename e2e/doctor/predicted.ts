import { BlockList } from "node:net";
import { getIpFamily } from "../../clusters/spec/address-ranges.ts";
import type { Cell, Group } from "../cells/cell.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import type { Findings, Pattern } from "./doctor.ts";

/** The groups whose cells the doctor predicts: those from pods and nodes. */
export const PREDICTED: readonly Group[] = ["matrix", "node-to-pod", "own-service", "api-server"];

/** Returns the ids of the cells that the doctor predicts to fail. Pure. */
export function listPredictedFailures(
  findings: Findings,
  cells: readonly Cell[],
  findNode: (pod: string) => string | undefined,
  getAddress: FindAddress,
): readonly string[] {
  const patterns = findings.filter(({ severity }) => severity === "fails").flatMap((finding) => finding.cells);
  return cells
    .filter((cell) => patterns.some((pattern) => matchesPattern(pattern, cell, findNode, getAddress)))
    .map(({ id }) => id);
}

/** Returns for each cell the first finding that predicts its failure: its likely cause. Pure. */
export function listLikelyCauses(
  findings: Findings,
  cells: readonly Cell[],
  findNode: (pod: string) => string | undefined,
): ReadonlyMap<string, Findings[number]> {
  const failing = findings.filter(({ severity }) => severity === "fails");
  return new Map(
    cells.flatMap((cell) => {
      const cause = failing.find((finding) => finding.cells.some((pattern) => matchesPattern(pattern, cell, findNode)));
      return cause === undefined ? [] : [[cell.id, cause] as const];
    }),
  );
}

/** Returns the address that a cell probes. */
type FindAddress = (cell: Cell) => string;

/** @param getAddress undefined: the network of a pattern is ignored */
function matchesPattern(
  pattern: Pattern,
  cell: Cell,
  findNode: (pod: string) => string | undefined,
  getAddress?: FindAddress,
): boolean {
  const server = cell.to.kind === "pod" ? cell.to.pod : cell.server;
  const matches = <T>(expected: T | undefined, actual: T | undefined) => expected === undefined || expected === actual;
  const includes = (expected: readonly string[] | undefined, actual: string) => expected?.includes(actual) ?? true;
  return (
    includes(pattern.sources, cell.source) &&
    matches(pattern.sourceNode, findNode(cell.from)) &&
    matches(pattern.sourcePod, `${NAMESPACE}/${cell.from}`) &&
    includes(pattern.targets, getTargetName(cell)) &&
    matches(pattern.targetNode, server === undefined ? undefined : findNode(server)) &&
    matches(pattern.targetPod, server === undefined ? undefined : `${NAMESPACE}/${server}`) &&
    (pattern.targetCidr === undefined ||
      getAddress === undefined ||
      isInNetwork(getAddress(cell), pattern.targetCidr)) &&
    matches(pattern.placement, cell.placement) &&
    includes(pattern.protocols, cell.protocol)
  );
}

export function isInNetwork(address: string, cidr: string): boolean {
  const family = getIpFamily(cidr);
  if (getIpFamily(address) !== family) return false;
  const [network = "", length = ""] = cidr.split("/");
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, family);
}

/** Returns the doctor's name for the target of a cell. */
function getTargetName({ group, to, target, source }: Cell): string {
  if (group === "node-port-local" || group === "pod-to-node-port-local") return "node-port-local";
  if (to.kind === "pod" && to.nic === "net1") return "multi-nic:net1";
  return target === "own-service" ? `${source}-service` : target;
}
