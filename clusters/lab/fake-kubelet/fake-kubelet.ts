import { join } from "node:path";
import {
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  type V1PodStatus,
} from "@kubernetes/client-node";
import pRetry from "p-retry";
import { hasFinished } from "../../../plugin/kubernetes/pod-phase.ts";
import { findNameserver } from "../machines/machine-addresses.ts";
import type { LabPlan } from "../plan/lab-plan.ts";
import { type CniConfiguration, findPluginProblem, isVerbSupported, readCniConfiguration } from "./cni-calls.ts";
import { type ApiServerAddress, findApiServer } from "./container-environment.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { NodeContext } from "./node-context.ts";
import { buildNodeObject } from "./node-object.ts";
import { NodeProber } from "./probes/node-prober.ts";
import { PodWorker } from "./pod-worker.ts";
import type { RunningContainer } from "./running-container.ts";
import { callPluginGc } from "./pod-sandbox.ts";
import { Semaphore } from "./semaphore.ts";
import { createWarningEvent } from "./warning-event.ts";
import { watchPods } from "./watch-pods.ts";

const HEARTBEAT_MS = 10_000;
/** Interval at which the CNI configuration is read until the node has one. */
const CONFIGURATION_POLL_MS = 100;
/** Number of plugin calls that run at a time. */
const MAX_PLUGIN_CALLS = 4;
/** Retries of a status patch, for about half a minute. */
const STATUS_RETRY = { retries: 10, minTimeout: 250, factor: 2, maxTimeout: 5000 } as const;
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

interface FakeKubeletOptions extends Pick<NodeContext, "name" | "addresses" | "machine" | "log"> {
  readonly role: "control-plane" | "worker";
  /** Labels of the Node, in addition to those that every kubelet sets. */
  readonly labels: Readonly<Record<string, string>>;
  /** Text of a kubeconfig. */
  readonly kubeconfig: string;
  readonly plan: LabPlan;
  /** Directory of the containers' logs. */
  readonly logs: string;
  /** Called when a pod's first container starts or ends. */
  onChange(): void;
}

/** Replaces kubelet and the container runtime of one node: maintains the Node object, and runs the pods bound to it. */
export class FakeKubelet implements NodeContext {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  readonly machine: number;
  readonly core: CoreV1Api;
  readonly apiServer: ApiServerAddress;
  readonly nameserver: string;
  readonly prober: NodeProber;
  /** First containers of the running pods, by `NAMESPACE/POD`. */
  readonly running = new Map<string, RunningContainer>();
  readonly #options: FakeKubeletOptions;
  readonly #config = new KubeConfig();
  readonly #pods = new Map<string, PodWorker>();
  /** UIDs of pods that were torn down: an older list must not start them again. */
  readonly #removed = new Set<string>();
  readonly #pluginCalls = new Semaphore(MAX_PLUGIN_CALLS);
  /** Aborted while the kubelet is paused: it neither watches nor reports, and containers run on. */
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

