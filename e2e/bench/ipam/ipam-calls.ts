import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { runOnNode } from "../../support/agent-process.ts";
import { POD_LABELS } from "./orders.ts";

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
      spec: z.object({ nodeName: z.string().default("") }),
    }),
  ),
});

const result = z.object({ ips: z.array(z.object({ address: z.string() })).default([]) });

export interface AnsweredCall {
  readonly milliseconds: number;
  /** Addresses of the result, without prefix length. */
  readonly addresses: readonly string[];
}

/** Calls of CNI plugins on a node of the lab, for an existing pod and an unused network namespace. */
export interface IpamCalls {
  readonly node: string;
  /**
   * Calls a plugin.
   *
   * @param plugin name of an installed plugin, or path of another one
   * @throws with the output of the plugin
   */
  call(plugin: string, command: "ADD" | "DEL", id: string, config: object, ifname?: string): Promise<AnsweredCall>;
  /** Deletes the network namespace: the agent forgets the addresses of its calls when their objects are deleted. */
  close(): Promise<void>;
}

export async function createCalls(cluster: Cluster, kube: KubeClient, node: string): Promise<IpamCalls> {
  const pods = podList.parse(await kube.list(RESOURCE.systemPods, { fieldSelector: `spec.nodeName=${node}` })).items;
  const pod = pods.find(({ metadata }) => metadata.name.startsWith("kube-proxy"))?.metadata;
  if (pod === undefined) throw new Error(`no kube-proxy runs on ${node}`);
  await kube.mergePatch(RESOURCE.systemPods, pod.name, { metadata: { labels: POD_LABELS } });
  const netns = `bench-${randomUUID().slice(0, 8)}`;
  await runOnNode(cluster, node, ["ip", "netns", "add", netns]);
  const args = `K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`;
  return {
    node,
    async call(plugin, command, id, config, ifname = "eth0") {
      const env = {
        CNI_COMMAND: command,
        CNI_CONTAINERID: id,
        CNI_NETNS: `/var/run/netns/${netns}`,
        CNI_IFNAME: ifname,
        CNI_PATH: "/opt/cni/bin",
        CNI_ARGS: `IgnoreUnknown=1;${args};K8S_POD_INFRA_CONTAINER_ID=${id}`,
      };
      const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const argv = ["env", ...variables, resolve("/opt/cni/bin", plugin)];
      const stdin = JSON.stringify({ cniVersion: "0.3.1", name: "bench", type: plugin, ...config });
      const started = performance.now();
      const { exitCode, stdout, stderr } = await cluster.exec(node, argv, { stdin });
      const milliseconds = performance.now() - started;
      if (exitCode !== 0) throw new Error(`${plugin} ${command} ended with ${exitCode}: ${stdout} ${stderr}`);
      const { ips } = result.parse(stdout.trim() === "" ? {} : JSON.parse(stdout));
      return { milliseconds, addresses: ips.map(({ address }) => address.replace(/\/.*/, "")) };
    },
    async close() {
      await runOnNode(cluster, node, ["ip", "netns", "delete", netns]);
    },
  };
}
