import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { CellResult } from "../../results/schema.ts";
import { runOnNode } from "../support/agent-process.ts";
import type { Cell } from "../cells/cell.ts";
import { type Findings, runExecutable } from "./doctor.ts";
import { listLikelyCauses } from "./predicted.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { INSTALLED_EXECUTABLE } from "../support/installed-paths.ts";

const SNAPSHOT = [INSTALLED_EXECUTABLE, "doctor", "--snapshot"];

/**
 * Adds the doctor's likely cause to each cell that failed. Never throws: if the doctor fails, the results are kept, and the first
 * cell has the reason instead of a cause.
 */
export async function withCauses(
  cluster: Cluster,
  results: readonly CellResult[],
  cells: readonly Cell[],
  findNode: (pod: string) => string | undefined,
): Promise<CellResult[]> {
  const failedIds = new Set(results.filter(({ ok }) => !ok).map(({ id }) => id));
  const failing = cells.filter(({ id }) => failedIds.has(id));
  try {
    const causes = listLikelyCauses(await listFindings(cluster), failing, findNode);
    return results.map((result) => {
      const finding = causes.get(result.id);
      return finding === undefined ? result : { ...result, cause: `${finding.check}: ${finding.message}` };
    });
  } catch (error) {
    const cause = `unknown, the doctor failed: ${getErrorMessage(error)}`;
    return results.map((result) => (result.id === failing[0]?.id ? { ...result, cause } : result));
  }
}

/**
 * Returns the doctor's findings from snapshots that are taken on the nodes: not every provider can run programs in agents'
 * pods.
 */
export async function listFindings(cluster: Cluster): Promise<Findings> {
  const directory = await mkdtemp(join(tmpdir(), "interlay-doctor-"));
  try {
    const snapshots = await Promise.all(cluster.nodes.map(({ name }) => runOnNode(cluster, name, SNAPSHOT)));
    const file = join(directory, "nodes.json");
    await writeFile(file, `[${snapshots.join(",")}]`, { mode: 0o600 });
    return await runExecutable(cluster.kubeconfig, directory, ["--nodes-from", file]);
  } finally {
    await rm(directory, { recursive: true });
  }
}
