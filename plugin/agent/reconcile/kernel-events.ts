import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { NODE_ROUTE_PROTOCOL } from "../../datapath/kernel-objects.ts";
import { NODE_LINK_PREFIX } from "../../datapath/names.ts";

const RETRY_MS = 2000;

/**
 * Reports changes of routes, links, rules, addresses, neighbours and some sysctls (forwarding, rp_filter) of the node and of all
 * namespaces that have a link to it (`all-nsid`), and deletions of Interlay's nftables objects. The loops read the new state.
 */
export class KernelEvents {
  readonly #children = new Set<ChildProcess>();
  readonly #log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Programs whose end has been logged: each is logged once, not after every restart. */
  readonly #ended = new Set<string>();
  #stopped = false;
  #reportAllChanged: () => void = () => undefined;

  /** @param log writes a warning */
  constructor(log: (message: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#log = log;
  }

  /**
   * Starts to watch the kernel's events.
   * @param changed.links called after a change of state that the repair loop restores
   * @param changed.tables called when an nftables table named interlay or an rp_filter changed
   * @param changed.addresses called when an address of the node's own links changed
   * @param isPinned whether plans pin the neighbour of an address in pods
   */
  start(
    changed: { readonly links: () => void; readonly tables: () => void; readonly addresses: () => void },
    isPinned: (address: string) => boolean,
  ): this {
    const objects = ["route", "link", "rule", "address", "neigh", "netconf"];
    this.#watchOutput("ip", ["-o", "monitor", "all-nsid", ...objects], (line) => {
      if (isRepairReason(line, isPinned)) changed.links();
      if (line.includes(" rp_filter ")) changed.tables();
      if (isNodeAddress(line)) changed.addresses();
    });
    this.#watchOutput("nft", ["monitor", "destroy"], (line) => {
      if (line.includes(" interlay")) changed.tables();
    });
    this.#reportAllChanged = () => {
      changed.links();
      changed.tables();
      changed.addresses();
    };
    return this;
  }

  stop(): void {
    this.#stopped = true;
    for (const child of this.#children) child.kill();
  }

  #watchOutput(program: string, argv: readonly string[], onLine: (line: string) => void): void {
    if (this.#stopped) return;
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    createInterface(child.stdout).on("line", onLine);
    let error = "";
    createInterface(child.stderr).on("line", (line) => (error ||= line));
    let ended = false;
    const restart = (reason: Error | number | null): void => {
      if (ended) return;
      ended = true;
      this.#children.delete(child);
      this.#reportEnd(program, error || (reason instanceof Error ? reason.message : `exit status ${reason}`));
      setTimeout(() => {
        this.#reportAllChanged(); // changes before the restart were not reported
        this.#watchOutput(program, argv, onLine);
      }, RETRY_MS).unref();
    };
    child.on("error", restart).on("close", restart);
  }

  #reportEnd(program: string, error: string): void {
    if (this.#stopped || this.#ended.has(program)) return;
    this.#ended.add(program);
    this.#log(`${program} monitor ended: changes are seen at its next start, in ${RETRY_MS} ms`, { error });
  }
}

const STATES = "PERMANENT|NOARP|REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|NONE";
/** `10.7.9.9 dev eth0 lladdr 02:00:00:00:00:01 router REACHABLE`. */
const NEIGHBOUR = new RegExp(`^(\\S+) dev (\\S+) (?:.*\\b)?(?:${STATES})\\b`);
/** `10.233.65.0/26 via …`, `blackhole 10.233.64.0/26 …`: a network, not an address. */
const NETWORK_ROUTE = /^(?:[a-z]+ )?(?:[\da-f.:]+\/\d+|default) /;

/**
 * Reports whether a line of `ip -o monitor all-nsid` may be a change of a plan item. On the node these are routes of Interlay's
 * protocol and neighbours on its links, in pods pinned neighbours. In other namespaces links have no names.
 * @param isPinned whether plans pin the neighbour of an address in pods
 */
export function isRepairReason(line: string, isPinned: (address: string) => boolean): boolean {
  const [, namespace = "current", text = ""] = /^(?:\[nsid (\w+)\])?(?:Deleted )?(.*)$/.exec(line) ?? [];
  const onNode = namespace === "current";
  const [isNeighbour, address = "", device = ""] = NEIGHBOUR.exec(text) ?? [];
  if (isNeighbour !== undefined) {
    if (onNode) return device.startsWith(NODE_LINK_PREFIX) && isChangeOfPinned(text);
    // The deletion of a pinned neighbour is reported as FAILED, like each address that does not answer.
    return isChangeOfPinned(text) && (text.includes("PERMANENT") || isPinned(address));
  }
  return !onNode || !NETWORK_ROUTE.test(text) || text.includes(` proto ${NODE_ROUTE_PROTOCOL} `);
}

/** Excludes the frequent changes of learned neighbours, which have a MAC address and are not permanent. */
function isChangeOfPinned(text: string): boolean {
  return !text.includes(" lladdr ") || text.includes("PERMANENT");
}

/**
 * Reports whether a line is about an address of the node's own namespace: `[nsid current]5: eth0    inet 192.0.2.7/24 scope global…`.
 * Link-local IPv6 addresses of new links are ignored, because no fact depends on them.
 */
export function isNodeAddress(line: string): boolean {
  return /^(\[nsid current\])?(Deleted )?\d+: \S+\s+inet6? (?!fe80:)/.test(line);
}
