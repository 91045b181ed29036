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

/** Longest delay of the first list requests, in milliseconds. */
const START_SPREAD_MS = 2000;

type LoopName = "facts" | "returnPath" | "repair" | "kubeProxy" | "addresses" | "status" | "calls" | "memory" | "paths";

/** The agent of one node. Each task has its own loop (observe, plan, apply); the status loop publishes the results. */
export class Agent {
  readonly #kube: KubeClient;
  readonly #node: string;
  readonly #nodePaths: NodePaths;
  /** The plugin's paths below these directories. */
  readonly #pluginPaths: Paths;
  readonly #cache: ClusterCache;
  /** Starts the first list requests, delayed at random: an update restarts many agents at the same time. */
  readonly #listStart = new DelayedStart(() => {
    this.#cache.start(() => {
      this.#loops.facts.wake();
    });
  });
  readonly #state: AgentStatus;
  readonly #publisher: NodeStatePublisher;
  readonly #allocator: Allocator;
  readonly #events: EventRecorder;
  readonly #warnings: WarningReporter;
  readonly #kernelEvents = new KernelEvents(writeLog.bind(undefined, "warn"));
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
  readonly #pathTracer: PathTracer;
  readonly #loops: Readonly<Record<LoopName, Loop>>;
  #servers: readonly (Server | SocketServer)[] = [];

  constructor(kube: KubeClient, node: string, paths: NodePaths, settings: ServerSettings) {
    this.#kube = kube;
    this.#settings = settings;
    this.#node = node;
    this.#nodePaths = paths;
    this.#pluginPaths = buildPluginPaths(paths);
    this.#cniLog = new CniLog(this.#pluginPaths.log);
    this.#cache = new ClusterCache(kube, node, logInvalidObject);
    this.#state = createAgentStatus(readLastFacts(this.#pluginPaths.facts));
    this.#publisher = new NodeStatePublisher(kube, node);
    const store = new ClusterAddressStore(kube, this.#cache, node);
    const records = new Records(join(paths.stateDirectory, "addresses"));
    this.#events = new EventRecorder(kube, node);
    const { stateDirectory } = paths;
    this.#allocator = new Allocator(store, records, {
      stateDirectory,
      waitClock: SYSTEM_CLOCK,
      ...createAddressListener(this.#events),
    });
    const reclaimer = new AddressReclaimer(kube, store, records, this.#pluginPaths.attachments);
    const addressParts = { node, cache: this.#cache, allocator: this.#allocator, reclaimer, metrics: this.#metrics };
    this.#warnings = new WarningReporter(this.#events);
    this.#repair = new RepairReconciler(this.#state, this.#pluginPaths, this.#metrics, (name) => {
      this.#loops[name].wake();
    });
    const wakeStatus = (): void => {
      this.#loops.status.wake();
    };
    this.#facts = new FactsReconciler(this.#cache, node, this.#state, this.#pluginPaths.facts, {
      changed: () => {
        this.#loops.returnPath.wake();
        this.#repair.requestFullPass();
      },
      observed: wakeStatus,
    });
    this.#returnPath = new ReturnPathReconciler(this.#state, () => {
      this.#loops.kubeProxy.wake();
    });
    this.#pathTracer = new PathTracer(node, this.#cache, this.#state, wakeStatus);
    this.#kubeProxy = new KubeProxyReconciler(kube, node, this.#cache, this.#state, () => {
      this.#decideGate();
      const { facts, services } = this.#state;
      const noticeListed = facts?.notices?.includes(services.message) === true;
      if (services.reason !== NOT_OBSERVED && services.ready === noticeListed) this.#loops.facts.wake();
    });
    const createLoop = (
      name: string,
      period: LoopOptions["period"],
      debounce: LoopOptions["debounce"],
      work: () => Promise<void> | void,
    ): Loop => new Loop({ name, period, debounce }, work);
    this.#loops = {
      facts: createLoop("facts", 30_000, 50, () => {
        this.#facts.reconcile();
      }),
      returnPath: createLoop("return path", 10_000, 20, () => {
        this.#returnPath.reconcile();
        this.#decideGate();
      }),
      repair: createLoop(
        "repair",
        () => this.#repair.getPeriod(),
        () => this.#repair.getDebounce(),
        () => this.#repair.reconcile(),
      ),
      kubeProxy: createLoop("kube-proxy", 5000, 50, () => this.#kubeProxy.reconcile()),
      addresses: createLoop("addresses", 10_000, 500, () => reclaimAddresses(addressParts)),
      calls: createLoop("calls of the plugins", 1000, 0, () => this.#reportCalls()),
      memory: createLoop("memory", 10_000, 0, () => {
        trimHeap(this.#loops.memory.passes);
      }),
      paths: this.#pathTracer.createLoop(),
      status: createLoop("status", 10_000, 100, () => this.#publish()),
    };
  }

  async start(): Promise<void> {
    writeLog("info", "agent starts", {
      version: VERSION,
      node: this.#node,
      lastFacts: this.#state.facts !== undefined,
    });
    renameStateDirectories(this.#nodePaths.stateDirectory);
    // On a new node everything waits for the lists; otherwise the facts of the previous agent are used until then.
    this.#listStart.schedule(this.#state.facts === undefined ? 0 : START_SPREAD_MS);
    // The loops that need no API server start first: it may be unreachable.
    for (const name of ["returnPath", "repair", "kubeProxy", "status", "calls", "memory"] as const)
      this.#loops[name].start();
    this.#kernelEvents.start(
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
      (address) => this.#state.facts?.node.addresses.some((nodeAddress) => nodeAddress === address) === true,
    );
    await installPlugin(this.#nodePaths.binDirectory);
    this.#servers = await startServers({
      allocator: this.#allocator,
      plugin: this.#pluginPaths,
      runDirectory: this.#nodePaths.runDirectory,
      events: this.#events,
      metrics: this.#metrics,
      needLists: () => {
        this.#listStart.startNow();
      },
      notReady: () => this.#notReady(),
      listStalls: () => Object.values(this.#loops).flatMap((loop) => loop.stall ?? []),
      kube: this.#kube,
      settings: this.#settings,
    });
    // Again, because an agent of an earlier version may have written there until now.
    renameStateDirectories(this.#nodePaths.stateDirectory);
    this.#state.ipamError = undefined;
    // In a large cluster the API server takes seconds to select this node's addresses, and no fact depends on them.
    void this.#cache.waitUntilFactsListed().then(() => {
      for (const name of ["facts", "paths"] as const) this.#loops[name].start();
    });
    void this.#cache.waitUntilReady().then(() => this.#loops.addresses.start());
  }

  stop(): void {
    for (const loop of Object.values(this.#loops)) loop.stop();
    this.#kernelEvents.stop();
    this.#listStart.cancel();
    this.#cache.stop();
    for (const server of this.#servers) server.close();
  }

  /** Lists the reasons why pods cannot be attached on this node; empty if they can. */
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

  /** Updates the gate's state and wakes the status loop. */
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
    await this.#publisher.publish(status, this.#cache.node.get(this.#node)?.metadata.uid);
    // kubectl describe node finds Events whose uid is the node's name, as the kubelet writes them.
    const node = { apiVersion: "v1", kind: "Node", name: this.#node, uid: this.#node };
    await this.#warnings.report(node, listNodeWarnings(status.conditions, now));
  }
}
