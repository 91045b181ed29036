import { ClusterReconciler } from "./cluster-reconciler.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { LeaderElection } from "../../kubernetes/leader-election.ts";
import { writeLog } from "../status/log.ts";
import type { WarningReporter } from "../status/warnings.ts";

/** Campaigns for the leader's lease, and runs the cluster-wide tasks while this agent holds it. */
export class LeaderTasks {
  readonly #kube: KubeClient;
  readonly #view: ClusterCache;
  readonly #leadership: LeaderElection;
  readonly #warnings: WarningReporter;
  readonly #wake: () => void;
  /** Defined while this agent is the leader. */
  #reconciler: ClusterReconciler | undefined;

  /** @param wake called when the cluster-wide tasks have work */
  constructor(kube: KubeClient, node: string, view: ClusterCache, warnings: WarningReporter, wake: () => void) {
    this.#kube = kube;
    this.#view = view;
    this.#leadership = new LeaderElection(kube, node);
    this.#warnings = warnings;
    this.#wake = wake;
  }

  /** Whether this agent does the cluster-wide work now. */
  get isLeader(): boolean {
    return this.#leadership.held && this.#reconciler !== undefined;
  }

  /** Finds the state of another node; undefined if this agent is not the leader. */
  get findNodeState(): ClusterReconciler["findNodeState"] | undefined {
    return this.#leadership.held ? this.#reconciler?.findNodeState : undefined;
  }

  /** Does the cluster-wide work, unless the lease has ended since the last campaign. */
  pass(): Promise<void> | void {
    return this.#leadership.held ? this.#reconciler?.pass() : undefined;
  }

  async campaign(): Promise<void> {
    await this.#leadership.campaign();
    if (this.#leadership.held && this.#reconciler === undefined) {
      writeLog("info", "this agent leads");
      this.#reconciler = new ClusterReconciler(this.#kube, this.#view, this.#warnings);
      this.#reconciler.start(this.#wake);
    } else if (!this.#leadership.held && this.#reconciler !== undefined) {
      this.#reconciler.stop();
      this.#reconciler = undefined;
    }
  }

  async stop(): Promise<void> {
    this.#reconciler?.stop();
    await this.#leadership.resign().catch(() => undefined); // it ends by itself
  }
}
