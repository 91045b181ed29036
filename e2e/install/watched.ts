import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "../support/agent-process.ts";
import { DeferCleanup } from "../harness.ts";
import { BIN_DIRECTORY } from "./executables.ts";

const report = z.object({
  looks: z.number(),
  calls: z.number(),
  failures: z.array(z.string()),
  /** Files of each name in sequence: inode, size, mode. */
  files: z.record(z.string(), z.array(z.string())),
  /** Interlay's files in the directory at the end. */
  there: z.array(z.string()),
});
type WatchReport = z.infer<typeof report>;

const PROGRAM = "/root/executables-watch.mts";
const STOP = "/root/executables-watch.stop";

/**
 * Starts the watch on a lab's node.
 * @returns a function that ends it and returns its report; the watch ends with the spec at the latest
 */
export async function watchExecutables(cluster: Cluster, node: string): Promise<() => Promise<WatchReport>> {
  const program = await readFile(join(import.meta.dirname, "executables-watch.ts"), "utf8");
  await runOnNode(cluster, node, ["rm", "--force", STOP]);
  const { exitCode } = await cluster.exec(node, ["tee", PROGRAM], { stdin: program });
  if (exitCode !== 0) throw new Error(`${PROGRAM} could not be written on ${node}`);
  const pendingReport = runOnNode(cluster, node, ["/programs/node", "--no-warnings", PROGRAM, BIN_DIRECTORY, STOP]);
  pendingReport.catch(() => undefined); // reported by the function that ends it
  DeferCleanup(async () => {
    await cluster.exec(node, ["touch", STOP]);
    await pendingReport.catch(() => undefined);
    await runOnNode(cluster, node, ["rm", "--force", PROGRAM, STOP]);
  });
  return async () => {
    await runOnNode(cluster, node, ["touch", STOP]);
    return report.parse(JSON.parse(await pendingReport));
  };
}
