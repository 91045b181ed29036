import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "../../clusters/components/run-command.ts";
import { runOnNode } from "../support/agent-process.ts";
import type { IpamContext } from "./ipam-context.ts";
import { INSTALLED_EXECUTABLE } from "../support/installed-paths.ts";

const checkOutput = z.object({
  found: z.array(z.object({ what: z.string(), severity: z.enum(["error", "note"]), message: z.string() })),
});

/** Runs `npm run ipam -- …`, as a user would. @throws an error with its output if its exit status is not 0 or 1 */
export async function runIpamCommand(kubeconfig: string, args: readonly string[]): Promise<string> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "ipam.ts");
  const argv = [process.execPath, "--import", "tsx", script, "--kubeconfig", kubeconfig, ...args];
  const { exitCode, stdout, stderr } = await runCommand(argv);
  if (exitCode > 1) throw new Error(`npm run ipam ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}

/** Returns the findings of `check`, with the records of each worker. */
export async function runIpamCheck({ cluster, workers }: IpamContext): Promise<z.infer<typeof checkOutput>["found"]> {
  const directory = await mkdtemp(join(tmpdir(), "interlay-ipam-"));
  try {
    const file = join(directory, "nodes.json");
    const nodes = await Promise.all(
      workers.map(
        async (node) =>
          JSON.parse(await runOnNode(cluster, node, [INSTALLED_EXECUTABLE, "ipam", "snapshot"])) as unknown,
      ),
    );
    await writeFile(file, JSON.stringify(nodes));
    return checkOutput.parse(
      JSON.parse(await runIpamCommand(cluster.kubeconfig, ["--nodes-from", file, "check", "--json"])),
    ).found;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
