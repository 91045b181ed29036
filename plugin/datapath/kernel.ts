import { closeSync, openSync } from "node:fs";
import { type InterfaceAddress, RTM_ADDRESS, decodeAddress, encodeAddressDump } from "../netlink/address.ts";
import { type Link, RTM_LINK, decodeLink, encodeLinkIndex, encodeLinkName } from "../netlink/link.ts";
import { runInNamespace } from "../netlink/namespace.ts";
import { NetlinkError, NetlinkSocket } from "../netlink/socket.ts";

/** One network namespace as netlink shows it, with its links found by name once. */
export class Namespace {
  readonly socket: NetlinkSocket;
  /** Undefined: the one this process is in. */
  readonly path: string | undefined;
  readonly #links = new Map<string, Link>();
  #netfilter: NetlinkSocket | undefined;

  constructor(path?: string) {
    this.path = path;
    this.socket = path === undefined ? NetlinkSocket.open() : runInNamespace(path, () => NetlinkSocket.open());
  }

  /**
   * Opened when first asked for, closed with the namespace: closing waits until the kernel has destroyed what was
   * removed (some ms, nf_tables_api.c: nft_rcv_nl_event), which goes on beside the work that follows.
   */
  get netfilter(): NetlinkSocket {
    this.#netfilter ??= this.run(() => NetlinkSocket.open("netfilter"));
    return this.#netfilter;
  }

  /** Runs synchronous work inside. */
  run<T>(work: () => T): T {
    return this.path === undefined ? work() : runInNamespace(this.path, work);
  }

  /** Undefined if there is no such link. */
  findLink(name: string): Link | undefined {
    const known = this.#links.get(name);
    if (known !== undefined) return known;
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

  /** All of them, as they are now. */
  links(): readonly Link[] {
    return this.socket.dump("links", RTM_LINK.get, encodeLinkName()).map((message) => decodeLink(message.payload));
  }

  /** After links were made or removed. */
  forgetLinks(): void {
    this.#links.clear();
  }

  addresses(): readonly InterfaceAddress[] {
    return this.socket
      .dump("addresses", RTM_ADDRESS.get, encodeAddressDump())
      .flatMap((message) => decodeAddress(message.payload) ?? []);
  }

  close(): void {
    this.#netfilter?.close();
    this.socket.close();
  }
}

/** The node's and the pod's namespace for the time of `work`. */
export function withNamespaces<T>(podPath: string, work: (node: Namespace, pod: Namespace) => T): T {
  const node = new Namespace();
  try {
    const pod = new Namespace(podPath);
    try {
      return work(node, pod);
    } finally {
      pod.close();
    }
  } finally {
    node.close();
  }
}

/** An open file of a namespace, as IFLA_NET_NS_FD wants it. */
export function withNamespaceFd<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
