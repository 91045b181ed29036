import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { execInPod } from "../../clusters/kubernetes/pod-exec.ts";
import type { ExecResult } from "../../clusters/provider/provider.ts";

/** Path of the installed executable in the agent's pod. */
export const AGENT_EXECUTABLE = "/host/opt/cni/bin/interlay";

/** An agent in which the command failed. */
export interface AgentFailure {
  readonly node: string;
  readonly error: string;
}

/** Lists the nodes with an agent. @returns names of the agents' pods by node */
export async function listAgents(config: KubeConfig): Promise<ReadonlyMap<string, string>> {
  const { items } = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace: SYSTEM_NAMESPACE, labelSelector: "app=interlay" });
  return new Map(items.map(({ metadata, spec }) => [spec?.nodeName ?? "", metadata?.name ?? ""]));
}

/** Runs a program in an agent's pod to its end, in the network namespace of its node. */
export function execInAgent(config: KubeConfig, pod: string, argv: readonly string[]): Promise<ExecResult> {
  return execInPod(config, { namespace: SYSTEM_NAMESPACE, pod, container: "agent" }, argv);
}

/**
 * Runs `interlay ARGUMENTS` in the agent's pod of each node.
 * @param parse converts the output of the command
 * @returns the converted outputs, and the agents in which the command failed
 */
export async function runOnAgents<T>(
  config: KubeConfig,
  args: readonly string[],
  parse: (stdout: string, node: string) => T,
): Promise<{ readonly answers: readonly T[]; readonly failed: readonly AgentFailure[] }> {
  const answers: T[] = [];
  const failed: AgentFailure[] = [];
  await Promise.all(
    [...(await listAgents(config))].map(async ([node, pod]) => {
      try {
        const { exitCode, stdout, stderr } = await execInAgent(config, pod, [AGENT_EXECUTABLE, ...args]);
        if (exitCode !== 0) throw new Error(stderr.trim() || `interlay ${args.join(" ")} ended with ${exitCode}`);
        answers.push(parse(stdout, node));
      } catch (error) {
        failed.push({ node, error: getErrorMessage(error) });
      }
    }),
  );
  return { answers, failed };
}
