import { closeSync, openSync } from "node:fs";
import { type InterfaceAddress, RTM_ADDRESS, decodeAddress, encodeAddressDump } from "../netlink/interface-address.ts";
import { type Link, RTM_LINK, decodeLink, encodeLinkIndex, encodeLinkName } from "../netlink/link.ts";
import { runInNamespace } from "../netlink/namespace.ts";
import { NetlinkError, NetlinkSocket } from "../netlink/socket.ts";

/** A network namespace, accessed by netlink. Caches links by name. */
export class NetworkNamespace {
  readonly socket: NetlinkSocket;
  /** Undefined for the namespace of this process. */
  readonly path: string | undefined;
  readonly #links = new Map<string, Link>();
  #netfilter: NetlinkSocket | undefined;

  constructor(path?: string) {
    this.path = path;
    this.socket = path === undefined ? NetlinkSocket.open() : runInNamespace(path, () => NetlinkSocket.open());
  }

  /**
   * Netlink socket of nftables, opened at the first use and closed with the namespace: closing it takes some milliseconds, until
   * the kernel has destroyed removed objects (nf_tables_api.c: nft_rcv_nl_event).
   */
  get netfilter(): NetlinkSocket {
    this.#netfilter ??= this.run(() => NetlinkSocket.open("netfilter"));
    return this.#netfilter;
  }

  /** Runs synchronous work inside the namespace. */
  run<T>(work: () => T): T {
    return this.path === undefined ? work() : runInNamespace(this.path, work);
  }

  /** Finds a link by name, cached; undefined if it does not exist. */
  findLink(name: string): Link | undefined {
    const cached = this.#links.get(name);
    if (cached !== undefined) return cached;
    try {
      const message = this.socket.get(`link ${name}`, RTM_LINK.get, encodeLinkName(name));
      if (message === undefined) return undefined;
      const link = decodeLink(message.payload);
      this.#links.set(name, link);
      return link;
    } catch (error) {
      if (error instanceof NetlinkError && error.code === "ENODEV") return undefined;
      throw error;
    }
  }

  findLinkByIndex(index: number): Link | undefined {
    try {
      const message = this.socket.get(`link ${index}`, RTM_LINK.get, encodeLinkIndex(index));
      return message && decodeLink(message.payload);
    } catch (error) {
      if (error instanceof NetlinkError && error.code === "ENODEV") return undefined;
      throw error;
    }
  }

  /** Lists all links; not cached. */
  listLinks(): readonly Link[] {
    return this.socket.dump("links", RTM_LINK.get, encodeLinkName()).map((message) => decodeLink(message.payload));
  }

  /** Clears the cache. Call it after adding or removing links. */
  forgetLinks(): void {
    this.#links.clear();
  }

  listAddresses(): readonly InterfaceAddress[] {
    return this.socket
      .dump("addresses", RTM_ADDRESS.get, encodeAddressDump())
      .flatMap((message) => decodeAddress(message.payload) ?? []);
  }

  close(): void {
    this.#netfilter?.close();
    this.socket.close();
  }
}

/** Opens the node's and the pod's namespace while `work` runs. */
export function withNamespaces<T>(podPath: string, work: (node: NetworkNamespace, pod: NetworkNamespace) => T): T {
  const node = new NetworkNamespace();
  try {
    const pod = new NetworkNamespace(podPath);
    try {
      return work(node, pod);
    } finally {
      pod.close();
    }
  } finally {
    node.close();
  }
}

/** Opens the file of a namespace for IFLA_NET_NS_FD while `work` runs. */
export function withNamespaceFd<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
