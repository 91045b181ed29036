import { z } from "zod";
import { type KubeClient } from "./kube-client.ts";
import { hasStatus } from "./kube-error.ts";
import { RESOURCE } from "./objects.ts";

const LEASE_NAME = "interlay-leader";
export const LEASE_SECONDS = 30;

const lease = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z.object({
    holderIdentity: z.string().optional(),
    renewTime: z.string().optional(),
    leaseDurationSeconds: z.number().optional(),
  }),
});

type LeaseClient = Pick<KubeClient, "find" | "create" | "replace" | "mergePatch">;

/** Leader election by a Lease, as Kubernetes' own controllers do it. */
export class LeaderElection {
  readonly #kube: LeaseClient;
  readonly #identity: string;
  readonly #now: () => number;
  /** Last observed version and its local time: clocks of other nodes are not used. */
  #seen = { version: "", at: 0 };
  #until = 0;

  /** @param now monotonic clock, in milliseconds */
  constructor(kube: LeaseClient, identity: string, now = () => performance.now()) {
    this.#kube = kube;
    this.#identity = identity;
    this.#now = now;
  }

  /** Whether this agent holds the lease, with a margin for a running request. */
  get held(): boolean {
    return this.#now() < this.#until;
  }

  /** Takes the lease if it is free, renews it if this agent holds it. Must be called every third of its duration. */
  async campaign(): Promise<void> {
    const now = this.#now();
    const current = await this.#kube.find(RESOURCE.leases, LEASE_NAME);
    if (current === undefined) {
      await this.#write(now, undefined);
      return;
    }
    const { metadata, spec } = lease.parse(current);
    const isOwn = spec.holderIdentity === this.#identity;
    if (metadata.resourceVersion !== this.#seen.version) this.#seen = { version: metadata.resourceVersion, at: now };
    const expired = now - this.#seen.at > (spec.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
    const released = (spec.holderIdentity ?? "") === "";
    if (isOwn || expired || released) await this.#write(now, metadata.resourceVersion);
    else this.#until = 0; // another agent holds the lease
  }

  /** Releases the lease, so that another agent can take over at once. */
  async resign(): Promise<void> {
    if (!this.held) return;
    this.#until = 0;
    await this.#kube.mergePatch(RESOURCE.leases, LEASE_NAME, { spec: { holderIdentity: "" } });
  }

  async #write(now: number, resourceVersion: string | undefined): Promise<void> {
    const time = `${new Date().toISOString().slice(0, -1)}000Z`; // MicroTime
    const body = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: LEASE_NAME, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      spec: { holderIdentity: this.#identity, leaseDurationSeconds: LEASE_SECONDS, renewTime: time },
    };
    try {
      if (resourceVersion === undefined) await this.#kube.create(RESOURCE.leases, body);
      else await this.#kube.replace(RESOURCE.leases, LEASE_NAME, body);
      this.#until = now + (LEASE_SECONDS * 1000 * 2) / 3;
    } catch (error) {
      if (!hasStatus(error, 409)) throw error; // another agent created it first
      this.#until = 0;
    }
  }
}
