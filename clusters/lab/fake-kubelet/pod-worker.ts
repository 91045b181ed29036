import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import { reportsReady } from "../../kubernetes/ready-condition.ts";
import { buildContainerCommand, buildPodCommand } from "../nsenter.ts";
import { RunningContainer } from "./running-container.ts";
import { buildEnvironment, expandVariables } from "./container-environment.ts";
import { findProgram } from "./find-program.ts";
import type { PortMapping } from "./cni.ts";
import type { NodeContext } from "./node-context.ts";
import { parseProbeTarget } from "./node-prober.ts";
import { listAddresses, checkSandbox, makeSandbox, removeSandbox, type Sandbox } from "./sandbox.ts";
import { type ContainerState, type PodProgress, buildPodStatus, CONTAINER_CREATING } from "./pod-status.ts";
import { Volumes } from "./volumes.ts";

const BACKOFF_MS: { readonly first: number; readonly most: number } = { first: 300, most: 10_000 };

/** One pod on its node, from sandbox to teardown: the part of kubelet and runtime that the lab plays. */
export class PodWorker {
  readonly #node: NodeContext;
  readonly #volumes: Volumes;
  readonly #init = new Map<string, ContainerState>();
  readonly #states = new Map<string, ContainerState>();
  readonly #running = new Map<string, RunningContainer>();
  readonly #stopping = new AbortController();
  readonly #started = new Date();
  readonly #work: Promise<void>;
  #pod: V1Pod;
  #sandbox: Sandbox | undefined;
  #initialized = false;
  #addresses: readonly string[] = [];
  #publishing: Promise<void> = Promise.resolve();
  /** Patches that are under way or wait for their turn. */
  #patches = 0;
  #stopped: Promise<void> | undefined;

