import { installInterlay, listPools } from "../../clusters/addons/install-addons.ts";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { type ChaosPod, createChaosPod, deletePod, type PodContext, waitForChaosPod } from "../chaos/chaos-context.ts";
import { By, DeferCleanup, Eventually } from "../harness.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import type { PodType } from "../../results/schema.ts";
import { runOnNode } from "../support/agent-process.ts";
import { type ClusterApi, removeNamespace } from "../support/cluster-api.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import { listPodIdentities, readAgentImage, waitForAgents } from "./agents.ts";
import { readSettledNodes, uninstallWithPods } from "./bare-nodes.ts";
import { type Helm, splitReference } from "./helm.ts";
import { KeptPods } from "./kept-pods.ts";
import { createKubectl } from "./create-kubectl.ts";

/** Interval of checks by the cluster's controllers. */
export const POLL = { timeout: 60_000 } as const;
/** Strict rp_filter, as some distributions set it; the agent makes it loose. */
const STRICT = "net/ipv4/conf/vxlan.calico/rp_filter";

/** Registers a spec that needs the earlier ones of its group. */
export type SequenceSpec = (title: string, body: (context: InstallContext) => Promise<void>) => void;

/** Cluster whose workers had no Interlay at the start, and what Helm installs there. */
export class InstallContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  readonly kubectl: Kubectl;
  readonly helm: Helm;
  readonly workers: readonly [string, string];
  /** The agents' image. */
  readonly image: string;
  /** Values of the chart. */
  values: Readonly<Record<string, unknown>>;
  readonly keptPods: KeptPods;
  readonly #pods: PodContext;
  #bareNodes: readonly string[] = [];

  private constructor(cluster: Cluster, api: ClusterApi, kubectl: Kubectl, helm: Helm, image: string) {
    this.cluster = cluster;
    this.api = api;
    this.kubectl = kubectl;
    this.helm = helm;
    this.image = image;
    const [first = "", second = ""] = cluster.nodes.flatMap(({ role, name }) => (role === "worker" ? name : []));
    this.workers = [first, second];
    this.#pods = { api, cluster, testPods: new Map() };
    this.keptPods = new KeptPods(cluster, api, first);
    const pools = listPools(cluster.spec);
    this.values = {
      image: splitReference(image),
      pools,
      networks: [{ name: "underlay", pools: pools.map(({ name }) => name) }],
      metrics: { enabled: true },
      test: { image: splitReference(cluster.probeImage) },
    };
  }

  /** Removes Interlay from the cluster until the group ends. For BeforeAll. */
  static async setup(cluster: Cluster, api: ClusterApi, helm: Helm): Promise<InstallContext> {
    const kubectl = await createKubectl(cluster);
    const context = new InstallContext(cluster, api, kubectl, helm, await readAgentImage(kubectl));
    DeferCleanup(() => context.#restoreInterlay());
    await uninstallWithPods(api, cluster);
    const [first, second] = context.workers;
    await runOnNode(cluster, first, ["iptables", "-P", "FORWARD", "DROP"]); // as Docker does
    await By("an overlay pod on each worker", async () => {
      await context.startPod("target-1", first, "overlay");
      await context.startPod("target-2", second, "overlay");
    });
    await runOnNode(cluster, second, ["sysctl", "-w", `${STRICT}=1`]);
    context.#bareNodes = await By("the nodes without Interlay", () => readSettledNodes(cluster));
    return context;
  }

  /** State of the nodes before Interlay. */
  get bareNodes(): readonly string[] {
    return this.#bareNodes;
  }

  createPod(name: string, node: string, type: PodType): Promise<ChaosPod> {
    return createChaosPod(this.#pods, { name, node, type });
  }

  waitUntilReady(pod: ChaosPod): Promise<void> {
    return waitForChaosPod(this.#pods, pod);
  }

  /** Creates a pod, and waits until it is ready. */
  async startPod(name: string, node: string, type: PodType): Promise<ChaosPod> {
    const pod = await this.createPod(name, node, type);
    await this.waitUntilReady(pod);
    return pod;
  }

  /** Deletes a pod, and waits until its kubelet has torn it down. */
  deletePod(pod: ChaosPod): Promise<void> {
    return deletePod(this.#pods, pod);
  }

  /** Returns the identities of the pods that must not be replaced. */
  listKeptPods(): Promise<readonly string[]> {
    return listPodIdentities(this.api, NAMESPACE, KeptPods.selector);
  }

  listAgents(): Promise<readonly string[]> {
    return listPodIdentities(this.api, SYSTEM_NAMESPACE, "app=interlay");
  }

  /** Returns the names of Interlay's CRDs. */
  async listCrds(): Promise<readonly string[]> {
    return (await this.kubectl.run(["get", "crd", "--output", "name"])).match(/\S+interlay\.dev$/gm) ?? [];
  }

  async waitForWarning(pod: string, reason: string, message: RegExp): Promise<void> {
    await Eventually(
      `${reason} of ${pod}`,
      async () => (await this.api.core.listNamespacedEvent({ namespace: NAMESPACE })).items,
      (events) =>
        events.some(
          (event) => event.involvedObject.name === pod && event.reason === reason && message.test(event.message ?? ""),
        ),
      POLL,
    );
  }

  /** Runs `helm install`, and waits for the agents and the network's definition. */
  async installByHelm(): Promise<void> {
    await this.helm.deploy("install", this.values, "--create-namespace");
    await waitForAgents(this.kubectl);
    const argv = ["get", "net-attach-def", "underlay", "--ignore-not-found", "--output", "name"];
    await Eventually(
      "the network's definition",
      () => this.kubectl.run(["-n", SYSTEM_NAMESPACE, ...argv]),
      (name) => name !== "",
      POLL,
    );
  }

  /** Installs Interlay as the provider does, and waits for the agents. */
  async installByProvider(): Promise<void> {
    await installInterlay(this.kubectl, { spec: this.cluster.spec, interlay: this.image });
    await waitForAgents(this.kubectl);
  }

  async #restoreInterlay(): Promise<void> {
    await this.helm.uninstall().catch(() => undefined); // it is already uninstalled
    await this.installByProvider();
    await removeNamespace(this.api, NAMESPACE);
    await runOnNode(this.cluster, this.workers[0], ["iptables", "-P", "FORWARD", "ACCEPT"]);
    await runOnNode(this.cluster, this.workers[1], ["sysctl", "-w", `${STRICT}=0`]);
    await this.helm.close();
  }
}
