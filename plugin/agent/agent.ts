import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import type { Paths } from "../cni/plugin-paths.ts";
import { SYSTEM_CLOCK } from "../ipam/waiting/exhaustion-wait.ts";
import { Allocator } from "../ipam/allocator/allocator.ts";
import { Records } from "../ipam/records/address-records.ts";
import { reclaimAddresses } from "./reclaim-addresses.ts";
import { createAddressListener } from "./status/address-events.ts";
import { ClusterAddressStore } from "./server/cluster-address-store.ts";
import { AgentMetrics } from "./status/agent-metrics.ts";
import { ClusterCache } from "./discovery/cluster-cache.ts";
import { NOT_OBSERVED } from "./kube-proxy/service-translation.ts";
import { CniLog } from "./status/cni-log.ts";
import { DelayedStart } from "./delayed-start.ts";
import { EventRecorder } from "./status/event-recorder.ts";
import { readLastFacts } from "../state/facts-file.ts";
import { decideGate } from "./kube-proxy/kube-proxy-gate.ts";
import { installPlugin } from "./install/install.ts";
import { KernelEvents } from "./reconcile/kernel-events.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { PathTracer } from "./path-tracer.ts";
import { KubeProxyReconciler } from "./kube-proxy-reconciler.ts";
import { logInvalidObject, writeLog } from "./status/agent-log.ts";
import { trimHeap } from "./trim-heap.ts";
import { Loop, type LoopOptions } from "./loop.ts";
import { NodeStatePublisher, buildNodeStateStatus } from "./status/node-state-publisher.ts";
import { listNodeWarnings, WarningReporter } from "./status/warnings.ts";
import { type NodePaths, buildPluginPaths } from "./install/node-paths.ts";
import { AddressReclaimer } from "../ipam/reclaim/address-reclaimer.ts";
import { RepairReconciler } from "./repair-reconciler.ts";
import { startServers } from "./server/servers.ts";
import type { ServerSettings } from "./server/server-settings.ts";
import { VERSION } from "../version/version.ts";
import { type AgentStatus, createAgentStatus } from "./status/agent-status.ts";
import { renameStateDirectories } from "../state/rename-directories.ts";
import { FactsReconciler } from "./facts-reconciler.ts";
import { ReturnPathReconciler } from "./return-path-reconciler.ts";

/** Longest delay of the first lists, in milliseconds. */
const START_SPREAD_MS = 2000;

type LoopName = "facts" | "returnPath" | "repair" | "kubeProxy" | "addresses" | "status" | "calls" | "memory" | "paths";

