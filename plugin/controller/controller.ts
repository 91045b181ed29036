import type { Server } from "node:http";
import { createReclaimReporter, readReclaimDelays } from "../agent/reclaim-addresses.ts";
import { Loop } from "../agent/loop.ts";
import { serveHealth } from "../agent/server/health-server.ts";
import { serveMetrics } from "../agent/server/metrics-server.ts";
import { ScrapeAuthorizer } from "../agent/server/scrape-authorizer.ts";
import type { ServerSettings } from "../agent/server/server-settings.ts";
import { EventRecorder } from "../agent/status/event-recorder.ts";
import { WarningReporter } from "../agent/status/warnings.ts";
import { writeLog } from "../agent/status/agent-log.ts";
import { CONFIG_MAP, SYSTEM_NAMESPACE } from "../kubernetes/objects.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { LEASE_SECONDS, LeaderElection } from "../kubernetes/leader-election.ts";
import { AddressReclaimer } from "../ipam/reclaim/address-reclaimer.ts";
import { VERSION } from "../version/version.ts";
import { ClusterReconciler } from "./cluster-reconciler.ts";
import { ControllerCache } from "./controller-cache.ts";
import { ControllerMetrics } from "./controller-metrics.ts";
import { createClusterStore, NO_RECORDS } from "./orphaned-addresses.ts";

/** Objects that only the leader has. */
interface Leadership {
  readonly cache: ControllerCache;
  readonly reconciler: ClusterReconciler;
  readonly reclaimer: AddressReclaimer;
}

/** A replica of the controller: it campaigns for the Lease, and does the cluster-wide work while it holds the Lease. */
export class Controller {
  readonly #kube: KubeClient;
  readonly #identity: string;
  readonly #settings: ServerSettings;
  readonly #election: LeaderElection;
  readonly #metrics: ControllerMetrics;
  readonly #warnings: WarningReporter;
  readonly #loops: Readonly<Record<"leadership" | "tasks" | "addresses", Loop>>;
  /** Defined while this replica is the leader. */
  #leading: Leadership | undefined;
  #servers: readonly Server[] = [];

  /** @param identity name of the pod, by which the Lease names its holder */
  constructor(kube: KubeClient, identity: string, settings: ServerSettings) {
    this.#kube = kube;
    this.#identity = identity;
    this.#settings = settings;
    this.#warnings = new WarningReporter(new EventRecorder(kube, identity));
    this.#election = new LeaderElection(kube, identity);
    this.#metrics = new ControllerMetrics(() => ({ cache: this.#getLeadership()?.cache, requests: kube.counts }));
    const createLoop = (name: string, period: number, debounce: number, work: () => Promise<void> | void): Loop =>
      new Loop({ name, period, debounce }, work);
    this.#loops = {
      leadership: createLoop("leadership", (LEASE_SECONDS * 1000) / 3, 0, () => this.#campaign()),
      tasks: createLoop("cluster tasks", 10_000, 500, () => this.#getLeadership()?.reconciler.reconcile()),
      addresses: createLoop("addresses", 10_000, 500, () => this.#reclaimAddresses()),
    };
  }

  async start(): Promise<void> {
    writeLog("info", "controller starts", { version: VERSION, identity: this.#identity });
    const { metrics, healthPort } = this.#settings;
    for (const loop of Object.values(this.#loops)) loop.start();
    this.#servers = [
      await serveHealth({
        port: healthPort,
        host: undefined,
        listStalls: () => Object.values(this.#loops).flatMap((loop) => loop.stall ?? []),
        listProblems: () => this.#listProblems(),
      }),
      ...(metrics === undefined
        ? []
        : [await serveMetrics(metrics, () => this.#metrics.renderText(), new ScrapeAuthorizer(this.#kube))]),
    ];
  }

  async stop(): Promise<void> {
    for (const loop of Object.values(this.#loops)) loop.stop();
    this.#stopLeading();
    for (const server of this.#servers) server.close();
    await this.#election.resign().catch(() => undefined); // the Lease expires by itself
  }

  /** Returns the leader's objects; undefined if the Lease has expired since the last campaign. */
  #getLeadership(): Leadership | undefined {
    return this.#election.held ? this.#leading : undefined;
  }

  async #campaign(): Promise<void> {
    await this.#election.campaign().finally(() => {
      if (this.#election.held && this.#leading === undefined) this.#startLeading();
      else if (!this.#election.held && this.#leading !== undefined) {
        writeLog("info", "this replica leads no longer", { identity: this.#identity });
        this.#stopLeading();
      }
    });
  }

  #startLeading(): void {
    writeLog("info", "this replica leads", { identity: this.#identity });
    const cache = new ControllerCache(this.#kube);
    this.#leading = {
      cache,
      reconciler: new ClusterReconciler(this.#kube, cache, this.#warnings),
      reclaimer: new AddressReclaimer(this.#kube, createClusterStore(this.#kube, cache), NO_RECORDS),
    };
    const wake = (): void => {
      this.#loops.tasks.wake();
    };
    cache.start(wake);
    this.#leading.reconciler.start(wake);
  }

  #stopLeading(): void {
    this.#leading?.cache.stop();
    this.#leading?.reconciler.stop();
    this.#leading = undefined;
  }

  /** Releases addresses of nodes that are deleted or not ready. The agents of other nodes release theirs themselves. */
  async #reclaimAddresses(): Promise<void> {
    const leading = this.#getLeadership();
    if (leading === undefined) return;
    const settings = leading.cache.settings.get(`${SYSTEM_NAMESPACE}/${CONFIG_MAP}`)?.data ?? {};
    const report = createReclaimReporter(this.#metrics);
    report(await leading.reclaimer.reclaimAddresses(readReclaimDelays(settings, ""), leading.reconciler.findNodeState));
  }

  /** Lists the reasons why this replica could not become the leader; empty if it could, or if it leads. */
  #listProblems(): readonly string[] {
    const { passes, error } = this.#loops.leadership;
    if (passes === 0) return ["the Lease interlay-leader has not been read yet"];
    return [...(error === undefined ? [] : [error]), ...(this.#leading?.cache.listErrors() ?? [])];
  }
}
