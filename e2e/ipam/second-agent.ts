import { listAgentProcesses, execOrThrow } from "../support/agent-process.ts";
import { Eventually } from "../harness.ts";
import type { IpamContext } from "./context.ts";

const AGENT = ["/host/opt/cni/bin/interlay", "agent"];
const SYSTEM = "interlay-system";

/** Processes of a node's agents, the one that was started first before the others. */
async function agentsOf({ cluster }: IpamContext, node: string): Promise<readonly string[]> {
  return (await listAgentProcesses(cluster, node)).toSorted((a, b) => Number(a) - Number(b));
}

/** Starts another agent beside the one that runs, in its container, as it is when a DaemonSet is rolled out with a surge. */
export async function startSecondAgent(world: IpamContext, node: string): Promise<void> {
  await world.api.attach(SYSTEM, await world.agentOn(node), AGENT);
  await Eventually(
    `two agents run on ${node}`,
    () => agentsOf(world, node),
    (pids) => pids.length === 2,
  );
}

export async function findOldestAgent(world: IpamContext, node: string, signal: "KILL"): Promise<void> {
  const [oldest] = await agentsOf(world, node);
  if (oldest === undefined) throw new Error(`no agent runs on ${node}`);
  await execOrThrow(world.cluster, node, ["kill", `-${signal}`, oldest]);
}
