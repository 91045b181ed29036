import { z } from "zod";
import type { Kubectl } from "./kubectl.ts";
import { reportsReady } from "./ready-condition.ts";

const TIMEOUT_SECONDS = 180;

/**
 * Waits until every node is Ready and every pod of the workloads is ready.
 *
 * @param workloads namespace and name, like `daemonset/interlay`
 * @param hint where to look if all pods are ready
 * @throws after the timeout, with the pods that are not ready, their reasons and last log lines
 */
export async function waitUntilReady(
  kubectl: Kubectl,
  workloads: readonly (readonly [string, string])[],
  hint = "see kubectl describe nodes",
): Promise<void> {
  const waits = [
    ...workloads.map(([namespace, workload]) => kubectl.waitForRollout(workload, namespace, TIMEOUT_SECONDS)),
    kubectl.run(["wait", "--for=condition=Ready", "nodes", "--all", `--timeout=${TIMEOUT_SECONDS}s`]),
  ];
  try {
    await Promise.all(waits);
  } catch (error) {
    await Promise.allSettled(waits);
    throw new Error(await describeUnreadyPods(kubectl, hint), { cause: error });
  }
}

async function describeUnreadyPods(kubectl: Kubectl, hint: string): Promise<string> {
  const unready = findUnreadyPods(await kubectl.run(["get", "pods", "--all-namespaces", "-o", "json"]));
  const lines = await Promise.all(
    unready.map(async ({ namespace, name, node, reason }) => {
      const logs = await kubectl.run(["-n", namespace, "logs", name, "--tail=1"]).catch(() => "");
      return `${namespace}/${name} on ${node}: ${reason}${logs === "" ? "" : `; last log line: ${logs.trim()}`}`;
    }),
  );
  return [
    `The cluster is not ready after ${TIMEOUT_SECONDS} s${lines.length === 0 ? `; ${hint}.` : ":"}`,
    ...lines,
  ].join("\n");
}

interface UnreadyPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly reason: string;
}

const state = z.object({
  waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
});
const pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ namespace: z.string(), name: z.string() }),
      spec: z.object({ nodeName: z.string().optional() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
        containerStatuses: z.array(z.object({ state: state.optional() })).optional(),
        initContainerStatuses: z.array(z.object({ state: state.optional() })).optional(),
      }),
    }),
  ),
});

/** Returns the pods that are not Ready, each with the reason that Kubernetes reports. @param list PodList as JSON */
export function findUnreadyPods(list: string): readonly UnreadyPod[] {
  return pods.parse(JSON.parse(list)).items.flatMap(({ metadata, spec, status }) => {
    if (reportsReady(status)) return [];
    const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const waiting = containers.flatMap(({ state }) => (state?.waiting === undefined ? [] : [state.waiting]));
    const reasons = waiting.map(({ reason, message }) =>
      [reason, message].filter((part) => part !== undefined).join(": "),
    );
    return [{ ...metadata, node: spec.nodeName ?? "no node", reason: reasons.at(-1) ?? "running, but not ready" }];
  });
}
