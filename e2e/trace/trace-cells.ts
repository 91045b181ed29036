import type { TraceSnapshot } from "../../plugin/trace/snapshot.ts";
import { findNamespace } from "../../plugin/trace/tell/find-endpoint.ts";
import type { Trace, TraceRequest } from "../../plugin/trace/trace.ts";
import { buildTraceModel } from "../../plugin/trace/walk/build-trace-model.ts";
import { traceConnection } from "../../plugin/trace/walk/trace-connection.ts";
import { type Cell, EXTERNAL, type Group } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { buildHostPodName, NAMESPACE } from "../pods/suite-pods.ts";
import { EXTERNAL_HOST } from "./collect-cluster.ts";

/** Groups that a trace does not predict: packets that no program sends, and names that a server must resolve first. */
const NOT_TRACED: readonly Group[] = ["attack", "dns"];

/** Whether a trace can predict the cell. */
export function isTraced(cell: Pick<Cell, "group">): boolean {
  return !NOT_TRACED.includes(cell.group);
}

/** Whether the snapshot has the cell's client. Only snapshots of a lab have the external host. */
export function hasClient({ namespaces }: TraceSnapshot, { from }: Pick<Cell, "from">): boolean {
  return from !== EXTERNAL || namespaces.some(({ name }) => name === EXTERNAL_HOST);
}

/** Predictions of cells, and how long they took. */
export interface CellTraces {
  readonly traces: ReadonlyMap<string, Trace>;
  /** Milliseconds for all cells, with the compilation of the rules. */
  readonly milliseconds: number;
}

/** Traces cells in a snapshot. @throws an error if the snapshot lacks the client of a cell */
export function traceCells(
  snapshot: TraceSnapshot,
  cells: readonly Cell[],
  deployment: Pick<Deployment, "locate" | "namespace" | "workers">,
): CellTraces {
  const requests = cells.map((cell) => [cell.id, makeRequest(snapshot, cell, deployment)] as const);
  const started = performance.now();
  const model = buildTraceModel(snapshot);
  const traces = new Map(requests.map(([id, request]) => [id, traceConnection(model, request)] as const));
  return { traces, milliseconds: performance.now() - started };
}

function makeRequest(
  snapshot: TraceSnapshot,
  cell: Cell,
  { locate, namespace, workers }: Pick<Deployment, "locate" | "namespace" | "workers">,
): TraceRequest {
  const { address, port } = locate(cell);
  const worker = workers.find((_, index) => buildHostPodName(index) === cell.from);
  const source = cell.from === EXTERNAL ? EXTERNAL_HOST : (worker ?? `${namespace}/${cell.from}`);
  return {
    source: findNamespace(snapshot, source).id,
    destination: address,
    ...getService(cell),
    protocol: cell.protocol,
    port,
    ...(cell.bytes === undefined ? {} : { bytes: cell.bytes }),
  };
}

/** Returns the Service whose ClusterIP the cell's address is. */
function getService({ to }: Pick<Cell, "to">): Pick<TraceRequest, "service"> {
  if (to.kind === "api-server") return { service: "default/kubernetes" };
  return to.kind === "service" ? { service: `${NAMESPACE}/${to.service}` } : {};
}
