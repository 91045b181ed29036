import { listAgentProcesses, runOnNode } from "../support/agent-process.ts";
import { Eventually } from "../harness.ts";
import type { IpamContext } from "./ipam-context.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const AGENT = ["/host/opt/cni/bin/interlay", "agent"];

/** Index of `starttime` in the fields of /proc/PID/stat after the command's name (proc(5)). */
const START_TIME_INDEX = 19;

/** Returns the process ids of a node's agents, oldest process first. The ids have another order after they reached pid_max. */
async function listAgentsByAge({ cluster }: IpamContext, node: string): Promise<readonly string[]> {
  const pids = await listAgentProcesses(cluster, node);
  const processes = await Promise.all(
    pids.map(async (pid) => {
      const { stdout } = await cluster.exec(node, ["cat", `/proc/${pid}/stat`]);
      return { pid, start: Number(stdout.slice(stdout.lastIndexOf(")") + 2).split(" ")[START_TIME_INDEX]) };
    }),
  );
  return processes.toSorted((a, b) => a.start - b.start).map(({ pid }) => pid);
}

/** Starts a second agent in the container of the running one, as a rollout of a DaemonSet with maxSurge does. */
export async function startSecondAgent(context: IpamContext, node: string): Promise<void> {
  await context.api.attach(SYSTEM_NAMESPACE, await context.findAgentPod(node), AGENT);
  await Eventually(
    `two agents run on ${node}`,
    () => listAgentsByAge(context, node),
    (pids) => pids.length === 2,
  );
}

/** Kills the agent process of a node that started first. */
export async function killOldestAgent(context: IpamContext, node: string): Promise<void> {
  const [oldest] = await listAgentsByAge(context, node);
  if (oldest === undefined) throw new Error(`no agent runs on ${node}`);
  await runOnNode(context.cluster, node, ["kill", "-KILL", oldest]);
}
