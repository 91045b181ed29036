import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { getCacheRoot } from "../../clusters/components/cache.ts";
import { runTimed } from "../../clusters/components/timed.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { CHECKOUT_DIRECTORY, createRoot } from "./clean-root.ts";
import { DOCUMENTED_RUNS } from "./documented-runs.ts";
import { enterRoot } from "./root-shell.ts";

/** `npm run test:docs`: runs the README's command in a new Debian root that has only what the README requires. */
const { provider, cold, all, keep } = new Command("test:docs")
  .description("run the README's command in a clean Debian root with an empty home; exits with its status")
  .option("--provider <name>", "lab, or kind, which is the default of npm run e2e", "lab")
  .option("--cold", "with an empty cache: everything is built, which takes a quarter of an hour")
  .option("--all", "then also run the commands of README and docs in a lab (scripts/test-docs/documented-runs.ts)")
  .option("--keep", "do not delete the root")
  .parse()
  .opts<{ provider: string; cold?: true; all?: true; keep?: true }>();

if (process.getuid?.() !== 0) {
  process.stderr.write("test:docs: creating a root file system needs root privileges: run this as root\n");
  process.exit(2);
}
const progress = createPlainProgress();
const root = join(getCacheRoot(), "test-docs");
const command = `npm ci && npm run e2e${provider === "kind" ? "" : ` -- --provider ${provider}`}`;
const print = (line: string): void => {
  process.stdout.write(`== ${line}\n`);
};

try {
  await runTimed(progress, "a clean Debian, Node.js, npm, Go and the commit", () => createRoot(root, progress));
  print(`in ${CHECKOUT_DIRECTORY} of the new root: ${command}`);
  const started = performance.now();
  const shell = await enterRoot(root, cold ? undefined : join(getCacheRoot(), "components"));
  try {
    process.exitCode = await shell.run(command);
    const seconds = Math.round((performance.now() - started) / 1000);
    for (const { run, shows } of all && process.exitCode === 0 ? DOCUMENTED_RUNS : []) {
      print(run);
      const status = await shell.run(run);
      print(`exit status ${status}: ${shows.join("; ")}`);
      if (status !== 0) process.exitCode = 1;
    }
    const cache = cold ? "an empty cache" : "this machine's components in the cache";
    print(`exit status ${process.exitCode}; the first command took ${seconds} s with ${cache}`);
  } finally {
    shell.close();
  }
} finally {
  if (!keep) await rm(root, { recursive: true, force: true });
}
