import { z } from "zod";
import { hasStatus, type Kube } from "./kube-client.ts";
import { RESOURCE } from "./objects.ts";

const NAME = "interlay-leader";
export const LEASE_SECONDS = 30;

const lease = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z.object({
    holderIdentity: z.string().optional(),
    renewTime: z.string().optional(),
    leaseDurationSeconds: z.number().optional(),
  }),
});

/** Which agent does what the cluster needs once: by a Lease, as Kubernetes' own controllers do it. */
export class Leadership {
  readonly #kube: Kube;
  readonly #identity: string;
  /** What was seen last and when, by our own clock: others' clocks are not to be trusted. */
  #seen = { version: "", at: 0 };
  #until = 0;

  constructor(kube: Kube, identity: string) {
    this.#kube = kube;
    this.#identity = identity;
  }

  /** Ours, with time to spare for a request to end. */
  get held(): boolean {
    return performance.now() < this.#until;
  }

  /** Takes the lease if it is free, renews it if it is ours. To be called every third of its duration. */
  async campaign(): Promise<void> {
    const now = performance.now();
    const found = await this.#kube.find(RESOURCE.leases, NAME);
    if (found === undefined) {
      await this.#write(now, undefined);
      return;
    }
    const { metadata, spec } = lease.parse(found);
    const mine = spec.holderIdentity === this.#identity;
    if (metadata.resourceVersion !== this.#seen.version) this.#seen = { version: metadata.resourceVersion, at: now };
    const expired = now - this.#seen.at > (spec.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
    const released = (spec.holderIdentity ?? "") === "";
    if (mine || expired || released) await this.#write(now, metadata.resourceVersion);
  }

  /** Lets another take over at once. */
  async resign(): Promise<void> {
    if (!this.held) return;
    this.#until = 0;
    await this.#kube.mergePatch(RESOURCE.leases, NAME, { spec: { holderIdentity: "" } });
  }

  async #write(now: number, resourceVersion: string | undefined): Promise<void> {
    const time = `${new Date().toISOString().slice(0, -1)}000Z`; // MicroTime
    const body = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: NAME, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      spec: { holderIdentity: this.#identity, leaseDurationSeconds: LEASE_SECONDS, renewTime: time },
    };
    try {
      if (resourceVersion === undefined) await this.#kube.create(RESOURCE.leases, body);
      else await this.#kube.replace(RESOURCE.leases, NAME, body);
      this.#until = now + (LEASE_SECONDS * 1000 * 2) / 3;
    } catch (error) {
      if (!hasStatus(error, 409)) throw error; // another was first
      this.#until = 0;
    }
  }
}
