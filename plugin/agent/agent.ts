import { existsSync } from "node:fs";
import type { Server } from "node:http";
import type { Server as SocketServer } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { finishEnded } from "../cni/del.ts";
import type { Places } from "../cni/options.ts";
import { Allocator } from "../ipam/allocator.ts";
import { answerIpam, type Ask, question } from "../ipam/main.ts";
import { toPools } from "../ipam/pools.ts";
import { Records } from "../ipam/records.ts";
import { addressListener } from "./address-events.ts";
import { ClusterAddressStore } from "./address-store.ts";
import { AgentMetrics } from "./agent-metrics.ts";
import { CALL_SOCKET, serveCalls } from "./call-server.ts";
import { ClusterDuties } from "./cluster-duties.ts";
import { ClusterView } from "./cluster-view.ts";
import { CniLog } from "./cni-log.ts";
import { discover } from "./discover.ts";
import { PodEvents } from "./events.ts";
import { readLastFacts, writeFacts } from "./facts-file.ts";
import { FilterReader } from "./filters.ts";
import { changeForward, forwardChanges } from "./forward.ts";
import { decideGate } from "./gate.ts";
import { serveHealth } from "./health.ts";
import { installPlugin } from "./install.ts";
import { answerIpam as answerAddress, type IpamListener, serveIpam } from "./ipam-server.ts";
import { KernelEvents } from "./kernel-events.ts";
import type { Kube } from "./kube.ts";
import { KubeProxyObserver } from "./kube-proxy.ts";
import { RESTART_AGAIN_MS, restartHelps } from "./kube-proxy-restart.ts";
import { LEASE_SECONDS, Leadership } from "./leader.ts";
import { log, messageOf } from "./log.ts";
import { tidyMemory } from "./memory.ts";
import { Loop, type LoopOptions } from "./loop.ts";
import { observeLinks } from "./node-links.ts";
import { NodeStatePublisher, nodeStatus } from "./node-state.ts";
import { inNamespace, RESOURCE } from "./objects.ts";
import { observeCluster, settingsOf, settingsVersion } from "./observe.ts";
import { type NodePlaces, pluginPlaces } from "./places.ts";
import { Reclaimer } from "./reclaimer.ts";
import { BUSY_MS, type Look, repairAttachments } from "./repair.ts";
import { applyReturnPath, readTcpBeLiberal } from "./return-path.ts";
import { isOn, seconds } from "./settings.ts";
import { type AgentState, initialState } from "./state.ts";
import { loosenTunnels } from "./tunnel-filter.ts";

/** Defaults of ConfigMap interlay-config, in seconds. */
const RECLAIM = { after: 10, withoutNode: 600, young: 30 } as const;

/**
 * What no event tells of (sysctls, nftables in pods) is found by looking: every second, or less often where that would
 * take more than a hundredth of a core. Milliseconds.
 */
