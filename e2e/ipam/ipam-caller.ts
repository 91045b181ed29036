import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";

const ipamResult = z.object({ ips: z.array(z.object({ address: z.string() })) });
const refusal = z.object({ code: z.number(), msg: z.string() });

export interface CallerPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export type CallAnswer =
  | { readonly address: string; readonly milliseconds: number }
  | { readonly code: number; readonly msg: string; readonly milliseconds: number };

/** Calls the IPAM plugin on a node as a runtime does, also without the API server. */
export class IpamCaller {
  readonly #cluster: Cluster;
  readonly #node: string;

  constructor(cluster: Cluster, node: string) {
    this.#cluster = cluster;
    this.#node = node;
  }

  /** Calls ADD; creates the container's network namespace if it does not exist. */
  async add(network: string, container: string, pod: CallerPod, ifname = "eth0"): Promise<CallAnswer> {
    await this.#cluster.exec(this.#node, ["ip", "netns", "add", container]);
    const started = performance.now();
    const { exitCode, stdout } = await this.#call("ADD", network, container, pod, ifname);
    const milliseconds = Math.round(performance.now() - started);
    const result: unknown = JSON.parse(stdout);
    if (exitCode !== 0) return { ...refusal.parse(result), milliseconds };
    return { address: ipamResult.parse(result).ips[0]?.address.split("/")[0] ?? "", milliseconds };
  }

  /** Calls DEL, and deletes the container's network namespace. */
  async delete(network: string, container: string, pod: CallerPod, ifname = "eth0"): Promise<void> {
    await this.#call("DEL", network, container, pod, ifname);
    await runOnNode(this.#cluster, this.#node, ["ip", "netns", "delete", container]);
  }

  #call(command: "ADD" | "DEL", network: string, container: string, pod: CallerPod, ifname: string) {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container,
      CNI_NETNS: `/var/run/netns/${container}`,
      CNI_IFNAME: ifname,
      CNI_PATH: "/opt/cni/bin",
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`,
    };
    const config = {
      cniVersion: "1.0.0",
      name: network,
      type: "macvlan",
      ipam: { type: "interlay-ipam", pools: [network] },
    };
    return this.#cluster.exec(
      this.#node,
      ["env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), "/opt/cni/bin/interlay-ipam"],
      { stdin: JSON.stringify(config) },
    );
  }
}
