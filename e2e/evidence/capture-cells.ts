import type { Cluster } from "../../clusters/provider/provider.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells, reserveTokens } from "../deployment/run-cells.ts";
import { formatToken } from "../probe/protocol.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { findWrongAddress } from "./expected-addresses.ts";
import { startCapture, type CapturePoint } from "./capture.ts";
import { buildExpectedPath } from "./expected.ts";
import { describeLastHop, listDivergences, findWrongPath } from "./compare-path.ts";
import { type PacketPath, collectPaths, type PlaceNames } from "./path.ts";
import { HANDSHAKE } from "./pcap.ts";

interface CaptureContext {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
  readonly variant: Variant;
}

/**
 * Probes cells with captures in every network namespace, and compares the packets' paths. Cells that were answered on a wrong
 * path are probed once more: a capture can miss a packet on a busy machine; a wrong route stays wrong.
 */
export async function captureCells(context: CaptureContext, cells: readonly Cell[]): Promise<CellResult[]> {
  const firstResults = await captureCellsOnce(context, cells);
  const unexplained = cells.filter(
    (_, index) => firstResults[index]?.ok === false && firstResults[index].actual === "pass",
  );
  if (unexplained.length === 0) return firstResults;
  const secondResults = new Map((await captureCellsOnce(context, unexplained)).map((result) => [result.id, result]));
  return firstResults.map((result) => {
    const second = secondResults.get(result.id);
    return second === undefined ? result : { ...second, attempts: result.attempts + second.attempts };
  });
}

async function captureCellsOnce(
  { cluster, deployment, variant }: CaptureContext,
  cells: readonly Cell[],
): Promise<CellResult[]> {
  const capture = await startCapture(cluster, deployment.pods);
  try {
    const firstToken = reserveTokens(cells.length);
    const results = await runCells(cells, variant, deployment, { ...DEFAULT_RUN, firstToken });
    return withPaths(results, cells, await capture.stop(), describePlaces(cluster, deployment), firstToken, {
      getAddress: (...endpoint) => deployment.getAddress(...endpoint),
      returnPath: variant.returnPath,
    });
  } catch (error) {
    await capture.stop().catch(() => undefined); // the first error is the cause
    throw error;
  }
}

/** Probes cells that failed or were blocked once more, and adds the packets' paths to their results; the first verdict stays. */
export async function recaptureCells(
  context: CaptureContext,
  cells: readonly Cell[],
  results: readonly CellResult[],
): Promise<CellResult[]> {
  const recapturedIds = new Set(
    results.filter(({ ok, blockedBy }) => !ok || blockedBy === "invalid-rule").map(({ id }) => id),
  );
  if (recapturedIds.size === 0) return [...results];
  const recaptured = await captureCellsOnce(
    context,
    cells.filter(({ id }) => recapturedIds.has(id)),
  );
  const byId = new Map(recaptured.map((result) => [result.id, result]));
  return results.map((result) => {
    const second = byId.get(result.id);
    const path = second?.evidence?.path;
    if (second === undefined || path === undefined) return result;
    const explanation =
      second.actual === result.actual
        ? describeLastHop(path.expected, path.seen)
        : "probed again to see the path, it was answered: a flake?";
    return {
      ...result,
      evidence: { ...result.evidence, ...second.evidence },
      reason: `${result.reason ?? ""}; ${explanation}`,
    };
  });
}

/** Adds to each result the path of its packets, and fails cells that were answered on another path than the documented one. */
function withPaths(
  results: readonly CellResult[],
  cells: readonly Cell[],
  points: readonly CapturePoint[],
  places: PlaceNames,
  firstToken: number,
  { getAddress, returnPath }: Pick<Deployment, "getAddress"> & Pick<Variant, "returnPath">,
): CellResult[] {
  const paths = collectPaths(points, places);
  return results.map((result, index) => {
    const cell = cells[index];
    const expected = cell && buildExpectedPath(cell, returnPath);
    if (cell === undefined || expected === undefined) return result;
    const handshake = selectHandshake(cell, result, paths);
    // In a blocked cell the request is dropped, not the handshake.
    const fallback = result.expected === "pass" ? handshake : undefined;
    const seen = paths.get(formatToken(firstToken + index)) ?? fallback ?? { request: [], reply: [] };
    const evidence = { ...result.evidence, path: { expected: toMutable(expected), seen: toMutable(seen) } };
    if (result.actual === "fail") {
      const explanations = [
        ...(handshake === undefined ? [] : listDivergences(expected, handshake)),
        describeLastHop(expected, seen),
      ];
      return { ...result, evidence, reason: [result.reason ?? "", ...new Set(explanations)].join("; ") };
    }
    const problem =
      findWrongPath(expected, seen) ??
      findWrongAddress(seen, {
        requested: result.address,
        server: isSeenByServer(cell, seen)
          ? getAddress(result.to, cell.reaches?.nic ?? "main", cell.family)
          : undefined,
        sources: result.expectedSource,
      });
    return problem === undefined
      ? { ...result, evidence }
      : { ...result, evidence, ok: false, reason: `answered, but not by the documented path: ${problem}` };
  });
}

/** Whether the last place of the request is the server's: the external host and pods in the nodes' network have no capture. */
const isSeenByServer = (cell: Cell, { request }: PacketPath): boolean =>
  cell.server !== undefined && request.at(-1)?.place === cell.server;

/** Returns the path of the SYN that a cell's client pod sent to the cell's address; undefined if none was captured. */
function selectHandshake(
  cell: Cell,
  { address }: CellResult,
  paths: ReadonlyMap<string, PacketPath>,
): PacketPath | undefined {
  if (cell.protocol !== "tcp") return undefined;
  for (const [token, path] of paths) {
    const [first] = path.request;
    if (token.startsWith(HANDSHAKE) && first?.place === cell.from && first.destination === address) return path;
  }
  return undefined;
}

function toMutable<T>({ request, reply }: { request: readonly T[]; reply: readonly T[] }): {
  request: T[];
  reply: T[];
} {
  return { request: [...request], reply: [...reply] };
}

function describePlaces(cluster: Cluster, deployment: Deployment): PlaceNames {
  const owners = new Map(
    cluster.nodes.flatMap(({ name, address, address6 = address }) =>
      [address, address6].map((nodeAddress) => [nodeAddress, name]),
    ),
  );
  for (const { node, addresses } of deployment.pods.values())
    for (const address of [addresses.main, addresses.net1].flatMap((nic) => Object.values(nic)))
      if (!owners.has(address)) owners.set(address, node);
  const nodes = new Set(cluster.nodes.map(({ name }) => name));
  return {
    isNode: (place) => nodes.has(place),
    name: (place) => {
      if (!nodes.has(place)) return place;
      const index = deployment.workers.indexOf(place);
      return index < 0 ? "control-plane" : `node-${index + 1}`;
    },
    findNode: (address) => owners.get(address),
  };
}
