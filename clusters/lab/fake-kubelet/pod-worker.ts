import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import { reportsReady } from "../../kubernetes/ready-condition.ts";
import { buildContainerCommand, buildPodCommand } from "../machines/nsenter.ts";
import { confineCommand } from "./confine-command.ts";
import { buildEnvironment, expandVariables } from "./container-environment.ts";
import { findProgram } from "./find-program.ts";
import type { NodeContext } from "./node-context.ts";
import { buildPodStatus, CONTAINER_CREATING, type ContainerState, type PodProgress } from "./pod-status.ts";
import { probeReadiness } from "./probes/readiness.ts";
import { RunningContainer } from "./running-container.ts";
import { checkSandbox, createSandbox, listResultAddresses, removeSandbox, type Sandbox } from "./pod-sandbox.ts";
import { Volumes } from "./volumes.ts";

const BACKOFF_MS: { readonly first: number; readonly max: number } = { first: 300, max: 10_000 };

interface StopOptions {
  /** Time from SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** Whether the Pod object still exists. */
  readonly deleteObject: boolean;
}

/** Runs one pod from its sandbox to its teardown, as kubelet and the container runtime do. */
export class PodWorker {
  readonly #node: NodeContext;
  readonly #volumes: Volumes;
  readonly #initStates = new Map<string, ContainerState>();
  readonly #states = new Map<string, ContainerState>();
  readonly #running = new Map<string, RunningContainer>();
  readonly #stopping = new AbortController();
  readonly #started = new Date();
  readonly #finished: Promise<void>;
  #pod: V1Pod;
  #sandbox: Sandbox | undefined;
  #initialized = false;
  #addresses: readonly string[] = [];
  #lastPatch: Promise<void> = Promise.resolve();
  /** Number of status patches that run or wait. */
  #pendingPatches = 0;
  #stopped: Promise<void> | undefined;

