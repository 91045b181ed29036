import { join } from "node:path";
import { type CommandResult, runCommand } from "../../clusters/components/run-command.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";

const SCRIPT = join(import.meta.dirname, "..", "..", "scripts", "uninstall.ts");

/** Runs `npm run uninstall -- --kubeconfig FILE …`, as a user would. */
export function runUninstall({ kubeconfig }: Cluster, ...flags: readonly string[]): Promise<CommandResult> {
  return runCommand([process.execPath, "--import", "tsx", SCRIPT, "--kubeconfig", kubeconfig, ...flags]);
}
