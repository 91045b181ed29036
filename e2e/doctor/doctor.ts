import { execFile } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";

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
/** What a finding says will fail, in the doctor's words. */
export type Pattern = z.infer<typeof pattern>;

const output = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      severity: z.enum(["fails", "start", "warning"]),
      node: z.string(),
      message: z.string(),
      cells: z.array(pattern),
    }),
  ),
});
export type Findings = z.infer<typeof output>["findings"];

/** `npm run doctor -- --json`, as a user would run it; with `more` flags. */
export async function runDoctor(kubeconfig: string, more: readonly string[] = []): Promise<Findings> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "doctor.ts");
  const argv = ["--import", "tsx", script, "--kubeconfig", kubeconfig, "--json", ...more];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, argv, { maxBuffer: 1 << 26 }, (error, said, errors) => {
      // 1: something is predicted to fail
      if (error === null || error.code === 1) resolve(said);
      else reject(new Error(`npm run doctor ended with ${String(error.code)}: ${errors.trim()}`));
    });
  });
  return output.parse(JSON.parse(stdout)).findings;
}