  constructor(node: NodeContext, pod: V1Pod) {
    this.#node = node;
    this.#pod = pod;
    this.#volumes = new Volumes(node.core, node.machine, pod);
    this.#finished = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) node.log(`${this.name}: ${getErrorMessage(error)}`);
    });
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Defined from the end of ADD to the end of DEL. */
  get sandbox(): Sandbox | undefined {
    return this.#sandbox;
  }

  /** `NAMESPACE/POD` */
  get name(): string {
    return `${this.#pod.metadata?.namespace ?? ""}/${this.#pod.metadata?.name ?? ""}`;
  }

  /** Handles a change of the Pod object: its deletion, or a status that the API server has lost. */
  update(pod: V1Pod): void {
    this.#pod = pod;
    if (pod.metadata?.deletionTimestamp !== undefined)
      void this.stop({ graceMs: (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000, deleteObject: true });
    else if (this.#pendingPatches === 0 && reportsReady(pod.status) !== reportsReady(this.#buildStatus()))
      this.#publishStatus();
  }

  /**
   * Stops the containers, removes the network, and deletes the Pod object, in kubelet's order.
   */
  stop(options: StopOptions): Promise<void> {
    this.#stopped ??= this.#teardown(options);
    return this.#stopped;
  }

  /** Ends the containers without a teardown: the machine lost its power. */
  async abandon(): Promise<void> {
    this.#stopped ??= Promise.resolve();
    this.#stopping.abort();
    await this.#stopContainers(0);
  }

  async #stopContainers(graceMs: number): Promise<void> {
    await Promise.all([...this.#running.values()].map((container) => container.stop(graceMs)));
  }

  async #teardown({ graceMs, deleteObject }: StopOptions): Promise<void> {
    this.#stopping.abort();
    this.#node.removeRunning(this.name);
    await this.#stopContainers(graceMs);
    await this.#finished;
    await this.#stopContainers(0);
    for (let wait = BACKOFF_MS.first; this.#sandbox !== undefined; wait = Math.min(2 * wait, BACKOFF_MS.max))
      try {
        const sandbox = this.#sandbox;
        await this.#node.runPluginCall(() => removeSandbox(this.#node.machine, sandbox));
        this.#sandbox = undefined;
      } catch (error) {
        this.#node.recordWarning(this.#pod, "FailedKillPod", getErrorMessage(error));
        await sleep(wait);
      }
    this.#node.forgetPod(this.#pod.metadata?.uid ?? "");
    if (deleteObject) await this.#node.deletePod(this.#pod);
  }

  async #run(): Promise<void> {
    await this.#setupNetwork();
    this.#publishStatus();
    for (const container of this.#pod.spec?.initContainers ?? []) await this.#runInitContainer(container);
    this.#initialized = true;
    await Promise.all((this.#pod.spec?.containers ?? []).map((container) => this.#runContainer(container)));
  }

  async #setupNetwork(): Promise<void> {
    if (this.#pod.spec?.hostNetwork === true) {
      this.#addresses = this.#node.addresses;
      return;
    }
    for (let wait = BACKOFF_MS.first; ; wait = Math.min(2 * wait, BACKOFF_MS.max))
      try {
        this.#sandbox = await this.#node.runPluginCall(async () => {
          const sandbox = await createSandbox(this.#node.machine, this.#pod);
          this.#sandbox = sandbox; // before the call's permit is released: GC, which waits for it, must see the sandbox
          return sandbox;
        });
        break;
      } catch (error) {
        this.#node.recordWarning(this.#pod, "FailedCreatePodSandBox", getErrorMessage(error));
        await sleep(wait, undefined, { signal: this.#stopping.signal });
      }
    this.#addresses = listResultAddresses(this.#sandbox.result);
    await checkSandbox(this.#node.machine, this.#sandbox).catch((error: unknown) => {
      this.#node.recordWarning(this.#pod, "SandboxChanged", getErrorMessage(error));
    });
  }

  async #runInitContainer(container: V1Container): Promise<void> {
    for (let restarts = 0; ; restarts += 1) {
      const running = await this.#startContainer(container, this.#initStates, restarts);
      const exitCode = await running.ended;
      this.#running.delete(container.name);
      const ready = exitCode === 0;
      this.#setState(this.#initStates, container, { state: "ended", exitCode, since: new Date(), restarts, ready });
      if (ready) return;
      await this.#backoff(restarts);
    }
  }

  async #runContainer(container: V1Container): Promise<void> {
    const policy = this.#pod.spec?.restartPolicy ?? "Always";
    for (let restarts = 0; ; restarts += 1) {
      const running = await this.#startContainer(container, this.#states, restarts);
      if (this.#pod.spec?.containers[0]?.name === container.name) this.#node.addRunning(this.name, running);
      const probing = new AbortController();
      this.#startProbe(container, restarts, AbortSignal.any([probing.signal, this.#stopping.signal]));
      const exitCode = await running.ended;
      probing.abort();
      this.#running.delete(container.name);
      this.#setState(this.#states, container, { state: "ended", exitCode, since: new Date(), restarts, ready: false });
      if (this.#stopping.signal.aborted || policy === "Never" || (policy === "OnFailure" && exitCode === 0)) return;
      await this.#backoff(restarts);
    }
  }

  async #startContainer(
    container: V1Container,
    states: Map<string, ContainerState>,
    restarts: number,
  ): Promise<RunningContainer> {
    for (;;)
      try {
        this.#stopping.signal.throwIfAborted();
        const { argv, env } = await this.#buildCommand(container);
        const logFile = this.#node.getLogFile(this.name, container.name);
        const started = new RunningContainer(argv, env, logFile);
        this.#running.set(container.name, started);
        const ready = states === this.#states && container.readinessProbe === undefined;
        this.#setState(states, container, { state: "running", since: new Date(), restarts, ready });
        return started;
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        const message = getErrorMessage(error);
        const failure = { reason: "CreateContainerError", message, restarts };
        this.#setState(states, container, { ...CONTAINER_CREATING, ...failure });
        this.#node.recordWarning(this.#pod, "Failed", message);
        await this.#backoff(0); // often a ConfigMap that is about to be created
      }
  }

  async #buildCommand(
    container: V1Container,
  ): Promise<{ readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }> {
    const program = findProgram(container.image ?? "");
    const mounts = [
      ...program.mounts,
      ...(await this.#volumes.mountResolvConf(this.#node.nameserver)),
      ...(await this.#volumes.listMounts(container)),
    ];
    const env = buildEnvironment(this.#pod, container, this.#node.apiServer);
    const argv = [...(container.command ?? program.entrypoint), ...(container.args ?? [])].map((argument) =>
      expandVariables(argument, env),
    );
    const hostname = this.#sandbox === undefined ? this.#node.name : (this.#pod.metadata?.name ?? "pod");
    const netns = this.#sandbox?.attachment.netns;
    const command = buildContainerCommand(hostname, mounts, confineCommand(container, argv));
    return { argv: buildPodCommand(this.#node.machine, netns, command), env };
  }

  #startProbe(container: V1Container, restarts: number, signal: AbortSignal): void {
    const { name, readinessProbe } = container;
    if (readinessProbe === undefined) return;
    const onReadiness = (ready: boolean): void => {
      const since = this.#states.get(name)?.since ?? new Date();
      this.#setState(this.#states, container, { state: "running", since, restarts, ready });
    };
    void probeReadiness(this.#node.prober, readinessProbe, this.#addresses[0] ?? "", onReadiness, signal);
  }

  #backoff(restarts: number): Promise<void> {
    const wait = Math.min(BACKOFF_MS.first * 2 ** restarts, BACKOFF_MS.max);
    return sleep(wait, undefined, { signal: this.#stopping.signal });
  }

  #setState(states: Map<string, ContainerState>, { name }: V1Container, state: ContainerState): void {
    states.set(name, state);
    this.#publishStatus();
  }

  /** Patches the status: one patch at a time, each with the status at its start. `update` repeats a lost one. */
  #publishStatus(): void {
    if (this.#stopping.signal.aborted) return;
    this.#pendingPatches += 1;
    this.#lastPatch = this.#lastPatch.then(async () => {
      if (!this.#stopping.signal.aborted) await this.#node.patchStatus(this.#pod, this.#buildStatus());
      this.#pendingPatches -= 1;
    });
  }

  #buildStatus(): V1PodStatus {
    const progress: PodProgress = {
      hostIPs: this.#node.addresses,
      podIPs: this.#addresses,
      started: this.#started,
      initialized: this.#initialized,
      init: this.#initStates,
      containers: this.#states,
    };
    return buildPodStatus(this.#pod, progress, new Date());
  }
}
