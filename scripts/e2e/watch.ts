import { watch } from "node:fs/promises";
import { join } from "node:path";
import { startScript, waitForExit } from "../../clusters/shell.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const FOLDERS = ["plugin", "clusters", "e2e", "results", "scripts"] as const;
/** Delay after a change, because editors write a file in several steps. */
const SETTLE_MS = 150;

/** Returns whether a run uses a file: false for tests, and for files that a run writes. */
export function isSource(path: string): boolean {
  return (
    /\.(ts|json|yaml|conf|service)$/.test(path) &&
    !/\.test\.ts$|(^|\/)(dist|runs|certificates|data|node_modules)(\/|$)|\.schema\.json$/.test(path)
  );
}

/**
 * Runs e2e, and again when a source file changes, after ending the current run. Each run is a new process, because modules are
 * loaded once. Ends at SIGINT or SIGTERM; the cluster is left as it is.
 */
export async function runOnChange(argv: readonly string[], print: (text: string) => void): Promise<void> {
  const stop = new AbortController();
  let ending: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  const end = async () => {
    ending?.abort();
    await running;
  };
  const start = async (why: string) => {
    await end();
    if (stop.signal.aborted) return;
    const started = performance.now();
    print(`\n== ${why}\n`);
    ending = new AbortController();
    running = waitForExit(startScript("scripts/e2e.ts", argv), ending.signal).then((status) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (ending?.signal.aborted !== true)
        print(`== ${status === 0 ? "passed" : "FAILED"} in ${seconds} s; waiting for a change\n`);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      stop.abort();
    });

  let timer: NodeJS.Timeout | undefined;
  let chain = start("first run");
  const watchers = FOLDERS.map(async (folder) => {
    for await (const { filename } of watch(join(ROOT, folder), { recursive: true, signal: stop.signal })) {
      if (filename === null || !isSource(filename)) continue;
      clearTimeout(timer);
      timer = setTimeout(() => {
        chain = chain.then(() => start(`${folder}/${filename} changed`));
      }, SETTLE_MS);
    }
  });
  await Promise.all(watchers).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  clearTimeout(timer);
  await chain;
  await end();
}
