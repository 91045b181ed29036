import { join } from "node:path";
import { type CommandResult, runCommand } from "../../clusters/components/command.ts";
import type { Cluster } from "../../clusters/provider.ts";

const SCRIPT = join(import.meta.dirname, "..", "..", "scripts", "uninstall.ts");

/** `npm run uninstall -- --kubeconfig FILE …`, as a user runs it. */
export function runUninstall({ kubeconfig }: Cluster, ...flags: readonly string[]): Promise<CommandResult> {
  return runCommand([process.execPath, "--import", "tsx", SCRIPT, "--kubeconfig", kubeconfig, ...flags]);
}
