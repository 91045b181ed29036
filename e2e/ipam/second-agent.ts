import { listAgentProcesses, runOnNode } from "../support/agent-process.ts";
import { Eventually } from "../harness.ts";
import type { IpamContext } from "./ipam-context.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const AGENT = ["/host/opt/cni/bin/interlay", "agent"];

/** Place of the start time among the fields of /proc/PID/stat that follow the command's name (proc(5)). */
const START_TIME = 19;

/** Returns the processes of a node's agents, oldest first. Process ids say nothing of their age: they start again at pid_max. */
async function listAgentPids({ cluster }: IpamContext, node: string): Promise<readonly string[]> {
  const pids = await listAgentProcesses(cluster, node);
  const started = await Promise.all(
    pids.map(async (pid) => {
      const { stdout } = await cluster.exec(node, ["cat", `/proc/${pid}/stat`]);
      return { pid, start: Number(stdout.slice(stdout.lastIndexOf(")") + 2).split(" ")[START_TIME]) };
    }),
  );
  return started.toSorted((a, b) => a.start - b.start).map(({ pid }) => pid);
}

/** Starts a second agent in the container of the running one, as in a rollout of a DaemonSet with a surge. */
export async function startSecondAgent(context: IpamContext, node: string): Promise<void> {
  await context.api.attach(SYSTEM_NAMESPACE, await context.findAgentPod(node), AGENT);
  await Eventually(
    `two agents run on ${node}`,
    () => listAgentPids(context, node),
    (pids) => pids.length === 2,
  );
}

export async function findOldestAgent(context: IpamContext, node: string, signal: "KILL"): Promise<void> {
  const [oldest] = await listAgentPids(context, node);
  if (oldest === undefined) throw new Error(`no agent runs on ${node}`);
  await runOnNode(context.cluster, node, ["kill", `-${signal}`, oldest]);
}
