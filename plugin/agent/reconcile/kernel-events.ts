import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const RETRY_MS = 2000;

/**
 * Reports changes of routes, links, rules, addresses, neighbours and some sysctls (forwarding, rp_filter) of the node and of all
 * namespaces that have a link to it (`all-nsid`), and deletions of our nftables objects. The loops read the new state themselves.
 */
export class KernelEvents {
  readonly #children = new Set<ChildProcess>();
  #stopped = false;
  #missed: () => void = () => undefined;

  /**
   * @param changed.links called when something changed that the repair loop looks after
   * @param changed.tables called when an nftables table named interlay or an rp_filter changed
   * @param changed.addresses called when an address of the node's own links changed
   */
  start(changed: { readonly links: () => void; readonly tables: () => void; readonly addresses: () => void }): this {
    const objects = ["route", "link", "rule", "address", "neigh", "netconf"];
    this.#run("ip", ["-o", "monitor", "all-nsid", ...objects], (line) => {
      if (isRelevant(line)) changed.links();
      if (line.includes(" rp_filter ")) changed.tables();
      if (isNodeAddress(line)) changed.addresses();
    });
    this.#run("nft", ["monitor", "destroy"], (line) => {
      if (line.includes(" interlay")) changed.tables();
    });
    this.#missed = () => {
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

  #run(program: string, argv: readonly string[], heard: (line: string) => void): void {
    if (this.#stopped) return;
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "ignore"] });
    this.#children.add(child);
    createInterface(child.stdout).on("line", heard);
    let ended = false;
    const again = (): void => {
      if (ended) return;
      ended = true;
      this.#children.delete(child);
      setTimeout(() => {
        this.#missed(); // changes in the meantime
        this.#run(program, argv, heard);
      }, RETRY_MS).unref();
    };
    child.on("error", again).on("exit", again);
  }
}

/** Our neighbours are permanent; changes of others are frequent. */
function isRelevant(line: string): boolean {
  return !line.includes(" lladdr ") || line.includes("PERMANENT") || line.includes("link/");
}

/**
 * Returns true if a line is about an address of the node's own namespace: `[nsid current]5: eth0    inet 192.0.2.7/24 scope global…`.
 * Link-local IPv6 addresses of new links are ignored, because no fact depends on them.
 */
export function isNodeAddress(line: string): boolean {
  return /^(\[nsid current\])?(Deleted )?\d+: \S+\s+inet6? (?!fe80:)/.test(line);
}
