import { Command } from "commander";
import { stopPrivateEngine } from "../clusters/engine/engine.ts";
import { kindProvider } from "../clusters/kind/kind.ts";
import { plainProgress } from "../clusters/progress-plain.ts";
import { DEFAULT_SPEC } from "../clusters/provider.ts";

const program = new Command("down")
  .description("take the cluster down; nothing of it is left")
  .option("--name <name>", "cluster name", DEFAULT_SPEC.name)
  .option("--all", "also stop the private Docker daemon")
  .parse();
const options = program.opts<{ name: string; all?: boolean }>();
const progress = plainProgress();
await kindProvider.down(options.name, progress);
if (options.all === true) await stopPrivateEngine(progress);
process.exit(0);
