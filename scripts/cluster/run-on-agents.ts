import { PassThrough } from "node:stream";
import { CoreV1Api, Exec, type KubeConfig } from "@kubernetes/client-node";

const NAMESPACE = "interlay-system";
/** Path of the installed executable in the agent's pod. */
const INTERLAY = "/host/opt/cni/bin/interlay";

/** An agent in which the command failed. */
export interface AgentFailure {
  readonly node: string;
  readonly error: string;
}

/**
 * Runs `interlay ARGUMENTS` in the agent's pod of each node.
 * @param parse converts the output of the command
 */
export async function runOnAgents<T>(
  config: KubeConfig,
  args: readonly string[],
  parse: (stdout: string) => T,
): Promise<{ readonly answers: readonly T[]; readonly failed: readonly AgentFailure[] }> {
  const { items } = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace: NAMESPACE, labelSelector: "app=interlay" });
  const answers: T[] = [];
  const failed: AgentFailure[] = [];
  await Promise.all(
    items.map(async ({ metadata, spec }) => {
      try {
        answers.push(parse(await execInAgent(config, metadata?.name ?? "", args)));
      } catch (error) {
        failed.push({ node: spec?.nodeName ?? "", error: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  return { answers, failed };
}

async function execInAgent(config: KubeConfig, pod: string, args: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = { stdout: "", stderr: "" };
  stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    new Exec(config)
      .exec(NAMESPACE, pod, "agent", [INTERLAY, ...args], stdout, stderr, null, false, ({ status, message }) => {
        if (status === "Success") resolve(output.stdout);
        else reject(new Error(output.stderr.trim() || (message ?? "the command could not be run in the agent's pod")));
      })
      .catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
  });
}
