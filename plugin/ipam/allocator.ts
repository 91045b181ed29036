import { parseCidr, parseIp } from "../datapath/address.ts";
import { CniError, CODE } from "../cni/error.ts";
import type { ClusterApi, UnderlayAddressObject, UnderlayPoolObject } from "../agent/cluster-api.ts";
import { candidates, choosePools, type Pool, parseRange, prefixLength } from "./pool.ts";
import type { IpamAnswer, IpamRequest } from "./protocol.ts";

/** Label values have room for 63 characters; container ids have 64. */
const LABEL_MAX = 63;
export const CONTAINER_LABEL = "interlay.dev/container";
export const NODE_LABEL = "interlay.dev/node";

/** Gives addresses out of the pools; the API server's refusal of a second object of the same name is the lock. */
export class Allocator {
  readonly #api: ClusterApi;
  readonly #node: string;
  /** Calls on one node wait for each other: they would only race for the same lowest free address. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(api: ClusterApi, node: string) {
    this.#api = api;
    this.#node = node;
  }

  allocate(request: IpamRequest): Promise<IpamAnswer> {
    const turn = this.#queue.then(() => this.#allocate(request));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #allocate(request: IpamRequest): Promise<IpamAnswer> {
    const pools = choosePools((await this.#api.underlayPools()).map(toPool));
    if (pools.length === 0)
      throw new CniError(
        CODE.noAddress,
        "there is no UnderlayPool",
        "Apply one: see the UnderlayPool in Interlay's manifest.",
      );
    const all = await this.#api.underlayAddresses();
    const held = all.filter((address) => isHeldBy(address, request));
    if (held.length > 0) return answer(held, pools); // ADD again: the same
    const taken = new Set(all.map((address) => address.metadata.name));
    for (const pool of pools) {
      for (const ip of candidates(pool)) {
        const name = objectName(ip);
        if (taken.has(name)) continue;
        const spec = { address: ip, pool: pool.name, node: this.#node, ...request };
        const labels = { [CONTAINER_LABEL]: request.containerId.slice(0, LABEL_MAX), [NODE_LABEL]: this.#node };
        if (await this.#api.createUnderlayAddress(name, labels, spec)) return { ips: [withPool(ip, pool)] };
      }
    }
    throw new CniError(
      CODE.noAddress,
      `no address is free for pod ${request.pod.namespace}/${request.pod.name} in ${pools.map((p) => p.name).join(", ")}`,
      "Add a range to the pool, or remove pods that hold addresses: `kubectl get underlayaddresses`.",
    );
  }

  async release({ containerId, ifname }: Pick<IpamRequest, "containerId" | "ifname">): Promise<void> {
    const label = `${CONTAINER_LABEL}=${containerId.slice(0, LABEL_MAX)}`;
    for (const address of await this.#api.underlayAddresses(label))
      if (address.spec.containerId === containerId && address.spec.ifname === ifname)
        await this.#api.deleteUnderlayAddress(address);
  }

  /** Throws unless the container holds an address. */
  async check(request: IpamRequest): Promise<void> {
    const label = `${CONTAINER_LABEL}=${request.containerId.slice(0, LABEL_MAX)}`;
    const held = (await this.#api.underlayAddresses(label)).filter((address) => isHeldBy(address, request));
    if (held.length === 0)
      throw new CniError(
        CODE.drift,
        `container ${request.containerId} holds no underlay address for ${request.ifname}`,
      );
  }
}

function isHeldBy(
  { spec }: UnderlayAddressObject,
  { containerId, ifname }: Pick<IpamRequest, "containerId" | "ifname">,
): boolean {
  return spec.containerId === containerId && spec.ifname === ifname;
}

function answer(held: readonly UnderlayAddressObject[], pools: readonly Pool[]): IpamAnswer {
  return {
    ips: held.map(({ spec }) => {
      const pool = pools.find((p) => p.name === spec.pool);
      if (pool === undefined)
        throw new CniError(
          CODE.noAddress,
          `the pool ${spec.pool} of ${spec.address} is gone`,
          "Apply it again, or delete the pod.",
        );
      return withPool(spec.address, pool);
    }),
  };
}

function withPool(ip: string, pool: Pool): IpamAnswer["ips"][number] {
  return { address: `${ip}/${prefixLength(pool)}`, ...(pool.gateway === undefined ? {} : { gateway: pool.gateway }) };
}

/** Names are DNS labels: IPv4 as it is, IPv6 with its colons replaced. */
export function objectName(ip: string): string {
  return ip.includes(":") ? `v6-${ip.replaceAll(":", "-")}`.replace(/-$/, "-0") : ip;
}

export function toPool({ metadata, spec }: UnderlayPoolObject): Pool {
  return {
    name: metadata.name,
    subnet: parseCidr(spec.subnet),
    ranges: spec.ranges.map(parseRange),
    excluded: spec.excluded.map(parseIp),
    ...(spec.gateway === undefined ? {} : { gateway: parseIp(spec.gateway) }),
    priority: spec.priority,
  };
}
