import type { NodeStatus, InstallationObservation } from "./observation.ts";

interface NodeVerdict extends NodeStatus {
  readonly name: string;
  readonly ready: boolean;
}

/** Whether Interlay works in a cluster. The JSON of `interlay status`. */
export interface InstallationStatus {
  readonly ready: boolean;
  /** One sentence for each reason why it is not ready, with what to do. */
  readonly problems: readonly string[];
  readonly server: string;
  readonly agents?: NonNullable<InstallationObservation["agents"]>;
  readonly nodes: readonly NodeVerdict[];
  readonly pools: InstallationObservation["pools"];
}

/**
 * Returns whether Interlay is ready, and why not. A cluster is ready if it has a controller, and on each scheduled node an agent
 * whose conditions are True.
 * @param needsPool whether a cluster without an UnderlayPool is not ready
 */
export function judgeInstallation(
  { server, agents, controllers, pods, nodes, pools }: InstallationObservation,
  needsPool = true,
): InstallationStatus {
  if (agents === undefined)
    return { ready: false, problems: ["Interlay is not installed: run interlay install."], server, nodes: [], pools };
  const verdicts = [...pods.keys()].sort().map((name) => judgeNode(name, pods.get(name) === true, nodes.get(name)));
  const problems = [
    ...findRolloutProblems(agents),
    ...findControllerProblems(controllers),
    ...verdicts.flatMap(({ verdict, problem }) => (problem === undefined ? [] : [`${verdict.name}: ${problem}`])),
    ...(needsPool && pools.length === 0
      ? ["No UnderlayPool exists: pods get no underlay address. Create one (docs/install.md)."]
      : []),
    ...pools
      .filter(({ free }) => free === 0)
      .map(
        ({ name }) => `UnderlayPool ${name} has no free address: add a range, or see interlay ip list --pool ${name}.`,
      ),
  ];
  return {
    ready: problems.length === 0,
    problems,
    server,
    agents,
    nodes: verdicts.map(({ verdict }) => verdict),
    pools,
  };
}

function findRolloutProblems({
  observed,
  desired,
  updated,
  ready,
}: NonNullable<InstallationObservation["agents"]>): readonly string[] {
  if (!observed) return ["The DaemonSet's controller has not seen its newest version yet."];
  if (desired === 0) return ["No agent is scheduled: see kubectl -n interlay-system describe daemonset interlay."];
  const pods = "see kubectl -n interlay-system get pods -o wide";
  if (updated < desired) return [`${updated} of ${desired} agents have the newest version: ${pods}.`];
  return ready < desired ? [`${ready} of ${desired} agents are ready: ${pods}.`] : [];
}

function findControllerProblems(controllers: InstallationObservation["controllers"]): readonly string[] {
  if (controllers === undefined) return ["The Deployment interlay-controller does not exist: run interlay install."];
  if (controllers.ready > 0) return [];
  return [
    "No replica of the controller is ready: see kubectl -n interlay-system describe deployment interlay-controller.",
  ];
}

function judgeNode(
  name: string,
  hasReadyAgent: boolean,
  status: NodeStatus | undefined,
): { readonly verdict: NodeVerdict; readonly problem?: string } {
  const empty = { returnPath: null, kubeProxy: null, attachments: 0, conditions: [] };
  const nodeStatus = { name, ...(status ?? empty) };
  // The conditions of an agent that does not run may be old.
  if (!hasReadyAgent) return { verdict: { ...nodeStatus, ready: false }, problem: "its agent is not ready." };
  if (status === undefined || status.conditions.length === 0)
    return { verdict: { ...nodeStatus, ready: false }, problem: "its agent has not published a NodeState yet." };
  const failed = status.conditions.filter((condition) => condition.status !== "True");
  if (failed.length === 0) return { verdict: { ...nodeStatus, ready: true } };
  const reasons = failed.map(({ type, reason, message }) => `${type} (${reason}): ${message}`);
  return { verdict: { ...nodeStatus, ready: false }, problem: reasons.join(" ") };
}
