import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compileBun, compileC } from "./compile.ts";
import { type Platform, selectToolchain } from "./platform.ts";

const plugin = join(import.meta.dirname, "..");

/** Folders of plugin/ that are not part of the executable. */
const NOT_SOURCES = ["deploy", "dist", "launcher", "testing"];

function listSources(): readonly string[] {
  return readdirSync(plugin, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_SOURCES.includes(entry.name))
    .map(({ name }) => join(plugin, name));
}

/** Executables that are installed in one directory of a node: the launcher executes the full plugin next to it. */
export interface Executables {
  /** `interlay`, and the link `interlay-ipam`: the programs that a container runtime starts (plugin/launcher). */
  readonly launcher: string;
  /** `interlay-full`: plugin, IPAM plugin and agent. */
  readonly full: string;
}

/**
 * Builds `interlay` and `interlay-full` in plugin/dist.
 * @param platform platform of the executables, which are built in a directory of its name such as plugin/dist/linux-arm64; this
 * machine's by default, built in plugin/dist
 */
export async function buildInterlay(platform?: Platform): Promise<Executables> {
  const toolchain = selectToolchain(platform);
  const directory = join(plugin, "dist", ...(platform === undefined ? [] : [platform.replace("/", "-")]));
  const [launcher, full] = await Promise.all([
    compileC(
      {
        entry: join(plugin, "launcher", "main.c"),
        sources: [join(plugin, "launcher")],
        output: join(directory, "interlay"),
      },
      toolchain,
    ),
    compileBun(
      {
        entry: join(plugin, "cli", "main.ts"),
        sources: listSources(),
        output: join(directory, "interlay-full"),
      },
      toolchain,
    ),
  ]);
  return { launcher, full };
}

/** Builds the plugin with fault injection for tests; it is never installed. */
export function buildFaulty(): Promise<string> {
  return compileBun({
    entry: join(plugin, "testing", "fault-injection.ts"),
    sources: [...listSources(), join(plugin, "testing")],
    output: join(plugin, "dist", "interlay-faulty"),
  });
}
