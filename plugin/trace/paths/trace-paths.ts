import type { TraceSnapshot } from "../snapshot.ts";
import type { TraceFailure, TracePath } from "../trace.ts";
import { buildTraceModel, type TraceModel } from "../walk/build-trace-model.ts";
import { traceConnection } from "../walk/trace-connection.ts";
import { classifyNamespace, type EndpointKind } from "./endpoint.ts";
import { listPaths, type Path, type PathSelection } from "./list-paths.ts";

/** A path that fails, or that the model cannot decide. */
export interface FailedPath extends Path {
  readonly failure: TraceFailure;
  /** Server of a Service, if the request reached one. */
  readonly server?: { readonly kind: EndpointKind; readonly name: string };
}

/** Result of tracing many paths. */
export interface PathReport {
  readonly count: number;
  readonly failed: readonly FailedPath[];
}

/** Matches kube-proxy's rules for Services without endpoints, which are not failures of the network. */
const NO_ENDPOINTS = /has no (?:local )?endpoints|no-endpoint/;

/**
 * Traces the paths of a cluster, or of one node. A path that leaves the snapshot is neither counted nor reported, because its
 * result depends on other nodes.
 */
export function checkPaths(snapshot: TraceSnapshot, selection: PathSelection): PathReport {
  const model = buildTraceModel(snapshot);
  let count = 0;
  const failed = listPaths(snapshot, selection).flatMap((path): readonly FailedPath[] => {
    const { paths } = traceConnection(model, path.request);
    const failing =
      paths.find(({ failure }) => failure !== undefined && failure.verdict !== "unknown") ??
      paths.find(({ failure }) => failure !== undefined);
    if (failing?.failure === undefined) {
      count += 1;
      return [];
    }
    const { failure } = failing;
    if (failure.kind === "outside" || NO_ENDPOINTS.test(failure.rule?.text ?? failure.rule?.chain ?? "")) return [];
    count += 1;
    const server = findServer(model, failing);
    return [{ ...path, failure, ...(server === undefined ? {} : { server }) }];
  });
  return { count, failed };
}

function findServer(model: TraceModel, { server }: TracePath): FailedPath["server"] {
  const snapshot = server && model.findNamespace(server.namespace)?.state.snapshot;
  const kind = snapshot && classifyNamespace(snapshot);
  return snapshot === undefined || kind === undefined ? undefined : { kind, name: snapshot.name };
}