  /** Registers the node if necessary, and watches its pods. After `pause` it continues with the running pods. */
  async start(): Promise<void> {
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    await this.#register();
    void this.#sendHeartbeats(signal);
    await watchPods(
      this.#config,
      this.name,
      {
        listUids: () => [...this.#pods.keys()],
        onPod: (pod) => {
          this.#updatePod(pod);
        },
        onDeleted: (uid) => void this.#pods.get(uid)?.stop({ graceMs: 0, deleteObject: false }),
        onMissing: (uid) => {
          const worker = this.#pods.get(uid);
          if (worker === undefined || worker.stopping) return;
          this.log(`${worker.name}: deleted, and the watch did not report it`);
          void worker.stop({ graceMs: 0, deleteObject: false });
        },
        log: (line) => {
          this.log(line);
        },
      },
      signal,
    );
  }

  /** Stops watching and reporting, like a kubelet that is killed. Containers and their network stay. */
  pause(): void {
    this.#pause.abort();
  }

  /** Stops for good, as in a power failure: containers end, and no plugin is called. */
  async powerOff(): Promise<void> {
    this.pause();
    await Promise.all([...this.#pods.values()].map((pod) => pod.abandon()));
    this.running.clear();
    await this.prober.close();
  }

  #updatePod(pod: V1Pod): void {
    const uid = pod.metadata?.uid ?? "";
    const worker = this.#pods.get(uid);
    if (worker !== undefined) worker.update(pod);
    else if (pod.metadata?.deletionTimestamp !== undefined) void this.deletePod(pod);
    else if (!this.#removed.has(uid) && !hasFinished(pod.status ?? {})) this.#pods.set(uid, new PodWorker(this, pod));
  }

  async #register(): Promise<void> {
    await this.core
      .createNode({ body: buildNodeObject(this.name, this.#options.role, this.#options.labels) })
      .catch((error: unknown) => {
        if (!String(error).includes("AlreadyExists")) throw error;
      });
  }

  /** Reports the node Ready once it has a CNI configuration whose plugins can serve, and repeats the report. */
  async #sendHeartbeats(signal: AbortSignal): Promise<void> {
    const { name, addresses, core } = this;
    const coordination = this.#config.makeApiClient(CoordinationV1Api);
    const heartbeat = new Heartbeat({ name, addresses, core, coordination, kubernetes: this.#options.plan.kubernetes });
    while (!signal.aborted) {
      const configuration = await readCniConfiguration(this.machine).catch(() => undefined);
      const problem =
        configuration === undefined
          ? "the node has no CNI configuration yet"
          : await findPluginProblem(this.machine, configuration);
      await heartbeat.send(problem).catch((error: unknown) => {
        this.log(`status of node ${name}: ${String(error)}`);
      });
      if (configuration !== undefined) await this.#collectGarbage(configuration);
      await this.#waitForNextHeartbeat(configuration === undefined);
    }
  }

  /** Calls GC with this node's attachments. As the CNI specification demands, no ADD and no DEL runs meanwhile. */
  async #collectGarbage(configuration: CniConfiguration): Promise<void> {
    if (!isVerbSupported(configuration.cniVersion, "GC")) return;
    await this.#pluginCalls
      .runExclusively(() =>
        callPluginGc(
          this.machine,
          configuration,
          [...this.#pods.values()].flatMap((pod) => pod.sandbox ?? []),
        ),
      )
      .catch((error: unknown) => {
        this.log(`${this.name}: ${String(error)}`);
      });
  }

  /** Waits for an interval. @param untilConfigured whether to return as soon as the node has a CNI configuration */
  async #waitForNextHeartbeat(untilConfigured: boolean): Promise<void> {
    const until = Date.now() + HEARTBEAT_MS;
    while (Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, untilConfigured ? CONFIGURATION_POLL_MS : HEARTBEAT_MS));
      if (untilConfigured && (await readCniConfiguration(this.machine).catch(() => undefined)) !== undefined) return;
    }
  }

  runPluginCall<T>(call: () => Promise<T>): Promise<T> {
    return this.#pluginCalls.run(call);
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
    void this.core.createNamespacedEvent({ namespace, body }).catch(() => undefined); // the log has the message
  }

  /** Writes a pod's status. Retries while the API server does not answer: no other program knows the status. */
  async patchStatus(pod: V1Pod, status: V1PodStatus): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    const patch = async () => {
      if (this.#pause.signal.aborted) return;
      await this.core.patchNamespacedPodStatus({ namespace, name, body: { metadata: { uid }, status } }, MERGE);
    };
    // A plain conflict is retried: another client writes the same pod. A failed precondition means another UID.
    const isDeleted = (error: unknown) => /NotFound|Precondition failed/.test(String(error));
    await pRetry(patch, { ...STATUS_RETRY, shouldRetry: ({ error }) => !isDeleted(error) }).catch((error: unknown) => {
      if (!isDeleted(error)) this.log(`status of ${namespace}/${name}: ${String(error)}`);
    });
  }

  async deletePod(pod: V1Pod): Promise<void> {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    await this.core
      .deleteNamespacedPod({ namespace, name, body: { gracePeriodSeconds: 0, preconditions: { uid } } })
      .catch(() => undefined); // it was deleted already, or another pod has its name
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
    this.#removed.add(uid);
  }
}
