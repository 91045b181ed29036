import { PassThrough } from "node:stream";
import { CoreV1Api, Exec, type KubeConfig } from "@kubernetes/client-node";

const NAMESPACE = "interlay-system";
/** Where the DaemonSet mounts the executable that it has installed. */
const INTERLAY = "/host/opt/cni/bin/interlay";

export interface AgentFailure {
  readonly node: string;
  readonly error: string;
}

/** `interlay ARGUMENTS` in each node's agent's pod. */
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
        answers.push(parse(await run(config, metadata?.name ?? "", args)));
      } catch (error) {
        failed.push({ node: spec?.nodeName ?? "", error: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  return { answers, failed };
}

async function run(config: KubeConfig, pod: string, args: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const said = { stdout: "", stderr: "" };
  stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    new Exec(config)
      .exec(NAMESPACE, pod, "agent", [INTERLAY, ...args], stdout, stderr, null, false, ({ status, message }) => {
        if (status === "Success") resolve(said.stdout);
        else reject(new Error(said.stderr.trim() || (message ?? "the agent's pod could not be asked")));
      })
      .catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
  });
}
