import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { runCommand } from "../../clusters/components/run-command.ts";
import { buildInterlay } from "../../plugin/deploy/build-executables.ts";

const texts = z.array(z.string()).optional();
const pattern = z.object({
  sources: texts,
  sourceNode: z.string().optional(),
  sourcePod: z.string().optional(),
  targets: texts,
  targetNode: z.string().optional(),
  targetPod: z.string().optional(),
  targetCidr: z.string().optional(),
  placement: z.string().optional(),
  protocols: texts,
});
/** Cells that a finding predicts to fail. */
export type Pattern = z.infer<typeof pattern>;

const output = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      severity: z.enum(["fails", "start", "warning"]),
      node: z.string(),
      message: z.string(),
      remedy: z.string(),
      cells: z.array(pattern),
    }),
  ),
});
export type Findings = z.infer<typeof output>["findings"];

/** Runs `npm run doctor -- --json`, as a user would. */
export function runDoctorCommand(kubeconfig: string, flags: readonly string[] = []): Promise<Findings> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "doctor.ts");
  const argv = ["--import", "tsx", script, "--kubeconfig", kubeconfig, "--json", ...flags];
  return readFindings(process.execPath, argv, process.env);
}

/**
 * Runs `interlay doctor --json` with further flags on this computer: `npm run doctor` takes many times longer to start than to
 * predict.
 * @param directory directory for temporary files
 */
export async function runExecutable(
  kubeconfig: string,
  directory: string,
  flags: readonly string[],
): Promise<Findings> {
  const config = loadKubeConfig({ kubeconfig });
  const user = config.getCurrentUser();
  // The executable runs on Bun, which does not send client certificates. kind's kubeconfigs need them.
  if (user?.certData !== undefined || user?.certFile !== undefined) return runDoctorCommand(kubeconfig, flags);
  // Bun trusts the certificates named here; it does not read the kubeconfig's CA.
  const authority = join(directory, "ca.crt");
  await writeFile(authority, Buffer.from(config.getCurrentCluster()?.caData ?? "", "base64"), { mode: 0o600 });
  return readFindings((await buildInterlay()).full, ["doctor", "--json", ...flags], {
    ...process.env,
    KUBECONFIG: kubeconfig,
    NODE_EXTRA_CA_CERTS: authority,
  });
}

async function readFindings(file: string, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Findings> {
  const { exitCode, stdout, stderr } = await runCommand([file, ...argv], { env });
  // exit code 1: a cell is predicted to fail
  if (exitCode > 1) throw new Error(`the doctor ended with ${exitCode}: ${stderr.trim()}`);
  return output.parse(JSON.parse(stdout)).findings;
}
