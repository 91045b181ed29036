import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import type { Paths } from "../cni/paths.ts";
import { Allocator } from "../ipam/allocator.ts";
import { parsePools } from "../ipam/pools.ts";
import { Records } from "../ipam/records.ts";
import { lookAfterAddresses } from "./leader/address-reclaim.ts";
import { addressListener } from "./status/address-events.ts";
import { ClusterAddressStore } from "./server/address-store.ts";
import { AgentMetrics } from "./status/agent-metrics.ts";
import { ClusterView } from "./discovery/cluster-cache.ts";
import { parseIp } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { chooseReturnPath } from "./reconcile/choose-return-path.ts";
import { listPoolsOfNode } from "./reconcile/node-pools.ts";
import { NOT_OBSERVED } from "./kube-proxy/service-translation.ts";
import { CniLog } from "./status/cni-log.ts";
import { discover } from "./discovery/discover.ts";
import { PodEvents } from "./status/pod-events.ts";
import { readLastFacts, writeFacts } from "./discovery/facts-file.ts";
import { decideGate } from "./kube-proxy/kube-proxy-gate.ts";
import { installPlugin } from "./install/install.ts";
import { KernelEvents } from "./reconcile/kernel-events.ts";
import type { Kube } from "../kubernetes/kube-client.ts";
import { KubeProxyDuty } from "./kube-proxy-reconciler.ts";
import { LEASE_SECONDS } from "../kubernetes/leader-election.ts";
import { Leading } from "./leader/leader-tasks.ts";
import { log, messageOf } from "./status/log.ts";
import { tidyMemory } from "./trim-heap.ts";
import { Loop, type LoopOptions } from "./loop.ts";
import { neededKinds } from "./discovery/needed-kinds.ts";
import { addOverlayMtu, readOverlayMtu } from "./reconcile/overlay-mtu.ts";
import { observeLinks } from "./discovery/node-links.ts";
import { raiseNeighbourLimits } from "./reconcile/neighbour-limits.ts";
import { readNodeTableCounters } from "./reconcile/node-table.ts";
import { NodeStatePublisher, nodeStatus } from "./status/node-state-publisher.ts";
import { observeCluster, settingsOf, settingsVersion } from "./discovery/observe.ts";
import { type NodePlaces, pluginPlaces } from "./install/paths.ts";
import { Reclaimer } from "./leader/address-reclaimer.ts";
import { RepairDuty } from "./repair-reconciler.ts";
import { applyReturnPath, readTcpBeLiberal } from "./reconcile/return-path.ts";
import { serveAll } from "./server/servers.ts";
import { type AgentState, initialState } from "./status/agent-status.ts";
import { loosenTunnels } from "./reconcile/rp-filter.ts";

type LoopName =
  | "facts"
  | "returnPath"
  | "repair"
  | "kubeProxy"
  | "addresses"
  | "status"
  | "calls"
  | "leadership"
  | "duties"
  | "memory";

/** The agent of one node: a loop a duty, each observe -> plan -> apply; the status loop tells what they know. */
export class Agent {
  readonly #kube: Kube;
  readonly #node: string;
  readonly #places: NodePlaces;
  /** The same in the plugin's words. */
  readonly #plugin: Paths;
  readonly #view: ClusterView;
  readonly #state: AgentState;
  readonly #publisher: NodeStatePublisher;
  readonly #allocator: Allocator;
  readonly #leading: Leading;
  readonly #events: PodEvents;
  readonly #kernel = new KernelEvents();
  readonly #metrics = new AgentMetrics();
  readonly #cniLog: CniLog;
  readonly #repair: RepairDuty;
  readonly #kubeProxy: KubeProxyDuty;
  readonly #loops: Readonly<Record<LoopName, Loop>>;
  #servers: readonly (Server | SocketServer)[] = [];

