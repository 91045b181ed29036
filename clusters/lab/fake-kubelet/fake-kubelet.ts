import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  ListWatch,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  type V1PodList,
  type V1PodStatus,
  Watch,
} from "@kubernetes/client-node";
import pRetry from "p-retry";
import type { LabPlan } from "../plan.ts";
import { findNameserver } from "../machines/machine-addresses.ts";
import { type ApiServerAddress, findApiServer } from "./container-environment.ts";
import type { RunningContainer } from "./running-container.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type CniConfiguration, readCniConfiguration, isVerbSupported, findPluginProblem } from "./cni.ts";
import type { NodeContext } from "./node-context.ts";
import { PodWorker } from "./pod-worker.ts";
import { buildNodeObject } from "./node-object.ts";
import { NodeProber } from "./node-prober.ts";
import { collectGarbage } from "./sandbox.ts";
import { Semaphore } from "./semaphore.ts";
import { createWarningEvent } from "./warning-event.ts";

const HEARTBEAT_MS = 10_000;
/** Until the node has a network, its configuration is looked for this often. */
const LOOK_MS = 100;
/** A watch can lose an event, and is 30 s in finding out that its connection is dead: so often the list is asked too. */
const RESYNC_MS = 5000;
const WIRINGS = 4;
/** Some half a minute. */
const PATIENCE = { retries: 10, minTimeout: 250, factor: 2, maxTimeout: 5000 } as const;
const ENDED = new Set(["Succeeded", "Failed"]);
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

export interface FakeKubeletOptions {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  readonly role: "control-plane" | "worker";
  /** Of the Node, on top of every kubelet's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly machine: number;
  readonly kubeconfig: string;
  readonly plan: LabPlan;
  readonly logs: string;
  log(line: string): void;
  onChange(): void;
}

/** Plays kubelet for one node: its Node object, and every pod that is bound to it. */
export class FakeKubelet implements NodeContext {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  readonly machine: number;
  readonly core: CoreV1Api;
  readonly apiServer: ApiServerAddress;
  readonly nameserver: string;
  readonly prober: NodeProber;
  /** First containers of the pods that run, by `NAMESPACE/POD`. */
  readonly running = new Map<string, RunningContainer>();
  readonly #options: FakeKubeletOptions;
  readonly #config = new KubeConfig();
  readonly #pods = new Map<string, PodWorker>();
  /** Torn down: a list that is older than that does not bring them back. */
  readonly #gone = new Set<string>();
  readonly #turns = new Semaphore(WIRINGS);
  /** Aborted: this runner neither listens nor tells, and what runs goes on. */
  #pause = new AbortController();

  constructor(options: FakeKubeletOptions) {
    this.#options = options;
    this.name = options.name;
    this.addresses = options.addresses;
    this.machine = options.machine;
    this.apiServer = findApiServer(options.plan);
    this.nameserver = findNameserver(options.plan);
    this.#config.loadFromString(options.kubeconfig);
    this.core = this.#config.makeApiClient(CoreV1Api);
    this.prober = new NodeProber(options.machine);
  }