/** The agent of one node: one loop per task, each observe -> plan -> apply; the status loop publishes the results. */
export class Agent {
  readonly #kube: KubeClient;
  readonly #node: string;
  readonly #places: NodePaths;
  /** The same paths, as the plugin names them. */
  readonly #plugin: Paths;
  readonly #view: ClusterCache;
  /** The first lists, spread over the agents that an update restarts together. */
  readonly #lists = new DelayedStart(() => {
    this.#view.start(() => {
      this.#loops.facts.wake();
    });
  });
  readonly #state: AgentStatus;
  readonly #publisher: NodeStatePublisher;
  readonly #allocator: Allocator;
  readonly #events: EventRecorder;
  readonly #warnings: WarningReporter;
  readonly #kernel = new KernelEvents(writeLog.bind(undefined, "warn"));
  readonly #settings: ServerSettings;
  readonly #metrics = new AgentMetrics(() => ({
    state: this.#state,
    conditions: this.#publisher.conditions,
    waitingPods: this.#allocator.countWaitingPods(),
    requests: this.#kube.counts,
  }));
  readonly #cniLog: CniLog;
  readonly #repair: RepairReconciler;
  readonly #kubeProxy: KubeProxyReconciler;
  readonly #facts: FactsReconciler;
  readonly #returnPath: ReturnPathReconciler;
  readonly #paths: PathTracer;
  readonly #loops: Readonly<Record<LoopName, Loop>>;
  #servers: readonly (Server | SocketServer)[] = [];

  constructor(kube: KubeClient, node: string, paths: NodePaths, settings: ServerSettings) {
    this.#kube = kube;
    this.#settings = settings;
    this.#node = node;
    this.#places = paths;
    this.#plugin = buildPluginPaths(paths);
    this.#cniLog = new CniLog(this.#plugin.log);
    this.#view = new ClusterCache(kube, node, logInvalidObject);
    this.#state = createAgentStatus(readLastFacts(this.#plugin.facts));
    this.#publisher = new NodeStatePublisher(kube, node);
    const store = new ClusterAddressStore(kube, this.#view, node);
    const records = new Records(join(paths.stateDirectory, "addresses"));
    this.#events = new EventRecorder(kube, node);
    const { stateDirectory } = paths;
    this.#allocator = new Allocator(store, records, {
      stateDirectory,
      waitClock: SYSTEM_CLOCK,
      ...createAddressListener(this.#events),
    });
    const reclaimer = new AddressReclaimer(kube, store, records, this.#plugin.attachments);
    const addressParts = { node, view: this.#view, allocator: this.#allocator, reclaimer, metrics: this.#metrics };
    this.#warnings = new WarningReporter(this.#events);
    this.#repair = new RepairReconciler(this.#state, this.#plugin, this.#metrics, (name) => {
      this.#loops[name].wake();
    });
    const wakeStatus = (): void => {
      this.#loops.status.wake();
    };
    this.#facts = new FactsReconciler(this.#view, node, this.#state, this.#plugin.facts, {
      changed: () => {
        this.#loops.returnPath.wake();
        this.#repair.requestFullPass();
      },
      observed: wakeStatus,
    });
    this.#returnPath = new ReturnPathReconciler(this.#state, () => {
      this.#loops.kubeProxy.wake();
    });
    this.#paths = new PathTracer(node, this.#view, this.#state, wakeStatus);
    this.#kubeProxy = new KubeProxyReconciler(kube, node, this.#view, this.#state, () => {
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
        this.#facts.reconcile();
      }),
      returnPath: loop("return path", 10_000, 20, () => {
        this.#returnPath.reconcile();
        this.#decideGate();
      }),
      repair: loop(
        "repair",
        () => this.#repair.getPeriod(),
        () => this.#repair.getDebounce(),
        () => this.#repair.reconcile(),
      ),
      kubeProxy: loop("kube-proxy", 5000, 50, () => this.#kubeProxy.reconcile()),
      addresses: loop("addresses", 10_000, 500, () => reclaimAddresses(addressParts)),
      calls: loop("calls of the plugins", 1000, 0, () => this.#reportCalls()),
      memory: loop("memory", 10_000, 0, () => {
        trimHeap(this.#loops.memory.passes);
      }),
      paths: this.#paths.createLoop(),
      status: loop("status", 10_000, 100, () => this.#publish()),
    };
  }

  async start(): Promise<void> {
    writeLog("info", "agent starts", {
      version: VERSION,
      node: this.#node,
      lastFacts: this.#state.facts !== undefined,
    });
    renameStateDirectories(this.#places.stateDirectory);
    // On a new node everything waits for the lists; else facts of an earlier agent serve until then.
    this.#lists.schedule(this.#state.facts === undefined ? 0 : START_SPREAD_MS);
    // The loops that need no API server start first: it may be unreachable.
    for (const name of ["returnPath", "repair", "kubeProxy", "status", "calls", "memory"] as const)
      this.#loops[name].start();
    this.#kernel.start(
      {
        links: () => {
          this.#repair.requestFullPass();
        },
        tables: () => {
          this.#loops.returnPath.wake();
        },
        addresses: () => {
          this.#loops.facts.wake();
        },
      },
      (address) => this.#state.facts?.node.addresses.some((own) => own === address) === true,
    );
    await installPlugin(this.#places.binDirectory);
    this.#servers = await startServers({
      allocator: this.#allocator,
      plugin: this.#plugin,
      runDirectory: this.#places.runDirectory,
      events: this.#events,
      metrics: this.#metrics,
      needLists: () => {
        this.#lists.startNow();
      },
      notReady: () => this.#notReady(),
      listStalls: () => Object.values(this.#loops).flatMap((loop) => loop.stall ?? []),
      kube: this.#kube,
      settings: this.#settings,
    });
    // Again: until now the agent of an earlier version may have written there.
    renameStateDirectories(this.#places.stateDirectory);
    this.#state.ipamError = undefined;
    // In a large cluster the API server takes seconds to select this node's addresses, and no fact depends on them.
    void this.#view.waitUntilFactsListed().then(() => {
      for (const name of ["facts", "paths"] as const) this.#loops[name].start();
    });
    void this.#view.waitUntilReady().then(() => this.#loops.addresses.start());
  }

  stop(): void {
    for (const loop of Object.values(this.#loops)) loop.stop();
    this.#kernel.stop();
    this.#lists.cancel();
    this.#view.stop();
    for (const server of this.#servers) server.close();
  }

  /** Lists why pods cannot be attached on this node; empty if they can. */
  #notReady(): readonly string[] {
    const { facts, problems, returnPathError, ipamError } = this.#state;
    return [
      ...(facts === undefined ? problems : []),
      ...(returnPathError === undefined ? [] : [returnPathError]),
      ...(ipamError === undefined ? [] : [ipamError]),
    ];
  }

  /** Records the durations of CNI calls as metrics, and their failures as events of the pods. */
  async #reportCalls(): Promise<void> {
    for (const call of this.#cniLog.read()) {
      this.#metrics.recordCniCall(call);
      // IPAM writes its own events for refused requests.
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
    const now = new Date();
    const status = buildNodeStateStatus(this.#state, this.#publisher.conditions, now);
    await this.#publisher.publish(status, this.#view.node.get(this.#node)?.metadata.uid);
    // kubectl describe node finds Events whose uid is the node's name, as the kubelet writes them.
    const node = { apiVersion: "v1", kind: "Node", name: this.#node, uid: this.#node };
    await this.#warnings.report(node, listNodeWarnings(status.conditions, now));
  }
}