  constructor(kube: Kube, node: string, places: NodePlaces) {
    this.#kube = kube;
    this.#node = node;
    this.#places = places;
    this.#plugin = pluginPlaces(places);
    this.#cniLog = new CniLog(this.#plugin.log);
    this.#view = new ClusterView(kube, node);
    this.#state = initialState(readLastFacts(this.#plugin.facts));
    this.#publisher = new NodeStatePublisher(kube, node);
    const store = new ClusterAddressStore(kube, this.#view, node);
    const records = new Records(join(places.stateDirectory, "addresses"));
    this.#events = new PodEvents(kube, node);
    const { stateDirectory } = places;
    this.#allocator = new Allocator(store, records, { stateDirectory, ...addressListener(this.#events) });
    const reclaimer = new Reclaimer(kube, store, records, this.#plugin.attachments);
    const [view, allocator, metrics] = [this.#view, this.#allocator, this.#metrics];
    const addressParts = { node, view, allocator, reclaimer, metrics };
    this.#leading = new Leading(kube, node, this.#view, () => {
      this.#loops.duties.wake();
    });
    this.#repair = new RepairDuty(this.#state, this.#plugin, this.#metrics, (name) => {
      this.#loops[name].wake();
    });
    this.#kubeProxy = new KubeProxyDuty(kube, node, this.#view, this.#state, () => {
      this.#decideGate();
      const { facts, services } = this.#state;
      const known = facts?.notices?.includes(services.message) === true;
      if (services.reason !== NOT_OBSERVED && services.ready === known) this.#loops.facts.wake();
    });
    const loop = (
      name: string,
      period: LoopOptions["period"],
      debounce: LoopOptions["debounce"],
      work: () => Promise<void> | void,
    ): Loop => new Loop({ name, period, debounce }, work);
    this.#loops = {
      facts: loop("facts", 30_000, 50, () => {
        this.#findFacts();
      }),
      returnPath: loop("return path", 10_000, 20, () => {
        this.#makeReturnPath();
      }),
      repair: loop(
        "repair",
        () => this.#repair.period(),
        () => this.#repair.debounce(),
        () => this.#repair.pass(),
      ),
      kubeProxy: loop("kube-proxy", 5000, 50, () => this.#kubeProxy.pass()),
      addresses: loop("addresses", 10_000, 500, () => lookAfterAddresses(addressParts, this.#leading.nodeIs)),
      calls: loop("calls of the plugins", 1000, 0, () => this.#tellCalls()),
      leadership: loop("leadership", (LEASE_SECONDS * 1000) / 3, 0, () => this.#leading.campaign()),
      duties: loop("duties for the cluster", 10_000, 500, () => this.#leading.pass()),
      memory: loop("memory", 10_000, 0, () => {
        tidyMemory(this.#loops.memory.passes);
      }),
      status: loop("status", 10_000, 100, () => this.#publish()),
    };
  }

  async start(): Promise<void> {
    log("info", "agent starts", { node: this.#node, lastFacts: this.#state.facts !== undefined });
    installPlugin(this.#places.binDirectory);
    // What the node needs of itself comes first: the API server may be away.
    for (const name of ["returnPath", "repair", "kubeProxy", "status", "calls", "memory"] as const)
      this.#loops[name].start();
    this.#kernel.start({
      links: () => {
        this.#repair.lookAtAll();
      },
      tables: () => {
        this.#loops.returnPath.wake();
      },
      addresses: () => {
        this.#loops.facts.wake();
      },
    });
    this.#servers = await serveAll({
      allocator: this.#allocator,
      plugin: this.#plugin,
      runDirectory: this.#places.runDirectory,
      events: this.#events,
      metrics: this.#metrics,
      notReady: () => this.#notReady(),
      metricsText: () => this.#metrics.text(this.#state, this.#publisher.conditions, this.#view, this.#kube),
    });
    this.#state.ipamError = undefined;
    this.#view.start(() => {
      this.#loops.facts.wake();
    });
    this.#view.underlayAddresses.onChange(() => {
      this.#loops.duties.wake();
    });
    void this.#view.ready().then(() => {
      for (const name of ["facts", "addresses", "leadership", "duties"] as const) this.#loops[name].start();
    });
  }

  async stop(): Promise<void> {
    for (const loop of Object.values(this.#loops)) loop.stop();
    this.#kernel.stop();
    this.#view.stop();
    for (const server of this.#servers) server.close();
    await this.#leading.stop();
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
    const links = observeLinks();
    const observations = { ...observeCluster(this.#view, this.#node), ...links };
    // What is not known yet must not look as if it did not exist: pods that run would lose their routes meanwhile.
    if (!this.#view.followCostly(neededKinds(observations))) return;
    const discovery = discover(observations);
    this.#state.configResourceVersion = settingsVersion(this.#view);
    const { invalid: bad } = parsePools(this.#view.underlayPools.values());
    this.#state.poolProblems = [...bad].map(([name, problem]) => `UnderlayPool ${name}: ${problem}.`);
    if ("facts" in discovery) {
      this.#state.problems = [];
      this.#state.disagreements = discovery.disagreements;
      const facts = addOverlayMtu(this.#completeFacts(discovery.facts, links.links), readOverlayMtu());
      const isNews = writeFacts(facts, this.#plugin.facts) || this.#state.facts === undefined;
      this.#state.facts = facts;
      // Objects change all day where pods come and go; what is found in them seldom does.
      if (isNews) {
        log("info", "facts written", { facts });
        this.#loops.returnPath.wake();
        this.#repair.lookAtAll();
      }
    } else this.#state.problems = discovery.problems;
    this.#loops.status.wake();
  }

  /** Adds what is decided by more than the cluster's objects: the return path, and what ADD writes to its log. */
  #completeFacts(found: Facts, links: readonly { readonly address: string }[]): Facts {
    const router = {
      pools: listPoolsOfNode(this.#view, this.#node),
      internalAddresses: found.node.addresses,
      linkAddresses: links.map(({ address }) => parseIp(address)),
    };
    const facts = chooseReturnPath(found, settingsOf(this.#view), router);
    const { ready, reason, message } = this.#state.services;
    return ready || reason === NOT_OBSERVED ? facts : { ...facts, notices: [message] };
  }

  #makeReturnPath(): void {
    const state = this.#state;
    const before = JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]);
    if (state.facts === undefined) state.returnPathError = "The facts are not complete.";
    else
      try {
        for (const line of [...applyReturnPath(state.facts), ...loosenTunnels(state.facts), ...raiseNeighbourLimits()])
          log("info", "return path", { what: line });
        state.returnPathError = undefined;
      } catch (error) {
        state.returnPathError = messageOf(error);
      }
    state.ruleCounters = readNodeTableCounters();
    state.tcpBeLiberal = readTcpBeLiberal();
    if (JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]) !== before)
      this.#loops.kubeProxy.wake();
    this.#decideGate();
  }

  /** Durations for the metrics; failures for whoever describes the pod. */
  async #tellCalls(): Promise<void> {
    for (const call of this.#cniLog.read()) {
      this.#metrics.cniCall(call);
      // What IPAM refused has been told by itself.
      if (call.error !== undefined && call.command === "ADD" && call.plugin === "interlay" && call.pod !== undefined)
        await this.#events.warn(call.pod, "UnderlayWiringFailed", call.error);
    }
  }

  #decideGate(): void {
    const { facts, returnPathError, tcpBeLiberal, kubeProxy, otherDrops } = this.#state;
    this.#state.gate = decideGate({
      returnPath: facts?.returnPath ?? "none",
      applied: facts !== undefined && returnPathError === undefined,
      tcpBeLiberal,
      kubeProxy,
      otherDrops,
    });
    this.#loops.status.wake();
  }

  async #publish(): Promise<void> {
    await this.#publisher.publish(nodeStatus(this.#state, this.#publisher.conditions, new Date()));
  }
}
