import { ClusterDuties } from "./cluster-reconciler.ts";
import type { ClusterView } from "../discovery/cluster-cache.ts";
import type { Kube } from "../../kubernetes/kube-client.ts";
import { Leadership } from "../../kubernetes/leader-election.ts";
import { log } from "../status/log.ts";

/** This agent's part in what one agent does for the cluster: a lease, and the duties while it is held. */
export class Leading {
  readonly #kube: Kube;
  readonly #view: ClusterView;
  readonly #leadership: Leadership;
  readonly #wake: () => void;
  /** While this agent is the leader. */
  #duties: ClusterDuties | undefined;

  /** @param wake the duties have something to do */
  constructor(kube: Kube, node: string, view: ClusterView, wake: () => void) {
    this.#kube = kube;
    this.#view = view;
    this.#leadership = new Leadership(kube, node);
    this.#wake = wake;
  }

  /** What the leader knows of other nodes. */
  get nodeIs(): ClusterDuties["nodeIs"] | undefined {
    return this.#leadership.held ? this.#duties?.nodeIs : undefined;
  }

  pass(): Promise<void> | void {
    return this.#duties?.pass();
  }

  async campaign(): Promise<void> {
    await this.#leadership.campaign();
    if (this.#leadership.held && this.#duties === undefined) {
      log("info", "this agent leads");
      this.#duties = new ClusterDuties(this.#kube, this.#view);
      this.#duties.start(this.#wake);
    } else if (!this.#leadership.held && this.#duties !== undefined) {
      this.#duties.stop();
      this.#duties = undefined;
    }
  }

  async stop(): Promise<void> {
    this.#duties?.stop();
    await this.#leadership.resign().catch(() => undefined); // it ends by itself
  }
}
