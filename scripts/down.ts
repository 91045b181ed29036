import { Command } from "commander";
import { stopPrivateEngine } from "../clusters/engine/engine.ts";
import { kindProvider } from "../clusters/kind/kind.ts";
import { progressFor } from "../clusters/progress-for.ts";
import { DEFAULT_SPEC } from "../clusters/provider.ts";

/** Nothing of the cluster is left; what was built stays in the cache. */
const program = new Command("down")
  .description("take the cluster down")
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .option("--all", "also stop the private Docker daemon, and with it every cluster on it")
  .parse();
const flags = program.opts<{ name: string; all?: true }>();
const progress = progressFor();
try {
  await kindProvider.down(flags.name, progress);
  if (flags.all === true) await stopPrivateEngine(progress);
} catch (error) {
  process.stderr.write(`down: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
process.exit(0);