  /** Registers the node if need be and follows its pods; after `pause`, with those that run. */
  async start(): Promise<void> {
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    await this.#register();
    void this.#heartbeat(signal);
    const selector = `spec.nodeName=${this.name}`;
    const list = () => this.core.listPodForAllNamespaces({ fieldSelector: selector });
    const informer = new ListWatch<V1Pod>("/api/v1/pods", new Watch(this.#config), list, false, undefined, selector);
    signal.addEventListener("abort", () => void informer.stop());
    const seen = (pod: V1Pod) => {
      if (!signal.aborted) this.#seen(pod);
    };
    informer.on("add", seen);
    informer.on("update", seen);
    informer.on("delete", (pod) => {
      if (!signal.aborted) void this.#pods.get(pod.metadata?.uid ?? "")?.stop(0, false);
    });
    informer.on("error", (error: unknown) => {
      if (signal.aborted) return;
      this.log(`watch of pods on ${this.name}: ${String(error)}`);
      setTimeout(() => void informer.start(), 500);
    });
    await informer.start();
    // from the API server's memory, which has all that its watches have told: of etcd each node would read every pod
    const known = () => this.core.listPodForAllNamespaces({ fieldSelector: selector, resourceVersion: "0" });
    void this.#resync(known, signal);
  }

  /** As a kubelet that is killed: containers and their network live on, nobody follows the API or tells it anything. */
  pause(): void {
    this.#pause.abort();
  }

  /** For good, as by a power cut: containers end, no plugin is called. */
  async powerOff(): Promise<void> {
    this.pause();
    await Promise.all([...this.#pods.values()].map((pod) => pod.abandon()));
    this.running.clear();
    await this.prober.close();
  }

  /** As kubelet's housekeeping: whatever the watch said, pods that the API server no longer has are torn down. */
  async #resync(list: () => Promise<V1PodList>, signal: AbortSignal): Promise<void> {
    const over = (): boolean => signal.aborted;
    for (;;) {
      await sleep(RESYNC_MS);
      if (over()) return;
      const before = [...this.#pods.keys()];
      const items = await list().then(
        (pods) => pods.items,
        (error: unknown) => {
          this.log(`list of pods on ${this.name}: ${String(error)}`);
        },
      );
      if (over()) return;
      if (items === undefined) continue;
      const there = new Set(items.map((pod) => pod.metadata?.uid));
      for (const uid of before.filter((one) => !there.has(one))) {
        const runner = this.#pods.get(uid);
        if (runner === undefined || runner.stopping) continue;
        this.log(`${runner.name}: gone, and the watch did not tell`);
        void runner.stop(0, false);
      }
      for (const pod of items) this.#seen(pod);
    }
  }

  #seen(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    const known = this.#pods.get(uid);
    if (known !== undefined) known.update(pod);
    else if (pod.metadata?.deletionTimestamp !== undefined) void this.deletePod(pod);
    else if (!this.#gone.has(uid) && !ENDED.has(pod.status?.phase ?? "")) this.#pods.set(uid, new PodWorker(this, pod));
  }

  async #register(): Promise<void> {
    await this.core
      .createNode({ body: buildNodeObject(this.name, this.#options.role, this.#options.labels) })
      .catch((error: unknown) => {
        if (!String(error).includes("AlreadyExists")) throw error;
      });
  }

  /** Ready once there is a network, as a kubelet is; then told again, so that nobody thinks it gone. */
  async #heartbeat(signal: AbortSignal): Promise<void> {
    const { name, addresses, core } = this;
    const coordination = this.#config.makeApiClient(CoordinationV1Api);
    const heartbeat = new Heartbeat({ name, addresses, core, coordination, kubernetes: this.#options.plan.kubernetes });
    while (!signal.aborted) {
      const network = await readCniConfiguration(this.machine).catch(() => undefined);
      const trouble =
        network === undefined ? "there is no CNI configuration yet" : await findPluginProblem(this.machine, network);
      await heartbeat.beat(trouble).catch((error: unknown) => {
        this.log(`status of ${name}: ${String(error)}`);
      });
      if (network !== undefined) await this.#collectGarbage(network);
      await this.#networkOr(network === undefined, HEARTBEAT_MS);
    }
  }

  /** GC with what is wired by this network; no ADD and no DEL is under way meanwhile, as the specification wants it. */
  async #collectGarbage(network: CniConfiguration): Promise<void> {
    if (!isVerbSupported(network.cniVersion, "GC")) return;
    await this.#turns
      .runExclusively(() =>
        collectGarbage(
          this.machine,
          network,
          [...this.#pods.values()].flatMap((pod) => pod.sandbox ?? []),
        ),
      )
      .catch((error: unknown) => {
        this.log(`${this.name}: ${String(error)}`);
      });
  }

  async #networkOr(lacking: boolean, most: number): Promise<void> {
    const until = Date.now() + most;
    while (Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, lacking ? LOOK_MS : most));
      if (lacking && (await readCniConfiguration(this.machine).catch(() => undefined)) !== undefined) return;
    }
  }

  runPluginCall<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(work);
  }

  log(line: string): void {
    this.#options.log(line);
  }

  getLogFile(pod: string, container: string): string {
    return join(this.#options.logs, pod.replace("/", "_"), `${container}.log`);
  }

  recordWarning(pod: V1Pod, reason: string, message: string): void {
    const body = createWarningEvent(pod, this.name, reason, message);
    const { namespace = "" } = body.involvedObject;
    this.log(`${namespace}/${body.involvedObject.name ?? ""}: ${reason}: ${message}`);
    void this.core.createNamespacedEvent({ namespace, body }).catch(() => undefined); // a message is not worth a second one
  }

  /** Told again while the API server is away, as a kubelet does: nobody else knows it. */
  async patchStatus(pod: V1Pod, status: V1PodStatus): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    const patch = async () => {
      if (this.#pause.signal.aborted) return;
      await this.core.patchNamespacedPodStatus({ namespace, name, body: { metadata: { uid }, status } }, MERGE);
    };
    // a conflict alone is somebody else who writes the same pod, and the server has tried some times itself
    const isGone = (error: unknown) => /NotFound|Precondition failed/.test(String(error));
    await pRetry(patch, { ...PATIENCE, shouldRetry: ({ error }) => !isGone(error) }).catch((error: unknown) => {
      if (!isGone(error)) this.log(`status of ${namespace}/${name}: ${String(error)}`);
    });
  }

  async deletePod(pod: V1Pod): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    await this.core
      .deleteNamespacedPod({ namespace, name, body: { gracePeriodSeconds: 0, preconditions: { uid } } })
      .catch(() => undefined); // gone already, or another of that name
  }

  addRunning(pod: string, container: RunningContainer): void {
    this.running.set(pod, container);
    this.#options.onChange();
  }

  removeRunning(pod: string): void {
    this.running.delete(pod);
    this.#options.onChange();
  }

  forgetPod(uid: string): void {
    this.#pods.delete(uid);
    this.#gone.add(uid);
  }
}
