import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "../../../clusters/components/run-command.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { inNamespace, RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { IPAM_BENCH_NAMESPACE } from "./cluster-objects.ts";
import type { AnsweredCall } from "./ipam-calls.ts";
import { SOCKET_FILE } from "./orders.ts";

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string() }),
      spec: z.object({ nodeName: z.string() }),
    }),
  ),
});
const result = z.object({ ips: z.array(z.object({ address: z.string() })).default([]) });
/** IPAM plugins do not open the network namespace. */
const NETNS = "/var/run/netns/none";

/** A pod of a simulated node, for which a plugin is called. */
interface NodePod {
  readonly name: string;
  readonly uid: string;
}

/** A simulated node on which plugins are called: by their programs, without a command that enters a namespace. */
export interface NodePrograms {
  readonly node: string;
  readonly pods: readonly NodePod[];
  /** Runs an ADD for a pod. @throws with the output of the plugin */
  readonly add: (program: string, config: object, pod: NodePod) => Promise<AnsweredCall>;
}

/**
 * Lists the simulated nodes with their pods.
 *
 * @param directory of the nodes' agents
 */
export async function listNodePrograms(
  kube: KubeClient,
  directory: string,
  nodes: readonly string[],
): Promise<readonly NodePrograms[]> {
  const { items } = podList.parse(await kube.list(inNamespace(RESOURCE.pods, IPAM_BENCH_NAMESPACE)));
  return nodes.map((node) => ({
    node,
    pods: items.filter(({ spec }) => spec.nodeName === node).map(({ metadata }) => metadata),
    add: (program, config, pod) => addAddress(program, config, pod, join(directory, node, SOCKET_FILE)),
  }));
}

/** Creates a link with the name by which a program knows which plugin it is. @returns its path */
export async function linkProgram(program: string, directory: string, name: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const link = join(directory, name);
  await symlink(program, link);
  return link;
}

async function addAddress(program: string, config: object, pod: NodePod, socket: string): Promise<AnsweredCall> {
  const args = `K8S_POD_NAMESPACE=${IPAM_BENCH_NAMESPACE};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`;
  const env = {
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: pod.uid,
    CNI_NETNS: NETNS,
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;${args};K8S_POD_INFRA_CONTAINER_ID=${pod.uid}`,
    INTERLAY_CNI_SOCKET: socket,
  };
  const stdin = JSON.stringify({ cniVersion: "0.3.1", name: "bench", ...config });
  const started = performance.now();
  const { exitCode, stdout, stderr } = await runCommand([program], { env, stdin });
  const milliseconds = performance.now() - started;
  if (exitCode !== 0) throw new Error(`${program} ADD ended with ${exitCode}: ${stdout} ${stderr}`);
  const { ips } = result.parse(JSON.parse(stdout));
  return { milliseconds, addresses: ips.map(({ address }) => address.replace(/\/.*/, "")) };
}
