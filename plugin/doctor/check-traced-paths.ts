import { containsIp, parseCidr, parseIp } from "../datapath/address.ts";
import { mergeSnapshots } from "../trace/collect/merge-snapshots.ts";
import { checkPaths, type FailedPath } from "../trace/paths/trace-paths.ts";
import { isPolicyRule } from "../trace/paths/policy-rule.ts";
import { findRemedy } from "../trace/tell/find-remedy.ts";
import { type CellPattern, type Finding, SERVICE_TARGETS, type Target } from "./finding.ts";
import type { Snapshot } from "./node-snapshot.ts";

const CLUSTER_CIDR =
  "kube-proxy does not masquerade this connection, so the answer does not return by the node that translated: set clusterCIDR to the overlay networks in ConfigMap kube-system/kube-proxy, and see whether the agent of this node runs.";

/**
 * Traces the paths between pods of each type and to Services through the kernels' state, and reports those that fail and that no
 * other finding explains.
 *
 * @param findings findings of the other checks
 */
export function checkTracedPaths({ nodes, cluster }: Snapshot, findings: readonly Finding[]): readonly Finding[] {
  const unread = nodes
    .filter(({ trace }) => trace === null)
    .map(({ node }): Finding => ({
      check: "paths-unknown",
      severity: "warning",
      node,
      message: `The kernel's state of ${node} could not be read: no path through it was traced.`,
      remedy: "Run `interlay trace --collect` in the agent's pod, and see what it prints.",
      cells: [],
    }));
  const traced = nodes.flatMap(({ trace }) => trace ?? []);
  if (traced.length === 0) return unread;
  const snapshot = mergeSnapshots(traced, cluster?.pods ?? []);
  const { failed } = checkPaths(snapshot, {
    services: cluster?.services ?? [],
    isPodChosen: (name) => cluster?.pods === undefined || name.includes("/"),
  });
  const explainedCells = findings.filter(({ severity }) => severity === "fails").flatMap(({ cells }) => cells);
  const unexplained = failed.filter((path) => !explainedCells.some((pattern) => coversPath(pattern, path)));
  const names = new Map(snapshot.namespaces.map(({ id, name }) => [id, name]));
  return [...unread, ...groupByCause(unexplained).map((paths) => createFinding(paths, names))];
}

/** Groups paths by the cause of their failure: a rule, or the kind of failure in a namespace. */
function groupByCause(paths: readonly FailedPath[]): readonly (readonly [FailedPath, ...FailedPath[]])[] {
  const groups = new Map<string, [FailedPath, ...FailedPath[]]>();
  for (const path of paths) {
    const { kind, namespace, rule } = path.failure;
    const key = `${kind} ${namespace} ${rule?.chain ?? ""} ${rule?.text ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [path]);
    else group.push(path);
  }
  return [...groups.values()];
}

function createFinding(paths: readonly [FailedPath, ...FailedPath[]], names: ReadonlyMap<string, string>): Finding {
  const [first] = paths;
  const { failure, source } = first;
  const where = names.get(failure.namespace) ?? failure.namespace;
  const others = paths.length === 1 ? "" : `; ${paths.length - 1} more paths fail there`;
  const isUnknown = failure.verdict === "unknown";
  const isPolicy = isPolicyRule(failure.rule);
  return {
    check: isUnknown ? "paths-unknown" : "path",
    severity: isUnknown || isPolicy ? "warning" : "fails",
    node: source.node,
    message: `${describePath(first)} ${isUnknown ? "cannot be decided" : "fails"} in ${where}: ${failure.text}${others}.`,
    remedy: `${findPathRemedy(first)} \`interlay trace ${source.namespace.name} ${formatTarget(first)}\` shows every step.`,
    cells: isUnknown || isPolicy ? [] : paths.map(toPattern),
  };
}

function findPathRemedy({ failure, target }: FailedPath): string {
  if (target.kind === "service" && failure.kind === "wrong-reply") return CLUSTER_CIDR;
  return findRemedy(failure) ?? "See what the rule or link is for.";
}

function describePath({ source, target, request }: FailedPath): string {
  const targetName =
    target.kind === "service"
      ? `Service ${target.service.name}`
      : `${target.endpoint.namespace.name} (${target.kind} on ${target.endpoint.node})`;
  return `${request.protocol} from ${source.namespace.name} (${source.kind} on ${source.node}) to ${targetName}`;
}

function formatTarget({ request: { destination, protocol, port } }: FailedPath): string {
  const host = destination.includes(":") ? `[${destination}]` : destination;
  if (protocol === "icmp") return `${destination} --protocol icmp`;
  return `${host}:${port}${protocol === "udp" ? " --protocol udp" : ""}`;
}

/** Returns the cells of these two endpoints only: other endpoints of their types may differ. */
function toPattern({ source, target, request, server }: FailedPath): CellPattern {
  return {
    sources: [source.kind],
    sourceNode: source.node,
    ...(source.kind === "node" ? {} : { sourcePod: source.namespace.name }),
    ...(target.kind === "service"
      ? { targets: listServiceTargets(server?.kind), ...(server === undefined ? {} : { targetPod: server.name }) }
      : {
          targets: [target.kind],
          targetNode: target.endpoint.node,
          targetPod: target.endpoint.namespace.name,
          placement: target.placement,
        }),
    targetCidr: request.destination.includes(":") ? "::/0" : "0.0.0.0/0",
    protocols: [request.protocol],
  };
}

function listServiceTargets(server: NonNullable<FailedPath["server"]>["kind"] | undefined): readonly Target[] {
  if (server === undefined) return SERVICE_TARGETS;
  return server === "node" ? ["api-server"] : [`${server}-service`];
}

/** Reports whether a pattern of another finding contains the path. */
function coversPath(pattern: CellPattern, { source, target, request, server }: FailedPath): boolean {
  const matches = (expected: string | undefined, actual: string | undefined): boolean =>
    expected === undefined || expected === actual;
  const targets = target.kind === "service" ? listServiceTargets(server?.kind) : [target.kind];
  const endpoint = target.kind === "service" ? undefined : target.endpoint;
  const pod = target.kind === "service" ? server?.name : target.endpoint.namespace.name;
  return (
    (pattern.sources?.includes(source.kind) ?? true) &&
    matches(pattern.sourceNode, source.node) &&
    matches(pattern.sourcePod, source.namespace.name) &&
    (pattern.targets === undefined || targets.some((targetKind) => pattern.targets?.includes(targetKind))) &&
    (endpoint === undefined || matches(pattern.targetNode, endpoint.node)) &&
    matches(pattern.targetPod, pod) &&
    (pattern.targetCidr === undefined || isInNetwork(pattern.targetCidr, request.destination)) &&
    (target.kind === "service" || matches(pattern.placement, target.placement)) &&
    (pattern.protocols?.includes(request.protocol) ?? true)
  );
}

function isInNetwork(cidr: string, address: string): boolean {
  return cidr.includes(":") === address.includes(":") && containsIp(parseCidr(cidr), parseIp(address));
}
