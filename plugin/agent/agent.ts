import type { Server } from "node:http";
import { Allocator } from "../ipam/allocator.ts";
import { toPools } from "../ipam/pools.ts";
import { Records } from "../ipam/records.ts";
import { ClusterAddressStore } from "./address-store.ts";
import { ClusterView } from "./cluster-view.ts";
import { discover } from "./discover.ts";
import { readLastFacts, writeFacts } from "./facts-file.ts";
import { decideGate } from "./gate.ts";
import { serveHealth } from "./health.ts";
import { installPlugin } from "./install.ts";
import { serveIpam } from "./ipam-server.ts";
import { KernelEvents } from "./kernel-events.ts";
import type { Kube } from "./kube.ts";
import { observeKubeProxy } from "./kube-proxy.ts";
import { log, messageOf } from "./log.ts";
import { Loop } from "./loop.ts";
import { observeLinks } from "./node-links.ts";
import { NodeStatePublisher, nodeStatus } from "./node-state.ts";
import { observeCluster, settingsVersion } from "./observe.ts";
import { repairAttachments } from "./repair.ts";
import { applyReturnPath, readTcpBeLiberal } from "./return-path.ts";
import { type AgentState, initialState } from "./state.ts";

const HOST_BIN = "/host/opt/cni/bin";

/** The agent of one node: a loop a duty, each observe -> plan -> apply; the status loop tells what they know. */
export class Agent {
  readonly #node: string;
  readonly #view: ClusterView;
  readonly #state: AgentState;
  readonly #publisher: NodeStatePublisher;
  readonly #allocator: Allocator;
  readonly #kernel = new KernelEvents();
  readonly #loops: Readonly<Record<"facts" | "returnPath" | "repair" | "kubeProxy" | "addresses" | "status", Loop>>;
  #servers: readonly Server[] = [];
  #factsWritten = "";

  constructor(kube: Kube, node: string) {
    this.#node = node;
    this.#view = new ClusterView(kube, node);
    this.#state = initialState(readLastFacts());
    this.#publisher = new NodeStatePublisher(kube, node);
    this.#allocator = new Allocator(new ClusterAddressStore(kube, this.#view, node), new Records());
    const loop = (name: string, period: number, debounce: number, work: () => Promise<void> | void): Loop =>
      new Loop({ name, period, debounce }, work);
    this.#loops = {
      facts: loop("facts", 30_000, 50, () => {
        this.#findFacts();
      }),
      returnPath: loop("return path", 2000, 20, () => {
        this.#makeReturnPath();
      }),
      repair: loop("repair", 15_000, 100, () => {
        this.#repair();
      }),
      kubeProxy: loop("kube-proxy", 5000, 50, () => this.#observeKubeProxy()),
      addresses: loop("addresses", 10_000, 500, () => this.#allocator.sync()),
      status: loop("status", 10_000, 100, () => this.#publish()),
    };
  }

  async start(): Promise<void> {
    log("info", "agent starts", { node: this.#node, lastFacts: this.#state.facts !== undefined });
    installPlugin(HOST_BIN);
    // What the node needs of itself comes first: the API server may be away.
    for (const name of ["returnPath", "repair", "kubeProxy", "status"] as const) this.#loops[name].start();
    this.#kernel.start({
      links: () => {
        this.#loops.repair.wake();
      },
      tables: () => {
        this.#loops.returnPath.wake();
      },
    });
    this.#servers = [await this.#serveIpam(), await this.#serveHealth()];
    this.#view.start(() => {
      this.#loops.facts.wake();
    });
    void this.#view.ready().then(() => {
      this.#loops.facts.start();
      this.#loops.addresses.start();
    });
  }

  stop(): void {
    for (const loop of Object.values(this.#loops)) loop.stop();
    this.#kernel.stop();
    this.#view.stop();
    for (const server of this.#servers) server.close();
  }

  async #serveIpam(): Promise<Server> {
    const server = await serveIpam(this.#allocator, {
      refused: (pod, message) => {
        log("warn", "no address given", { pod, message });
      },
      answered: () => undefined,
    });
    this.#state.ipamError = undefined;
    return server;
  }

  #serveHealth(): Promise<Server> {
    return serveHealth(() => this.#notReady());
  }

  /** Why pods cannot be wired on this node; empty: they can. */
  #notReady(): readonly string[] {
    const { facts, problems, returnPathError, ipamError } = this.#state;
    return [
      ...(facts === undefined ? problems : []),
      ...(returnPathError === undefined ? [] : [returnPathError]),
      ...(ipamError === undefined ? [] : [ipamError]),
    ];
  }

  #findFacts(): void {
    const discovery = discover({ ...observeCluster(this.#view, this.#node), ...observeLinks() });
    this.#state.configResourceVersion = settingsVersion(this.#view);
    const { bad } = toPools(this.#view.underlayPools.values());
    this.#state.poolProblems = [...bad].map(([name, problem]) => `UnderlayPool ${name}: ${problem}.`);
    if ("facts" in discovery) {
      this.#state.problems = [];
      this.#state.disagreements = discovery.disagreements;
      const text = JSON.stringify(discovery.facts);
      if (text !== this.#factsWritten) {
        writeFacts(discovery.facts);
        this.#factsWritten = text;
        log("info", "facts written", { facts: discovery.facts });
      }
      this.#state.facts = discovery.facts;
      this.#loops.returnPath.wake();
    } else this.#state.problems = discovery.problems;
    this.#loops.status.wake();
  }

  #makeReturnPath(): void {
    const state = this.#state;
    const before = JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]);
    if (state.facts === undefined) state.returnPathError = "The facts are not complete.";
    else
      try {
        for (const line of applyReturnPath(state.facts)) log("info", "return path", { what: line });
        state.returnPathError = undefined;
      } catch (error) {
        state.returnPathError = messageOf(error);
      }
    state.tcpBeLiberal = readTcpBeLiberal();
    if (JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]) !== before)
      this.#loops.kubeProxy.wake();
    this.#decideGate();
  }

  #repair(): void {
    const report = repairAttachments();
    for (const what of report.repaired) log("warn", "repaired", { what });
    for (const what of report.removed) log("info", "removed what was left of a pod that is gone", { what });
    this.#state.repair = report;
    this.#loops.status.wake();
  }

  async #observeKubeProxy(): Promise<void> {
    const pod = this.#view.pods.values().find(({ metadata }) => metadata.labels["k8s-app"] === "kube-proxy");
    this.#state.kubeProxy = await observeKubeProxy(pod?.spec.containers[0]?.image);
    this.#decideGate();
  }

  #decideGate(): void {
    const { facts, returnPathError, tcpBeLiberal, kubeProxy } = this.#state;
    this.#state.gate = decideGate({
      returnPath: facts?.returnPath ?? "none",
      applied: facts !== undefined && returnPathError === undefined,
      tcpBeLiberal,
      kubeProxy,
    });
    this.#loops.status.wake();
  }

  async #publish(): Promise<void> {
    await this.#publisher.publish(nodeStatus(this.#state, this.#publisher.conditions, new Date()));
  }
}
