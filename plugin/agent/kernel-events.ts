import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const AGAIN_MS = 2000;

/**
 * A line for every change of routes, links, rules, addresses, neighbours and some sysctls (forwarding, rp_filter), on the
 * node and in every namespace that has a link to it (`all-nsid`), and for every nftables object of ours that goes. What
 * changed is read by the passes themselves.
 */
export class KernelEvents {
  readonly #children = new Set<ChildProcess>();
  #stopped = false;
  #missed: () => void = () => undefined;

  /** @param links something that the repair loop looks after; `tables`: an nftables table named interlay, or an rp_filter */
  start(changed: { readonly links: () => void; readonly tables: () => void }): this {
    const objects = ["route", "link", "rule", "address", "neigh", "netconf"];
    this.#run("ip", ["-o", "monitor", "all-nsid", ...objects], (line) => {
      if (isReason(line)) changed.links();
      if (line.includes(" rp_filter ")) changed.tables();
    });
    this.#run("nft", ["monitor", "destroy"], (line) => {
      if (line.includes(" interlay")) changed.tables();
    });
    this.#missed = () => {
      changed.links();
      changed.tables();
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
        this.#missed(); // what happened meanwhile
        this.#run(program, argv, heard);
      }, AGAIN_MS).unref();
    };
    child.on("error", again).on("exit", again);
  }
}

/** Neighbours come and go all the time; ours are permanent. */
export function isReason(line: string): boolean {
  return !line.includes(" lladdr ") || line.includes("PERMANENT") || line.includes("link/");
}
