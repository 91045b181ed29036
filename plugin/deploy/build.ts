import { join } from "node:path";
import { compile } from "./compile.ts";

const plugin = join(import.meta.dirname, "..");

/** Makes `plugin/dist/interlay`, the one executable that is plugin, IPAM plugin and agent; returns its path. */
export function buildInterlay(): Promise<string> {
  return compile({
    entry: join(plugin, "main.ts"),
    sources: ["agent", "cni", "datapath", "ipam", "netlink"].map((room) => join(plugin, room)),
    output: join(plugin, "dist", "interlay"),
  });
}
