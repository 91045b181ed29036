import { join } from "node:path";
import { compileBun, compileC } from "./compile.ts";

const plugin = join(import.meta.dirname, "..");

const SOURCES = ["agent", "cni", "datapath", "doctor", "ipam", "netlink"];

/** What is installed on a node, side by side: the launcher finds the whole plugin where it lies itself. */
export interface Executables {
  /** `interlay`, and by a link `interlay-ipam`: what a runtime starts (plugin/launcher). */
  readonly launcher: string;
  /** `interlay-full`: plugin, IPAM plugin and agent. */
  readonly full: string;
}

/** What building needs of Debian beyond npm's packages. */
export const BUILD_PACKAGES = ["gcc", "musl-tools"] as const;

/** Makes `plugin/dist/interlay` and `plugin/dist/interlay-full`. */
export async function buildInterlay(): Promise<Executables> {
  const [launcher, full] = await Promise.all([
    compileC({
      entry: join(plugin, "launcher", "main.c"),
      sources: [join(plugin, "launcher")],
      output: join(plugin, "dist", "interlay"),
    }),
    compileBun({
      entry: join(plugin, "main.ts"),
      sources: SOURCES.map((room) => join(plugin, room)),
      output: join(plugin, "dist", "interlay-full"),
    }),
  ]);
  return { launcher, full };
}

/** The plugin with faults that tests ask for; never installed. */
export function buildFaulty(): Promise<string> {
  return compileBun({
    entry: join(plugin, "testing", "fault-injection.ts"),
    sources: [...SOURCES, "testing"].map((room) => join(plugin, room)),
    output: join(plugin, "dist", "interlay-faulty"),
  });
}