const REPAIR_MS = { least: 900, share: 100 } as const;
/** All is looked at after an event, and so often without one, or less often by the same share. Milliseconds. */
const REPAIR_ALL_MS = 10_000;
/** After an event, a pass comes so soon; or later where passes take long, so that pods that start get most of the processor. */
const REPAIR_SOON_MS = { least: 100, share: 3 } as const;

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
  readonly #plugin: Places;
  readonly #view: ClusterView;
  readonly #state: AgentState;
  readonly #publisher: NodeStatePublisher;
  readonly #allocator: Allocator;
  readonly #reclaimer: Reclaimer;
  readonly #leadership: Leadership;
  readonly #events: PodEvents;
  readonly #kernel = new KernelEvents();
  readonly #metrics = new AgentMetrics();
  readonly #cniLog: CniLog;
  readonly #filters = new FilterReader();
  readonly #kubeProxyObserver = new KubeProxyObserver();
  readonly #ipamListener: IpamListener = {
    refused: (pod, message) => {
      log("warn", "no address given", { pod, message });
      void this.#events.warn(pod, "NoUnderlayAddress", message);
    },
    answered: (verb, duration, ok) => {
      this.#metrics.ipamAnswered(verb, duration, ok);
    },
  };
  readonly #loops: Readonly<Record<LoopName, Loop>>;
  /** While this agent is the leader. */
  #duties: ClusterDuties | undefined;
  #servers: readonly (Server | SocketServer)[] = [];
  /** Milliseconds of the processor. */
  readonly #repairTook: Record<Look, number> = { all: 0, silent: 0 };
  /** When all is to be looked at, at the latest; by performance.now(). */
  #repairAllAt = 0;
  #kubeProxyRestarted = Number.NEGATIVE_INFINITY;

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
    this.#reclaimer = new Reclaimer(kube, store, records, this.#plugin.attachments);
    this.#leadership = new Leadership(kube, node);
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
        () => Math.max(REPAIR_MS.least, REPAIR_MS.share * this.#repairTook.silent),
        () => Math.max(REPAIR_SOON_MS.least, REPAIR_SOON_MS.share * this.#repairTook.all),
        () => this.#repair(),
      ),
      kubeProxy: loop("kube-proxy", 5000, 50, () => this.#observeKubeProxy()),
      addresses: loop("addresses", 10_000, 500, () => this.#lookAfterAddresses()),
      calls: loop("calls of the plugins", 1000, 0, () => this.#tellCalls()),
      leadership: loop("leadership", (LEASE_SECONDS * 1000) / 3, 0, () => this.#campaign()),
      duties: loop("duties for the cluster", 10_000, 500, () => this.#duties?.pass()),
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
        this.#lookAtAll();
      },
      tables: () => {
        this.#loops.returnPath.wake();
      },
    });
    // The port before the sockets: while two agents are on the node, the one that comes waits here until the other has gone.
    this.#servers = [await this.#serveHealth(), await this.#serveCalls(), await this.#serveIpam()];
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
    this.#duties?.stop();
    for (const server of this.#servers) server.close();
    await this.#leadership.resign().catch(() => undefined); // it ends by itself
  }

  #serveCalls(): Promise<SocketServer> {
    const places = this.#plugin;
    const ask: Ask = (verb, request) =>
      answerAddress(this.#allocator, verb, () => Promise.resolve(question(request)), this.#ipamListener);
    return serveCalls({
      path: join(this.#places.runDirectory, CALL_SOCKET),
      places,
      ipam: (env, stdin) => answerIpam(env, stdin, "agent", ask, places),
    });
  }

  async #serveIpam(): Promise<Server> {
    const server = await serveIpam(this.#allocator, this.#ipamListener, join(this.#places.runDirectory, "agent.sock"));
    this.#state.ipamError = undefined;
    return server;
  }

  #serveHealth(): Promise<Server> {
    return serveHealth(
      () => this.#notReady(),
      () => this.#metrics.text(this.#state, this.#publisher.conditions, this.#view, this.#kube),
    );
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
      const isNews = writeFacts(discovery.facts, this.#plugin.facts) || this.#state.facts === undefined;
      this.#state.facts = discovery.facts;
      // Objects change all day where pods come and go; what is found in them seldom does.
      if (isNews) {
        log("info", "facts written", { facts: discovery.facts });
        this.#loops.returnPath.wake();
        this.#lookAtAll();
      }
    } else this.#state.problems = discovery.problems;
    this.#loops.status.wake();
  }

  #makeReturnPath(): void {
    const state = this.#state;
    const before = JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]);
    if (state.facts === undefined) state.returnPathError = "The facts are not complete.";
    else
      try {
        for (const line of [...applyReturnPath(state.facts), ...loosenTunnels(state.facts)])
          log("info", "return path", { what: line });
        state.returnPathError = undefined;
      } catch (error) {
        state.returnPathError = messageOf(error);
      }
    state.tcpBeLiberal = readTcpBeLiberal();
    if (JSON.stringify([state.returnPathError, state.tcpBeLiberal, state.facts?.returnPath]) !== before)
      this.#loops.kubeProxy.wake();
    this.#decideGate();
  }

  #lookAtAll(): void {
    this.#repairAllAt = 0;
    this.#loops.repair.wake();
  }

  async #repair(): Promise<void> {
    const [started, before] = [performance.now(), process.cpuUsage()];
    const look: Look = performance.now() >= this.#repairAllAt ? "all" : "silent";
    if (look === "all") this.#repairAllAt = Number.POSITIVE_INFINITY; // an event meanwhile sets it anew
    const report = await repairAttachments(this.#state.facts, this.#plugin.state, look);
    // By the processor's time: a busy node must not make it look less often than it may.
    const { user, system } = process.cpuUsage(before);
    this.#repairTook[look] = (user + system) / 1000;
    if (look === "all") {
      // What could not be put back is tried again at once: only a look at all says that it is still so.
      const next = report.failed.length > 0 ? 0 : Math.max(REPAIR_ALL_MS, REPAIR_MS.share * this.#repairTook.all);
      this.#repairAllAt = Math.min(this.#repairAllAt, performance.now() + next);
    }
    this.#metrics.repairTook((performance.now() - started) / 1000);
    for (const what of report.repaired) log("warn", "repaired", { what });
    for (const what of report.removed) log("info", "removed what was left of a pod that is gone", { what });
    this.#metrics.repaired(report.repaired);
    const isNews = !isDeepStrictEqual(report, this.#state.repair);
    this.#state.repair = report;
    if (!existsSync(this.#plugin.facts)) this.#loops.facts.wake();
    // No event tells of it.
    if (readTcpBeLiberal() !== this.#state.tcpBeLiberal) this.#loops.returnPath.wake();
    if (report.busy > 0)
      setTimeout(() => {
        this.#lookAtAll();
      }, BUSY_MS).unref();
    if (isNews) this.#loops.status.wake();
    await finishEnded(this.#plugin.state);
  }

  async #observeKubeProxy(): Promise<void> {
    const pod = this.#view.pods.values().find(({ metadata }) => metadata.labels["k8s-app"] === "kube-proxy");
    const filters = await this.#filters.read();
    const kubeProxy = await this.#kubeProxyObserver.observe(filters, pod?.spec.containers[0]?.image);
    this.#state.kubeProxy = kubeProxy;
    this.#decideGate();
    const { facts } = this.#state;
    const forward = facts === undefined ? [] : forwardChanges(filters.saved, facts.returnPath !== "none");
    for (const what of changeForward(forward)) log("info", "FORWARD has the policy DROP, or had it", { what });
    const now = performance.now();
    if (
      pod !== undefined &&
      restartHelps(facts?.returnPath, this.#state.tcpBeLiberal, kubeProxy) &&
      isOn(settingsOf(this.#view), this.#node, "restartKubeProxy") &&
      now - this.#kubeProxyRestarted > RESTART_AGAIN_MS
    ) {
      this.#kubeProxyRestarted = now;
      const { name, namespace = "kube-system", uid } = pod.metadata;
      log("info", "kube-proxy is restarted, so that it leaves its INVALID rule out", { pod: name });
      await this.#kube.delete(inNamespace(RESOURCE.pods, namespace), name, uid);
    }
  }

  async #lookAfterAddresses(): Promise<void> {
    await this.#allocator.sync();
    const settings = settingsOf(this.#view);
    const milliseconds = (key: string, otherwise: number): number =>
      1000 * seconds(settings, this.#node, key, otherwise);
    const lines = await this.#reclaimer.pass(
      {
        afterPod: milliseconds("addressReclaimSeconds", RECLAIM.after),
        withoutNode: milliseconds("addressReclaimWithoutNodeSeconds", RECLAIM.withoutNode),
        young: milliseconds("addressReclaimYoungSeconds", RECLAIM.young),
      },
      this.#leadership.held ? this.#duties?.nodeIs : undefined,
    );
    for (const what of lines) log("info", "address reclaimed", { what });
    this.#metrics.reclaimed(lines.length);
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

  async #campaign(): Promise<void> {
    await this.#leadership.campaign();
    if (this.#leadership.held && this.#duties === undefined) {
      log("info", "this agent leads");
      this.#duties = new ClusterDuties(this.#kube, this.#view);
      this.#duties.start(() => {
        this.#loops.duties.wake();
      });
    } else if (!this.#leadership.held && this.#duties !== undefined) {
      this.#duties.stop();
      this.#duties = undefined;
    }
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
