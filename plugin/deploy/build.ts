import { join } from "node:path";
import { compile, compileC } from "./compile.ts";

const plugin = join(import.meta.dirname, "..");

const SOURCES = ["agent", "cni", "datapath", "doctor", "ipam", "netlink"];

/** What is installed on a node, side by side: the door finds the whole plugin where it lies itself. */
export interface Executables {
  /** `interlay`, and by a link `interlay-ipam`: what a runtime starts (plugin/door). */
  readonly door: string;
  /** `interlay-full`: plugin, IPAM plugin and agent. */
  readonly whole: string;
}

/** What building needs of Debian beyond npm's packages. */
export const BUILD_PACKAGES = ["gcc", "musl-tools"] as const;

/** Makes `plugin/dist/interlay` and `plugin/dist/interlay-full`. */
export async function buildInterlay(): Promise<Executables> {
  const [door, whole] = await Promise.all([
    compileC({
      entry: join(plugin, "door", "main.c"),
      sources: [join(plugin, "door")],
      output: join(plugin, "dist", "interlay"),
    }),
    compile({
      entry: join(plugin, "main.ts"),
      sources: SOURCES.map((room) => join(plugin, room)),
      output: join(plugin, "dist", "interlay-full"),
    }),
  ]);
  return { door, whole };
}

/** The plugin with faults that tests ask for; never installed. */
export function buildFaulty(): Promise<string> {
  return compile({
    entry: join(plugin, "testing", "faulty.ts"),
    sources: [...SOURCES, "testing"].map((room) => join(plugin, room)),
    output: join(plugin, "dist", "interlay-faulty"),
  });
}
