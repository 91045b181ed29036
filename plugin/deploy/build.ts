import { join } from "node:path";
import { compile } from "./compile.ts";

const plugin = join(import.meta.dirname, "..");

const SOURCES = ["agent", "cni", "datapath", "doctor", "ipam", "netlink"];

/** Makes `plugin/dist/interlay`, the one executable that is plugin, IPAM plugin and agent; returns its path. */
export function buildInterlay(): Promise<string> {
  return compile({
    entry: join(plugin, "main.ts"),
    sources: SOURCES.map((room) => join(plugin, room)),
    output: join(plugin, "dist", "interlay"),
  });
}

/** The plugin with faults that tests ask for; never installed. */
export function buildFaulty(): Promise<string> {
  return compile({
    entry: join(plugin, "testing", "faulty.ts"),
    sources: [...SOURCES, "testing"].map((room) => join(plugin, room)),
    output: join(plugin, "dist", "interlay-faulty"),
  });
}
