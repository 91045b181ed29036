import { z } from "zod";
import type { ReservedRange } from "../ipam/pool/reservations.ts";
import { Informer } from "../kubernetes/informer.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { objectMeta } from "../kubernetes/object-meta.ts";
import { RESOURCE } from "../kubernetes/objects.ts";

const metadata = objectMeta;
const strings = z.array(z.string()).default([]);
const reservation = z.object({ metadata, spec: z.object({ ranges: strings, namespaces: strings }) });
const metallbPool = z.object({ metadata, spec: z.object({ addresses: strings }) });
const ciliumPool = z.object({
  metadata,
  spec: z.object({
    blocks: z
      .array(z.object({ cidr: z.string().optional(), start: z.string().optional(), stop: z.string().optional() }))
      .default([]),
  }),
});

/** Reserved ranges of the cluster: UnderlayReservations, and address pools of load balancers. */
export class ReservedRanges {
  readonly #reservations: Informer<z.infer<typeof reservation>>;
  readonly #metallb: Informer<z.infer<typeof metallbPool>>;
  readonly #cilium: Informer<z.infer<typeof ciliumPool>>;

  constructor(kube: KubeClient) {
    this.#reservations = new Informer(kube, RESOURCE.underlayReservations, (object) => reservation.parse(object));
    this.#metallb = new Informer(kube, RESOURCE.metallbPools, (object) => metallbPool.parse(object));
    this.#cilium = new Informer(kube, RESOURCE.ciliumPools, (object) => ciliumPool.parse(object));
  }

  start(changed: () => void): void {
    for (const informer of [this.#reservations, this.#metallb, this.#cilium]) informer.onChange(changed).start();
  }

  stop(): void {
    for (const informer of [this.#reservations, this.#metallb, this.#cilium]) informer.stop();
  }

  /** Whether all kinds have been listed; a kind that the cluster does not serve has no ranges. */
  get isKnown(): boolean {
    return [this.#reservations, this.#metallb, this.#cilium].every(({ state }) => state !== "unknown");
  }

  list(): readonly ReservedRange[] {
    const reserved = this.#reservations
      .values()
      .flatMap(({ metadata: { name }, spec }) =>
        spec.ranges.map((range) => ({ range, namespaces: spec.namespaces, by: `UnderlayReservation ${name}` })),
      );
    const metallb = this.#metallb
      .values()
      .flatMap(({ metadata: { namespace = "", name }, spec }) =>
        spec.addresses.map((range) => ({ range, namespaces: [], by: `IPAddressPool ${namespace}/${name}` })),
      );
    const cilium = this.#cilium.values().flatMap(({ metadata: { name }, spec }) =>
      spec.blocks.flatMap(({ cidr, start, stop }) => {
        const range = cidr ?? (start === undefined ? undefined : `${start}-${stop ?? start}`);
        return range === undefined ? [] : [{ range, namespaces: [], by: `CiliumLoadBalancerIPPool ${name}` }];
      }),
    );
    return [...reserved, ...metallb, ...cilium];
  }
}
