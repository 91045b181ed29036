import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { listFamilies } from "../../clusters/spec/address-ranges.ts";
import { runOnNode } from "../support/agent-process.ts";
import { findNetns } from "../agent/streams.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import type { Nic } from "../cells/cell.ts";
import { CLIENT } from "../deployment/deploy.ts";
import { toDeployedPod } from "../deployment/deployed-pods.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { Prober } from "../support/prober.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const claims = z.object({ items: z.array(z.object({ spec: z.object({ containerId: z.string() }) })) });

/** An underlay and a multi-NIC pod on the first worker that keep running without Interlay, and an overlay pod on each worker. */
export class KeptPods {
  static readonly selector = "probe in (kept-u, kept-m, target-1, target-2)";
  readonly #cluster: Cluster;
  readonly #api: ClusterApi;
  /** The first worker. */
  readonly #node: string;

  constructor(cluster: Cluster, api: ClusterApi, node: string) {
    this.#cluster = cluster;
    this.#api = api;
    this.#node = node;
  }

  /** Whether a pod gets a TCP answer from another pod. */
  async canReach(from: string, to: string, nic: Nic = "main"): Promise<boolean> {
    const address = await this.#getAddress(to, nic);
    const prober = new Prober(from, await this.#api.attach(NAMESPACE, from, CLIENT));
    try {
      return (await prober.probe({ protocol: "tcp", address, port: TCP_PORT, timeoutMs: 1500 })).ok;
    } finally {
      await prober.close();
    }
  }

  /** Probes all paths; all but the second use Interlay's routes through the pod's own node. */
  async probePaths(): Promise<Readonly<Record<string, boolean>>> {
    return {
      "underlay -> overlay on the other node": await this.canReach("kept-u", "target-2"),
      "multi-NIC -> overlay on the other node": await this.canReach("kept-m", "target-2"),
      "overlay -> underlay on its node": await this.canReach("target-1", "kept-u"),
      "overlay -> net1 on its node": await this.canReach("target-1", "kept-m", "net1"),
    };
  }

  async waitUntilAllWork(): Promise<void> {
    await Eventually(
      "every path of attached pods works",
      () => this.probePaths(),
      (paths) => Object.values(paths).every(Boolean),
    );
  }

  /** Returns the words that mark a line on their node as theirs: address, network namespace, link, container. */
  async listMarkers(): Promise<readonly string[]> {
    const markers = await Promise.all(
      ["kept-u", "kept-m"].map(async (pod) => {
        const address = await this.#getAddress(pod, "main");
        const route = await runOnNode(this.#cluster, this.#node, ["ip", "route", "show", address]);
        const netns = await findNetns(this.#cluster, this.#node, address);
        return [address, netns.split("/").at(-1), / dev (cali\S+)/.exec(route)?.[1]];
      }),
    );
    const { items } = claims.parse(await this.#api.objects.list(GROUP_VERSION, "UnderlayAddress"));
    return [...markers.flat().filter((name) => name !== undefined), ...items.map(({ spec }) => spec.containerId)];
  }

  async #getAddress(name: string, nic: Nic): Promise<string> {
    const pod = toDeployedPod(await this.#api.core.readNamespacedPod({ namespace: NAMESPACE, name }));
    const address = pod.addresses[nic][listFamilies(this.#cluster.spec)[0] ?? "ipv4"];
    if (address === undefined) throw new Error(`pod ${name} has no address on ${nic}`);
    return address;
  }
}