  constructor(node: NodeContext, pod: V1Pod) {
    this.#node = node;
    this.#pod = pod;
    this.#volumes = new Volumes(node.core, node.machine, pod);
    this.#work = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) node.log(`${this.name}: ${messageOf(error)}`);
    });
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** From the end of ADD to the end of DEL. */
  get sandbox(): Sandbox | undefined {
    return this.#sandbox;
  }

  /** `NAMESPACE/POD` */
  get name(): string {
    return `${this.#pod.metadata?.namespace ?? ""}/${this.#pod.metadata?.name ?? ""}`;
  }

  update(pod: V1Pod): void {
    this.#pod = pod;
    if (pod.metadata?.deletionTimestamp !== undefined)
      void this.stop((pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000, true);
    else if (this.#patches === 0 && reportsReady(pod.status) !== reportsReady(this.#status())) this.#publish();
  }

  /** Containers first, then the network, then the object: in kubelet's order. */
  stop(graceMs: number, confirm: boolean): Promise<void> {
    this.#stopped ??= this.#teardown(graceMs, confirm);
    return this.#stopped;
  }

  /** Nobody tears it down: its machine is gone. */
  async abandon(): Promise<void> {
    this.#stopped ??= Promise.resolve();
    this.#stopping.abort();
    await Promise.all([...this.#running.values()].map((container) => container.stop(0)));
  }

  async #teardown(graceMs: number, confirm: boolean): Promise<void> {
    this.#stopping.abort();
    this.#node.removeRunning(this.name);
    await Promise.all([...this.#running.values()].map((container) => container.stop(graceMs)));
    await this.#work;
    await Promise.all([...this.#running.values()].map((container) => container.stop(0)));
    for (let wait = BACKOFF_MS.first; this.#sandbox !== undefined; wait = Math.min(2 * wait, BACKOFF_MS.most))
      try {
        const sandbox = this.#sandbox;
        await this.#node.runPluginCall(() => removeSandbox(this.#node.machine, sandbox));
        this.#sandbox = undefined;
      } catch (error) {
        this.#node.recordWarning(this.#pod, "FailedKillPod", messageOf(error));
        await sleep(wait);
      }
    this.#node.forgetPod(this.#pod.metadata?.uid ?? "");
    if (confirm) await this.#node.deletePod(this.#pod);
  }

  async #run(): Promise<void> {
    await this.#wire();
    this.#publish();
    for (const container of this.#pod.spec?.initContainers ?? []) await this.#runToEnd(container);
    this.#initialized = true;
    await Promise.all((this.#pod.spec?.containers ?? []).map((container) => this.#keepRunning(container)));
  }

  async #wire(): Promise<void> {
    if (this.#pod.spec?.hostNetwork === true) {
      this.#addresses = this.#node.addresses;
      return;
    }
    const { namespace = "", name = "", uid = "" } = this.#pod.metadata ?? {};
    for (let wait = BACKOFF_MS.first; ; wait = Math.min(2 * wait, BACKOFF_MS.most))
      try {
        this.#sandbox = await this.#node.runPluginCall(async () => {
          const made = await makeSandbox(this.#node.machine, {
            ...{ namespace, name, uid },
            portMappings: listPortMappings(this.#pod),
          });
          this.#sandbox = made; // before the turn ends: GC, which waits for that, must know of it
          return made;
        });
        break;
      } catch (error) {
        this.#node.recordWarning(this.#pod, "FailedCreatePodSandBox", messageOf(error));
        await sleep(wait, undefined, { signal: this.#stopping.signal });
      }
    this.#addresses = listAddresses(this.#sandbox.result);
    await checkSandbox(this.#node.machine, this.#sandbox).catch((error: unknown) => {
      this.#node.recordWarning(this.#pod, "SandboxChanged", messageOf(error));
    });
  }

  async #runToEnd(container: V1Container): Promise<void> {
    for (let restarts = 0; ; restarts += 1) {
      const exitCode = await (await this.#start(container, this.#init, restarts)).ended;
      this.#running.delete(container.name);
      this.#set(this.#init, container, {
        state: "ended",
        exitCode,
        since: new Date(),
        restarts,
        ready: exitCode === 0,
      });
      if (exitCode === 0) return;
      await this.#backoff(restarts);
    }
  }

  async #keepRunning(container: V1Container): Promise<void> {
    const policy = this.#pod.spec?.restartPolicy ?? "Always";
    for (let restarts = 0; ; restarts += 1) {
      const running = await this.#start(container, this.#states, restarts);
      if (this.#pod.spec?.containers[0]?.name === container.name) this.#node.addRunning(this.name, running);
      const probing = new AbortController();
      void this.#probe(container, restarts, probing.signal);
      const exitCode = await running.ended;
      probing.abort();
      this.#running.delete(container.name);
      this.#set(this.#states, container, { state: "ended", exitCode, since: new Date(), restarts, ready: false });
      if (this.#stopping.signal.aborted || policy === "Never" || (policy === "OnFailure" && exitCode === 0)) return;
      await this.#backoff(restarts);
    }
  }

  async #start(
    container: V1Container,
    states: Map<string, ContainerState>,
    restarts: number,
  ): Promise<RunningContainer> {
    for (;;)
      try {
        this.#stopping.signal.throwIfAborted();
        const program = findProgram(container.image ?? "");
        const mounts = [
          ...program.mounts,
          ...(await this.#volumes.mountResolvConf(this.#node.nameserver)),
          ...(await this.#volumes.mountsFor(container)),
        ];
        const env = buildEnvironment(this.#pod, container, this.#node.apiServer);
        const argv = [...(container.command ?? program.entrypoint), ...(container.args ?? [])].map((a) =>
          expandVariables(a, env),
        );
        const hostname = this.#sandbox === undefined ? this.#node.name : (this.#pod.metadata?.name ?? "pod");
        const { machine } = this.#node;
        const started = new RunningContainer(
          buildPodCommand(machine, this.#sandbox?.attachment.netns, buildContainerCommand(hostname, mounts, argv)),
          env,
          this.#node.getLogFile(this.name, container.name),
        );
        this.#running.set(container.name, started);
        const ready = states === this.#states && container.readinessProbe === undefined;
        this.#set(states, container, { state: "running", since: new Date(), restarts, ready });
        return started;
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        this.#set(states, container, {
          ...CONTAINER_CREATING,
          reason: "CreateContainerError",
          message: messageOf(error),
          restarts,
        });
        this.#node.recordWarning(this.#pod, "Failed", messageOf(error));
        await this.#backoff(0); // mostly a ConfigMap that is about to be made
      }
  }

  async #probe(container: V1Container, restarts: number, ended: AbortSignal): Promise<void> {
    const probe = container.readinessProbe;
    const target = probe && parseProbeTarget(probe, this.#addresses[0] ?? "");
    if (probe === undefined || target === undefined) return;
    let since = new Date();
    let ready = false;
    let misses = 0;
    const over = () => ended.aborted || this.#stopping.signal.aborted;
    while (!over()) {
      const ok = await this.#node.prober.ask(target);
      misses = ok ? 0 : misses + 1;
      const healthy: boolean = ok || (ready && misses < (probe.failureThreshold ?? 3));
      if (healthy !== ready && !over()) {
        ready = healthy;
        this.#set(this.#states, container, { state: "running", since, restarts, ready });
      }
      // kubelet waits a whole period; until a pod is ready there is nothing to gain from that
      await sleep(ready ? (probe.periodSeconds ?? 10) * 1000 : 100, undefined, { ref: false });
      since = this.#states.get(container.name)?.since ?? since;
    }
  }

  #backoff(restarts: number): Promise<void> {
    const wait = Math.min(BACKOFF_MS.first * 2 ** restarts, BACKOFF_MS.most);
    return sleep(wait, undefined, { signal: this.#stopping.signal });
  }

  #set(states: Map<string, ContainerState>, { name }: V1Container, state: ContainerState): void {
    states.set(name, state);
    this.#publish();
  }

  /** One patch at a time, each of what is known then. What the API server has lost of it is told again (`update`). */
  #publish(): void {
    if (this.#stopping.signal.aborted) return;
    this.#patches += 1;
    this.#publishing = this.#publishing.then(async () => {
      if (!this.#stopping.signal.aborted) await this.#node.patchStatus(this.#pod, this.#status());
      this.#patches -= 1;
    });
  }

  #status(): V1PodStatus {
    const known: PodProgress = {
      hostIPs: this.#node.addresses,
      podIPs: this.#addresses,
      started: this.#started,
      initialized: this.#initialized,
      init: this.#init,
      containers: this.#states,
    };
    return buildPodStatus(this.#pod, known, new Date());
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The pod's hostPorts, as a runtime gives them to CNI plugins. */
export function listPortMappings({ spec }: V1Pod): readonly PortMapping[] {
  return (spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort, containerPort, protocol = "TCP", hostIP }) =>
      hostPort === undefined
        ? []
        : [{ hostPort, containerPort, protocol: protocol.toLowerCase(), ...(hostIP === undefined ? {} : { hostIP }) }],
    );
}
