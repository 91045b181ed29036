import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { Command } from "commander";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { OWNER_LABEL } from "../../clusters/provider/provider.ts";
import { startScript, waitForExit } from "../../clusters/shell.ts";
import { composeReport } from "../../e2e/support/compose-report.ts";
import { packArchive } from "../../results/files/bundle.ts";
import { writeReportFiles } from "../../results/files/write.ts";
import packageJson from "../../package.json" with { type: "json" };
import { packResults } from "./results-map.ts";

/** Entry point of the suite's image: runs the suite on the cluster of the pod, then writes the results for the caller. */
const command = new Command("run-in-pod")
  .description("run the suite on the cluster of this pod")
  .option("--config-map <namespace/name>", "ConfigMap to write the results to")
  .option("--sonobuoy", "hand the results over to the worker of Sonobuoy in $RESULTS_DIR")
  .argument("[options...]", "further options of npm run e2e, after --")
  .parse();
const flags = command.opts<{ configMap?: string; sonobuoy?: true }>();

/** Files of a run that a ConfigMap gets, the most important first. */
const FILES = ["report.json", "junit.xml", "report.md", "output.log", "bundle.tar.gz"] as const;
/** Size of the end of the output that output.log contains. */
const OUTPUT_BYTES = 64 * 1024;

const started = new Date();
const id = started.toISOString().replaceAll(/[:.]/g, "-");
const results = process.env["RESULTS_DIR"] ?? process.env["SONOBUOY_RESULTS_DIR"] ?? "/tmp/results";
const directory = join(results, id);

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`run-in-pod: ${getErrorMessage(error)}\n`);
  process.exit(2);
}

/** Runs the command. @returns the exit status */
async function main(): Promise<number> {
  await mkdir(directory, { recursive: true });
  const { exitStatus, output } = await runSuite();
  await ensureReport(exitStatus, output);
  await writeFile(join(directory, "output.log"), output);
  if (flags.configMap !== undefined) await writeConfigMap(flags.configMap, exitStatus);
  if (flags.sonobuoy !== true) return exitStatus;
  await handOver();
  return 0; // Sonobuoy reads the verdict in the results; a plugin that fails has no results for it
}

async function runSuite(): Promise<{ readonly exitStatus: number; readonly output: Buffer }> {
  const argv = ["--provider", "existing", "--yes", "--run-id", id, "--results-directory", directory, ...command.args];
  const suite = startScript("scripts/e2e.ts", argv, { stdio: ["ignore", "pipe", "pipe"] });
  let output: Buffer = Buffer.alloc(0);
  const createOutputHandler = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
    to.write(chunk);
    output = Buffer.concat([output, chunk]).subarray(-OUTPUT_BYTES);
  };
  suite.stdout.on("data", createOutputHandler(process.stdout));
  suite.stderr.on("data", createOutputHandler(process.stderr));
  return { exitStatus: await waitForExit(suite), output };
}

/** Writes a report for a run that ended before it wrote one, such as one with a problem in the preflight. */
async function ensureReport(exitStatus: number, output: Buffer): Promise<void> {
  if ((await readdir(directory)).includes("report.json")) return;
  const error = `npm run e2e ended with ${exitStatus} before the run:\n${output.toString().trim().slice(-4000)}`;
  const run = { id, started: started.toISOString(), finished: new Date().toISOString(), provider: "existing" } as const;
  const findings = { variants: [], checks: [], versions: { interlay: packageJson.version } };
  await writeReportFiles(directory, composeReport(run, findings, [{ stage: "preflight", error }]));
}

async function writeConfigMap(target: string, exitStatus: number): Promise<void> {
  const [namespace = "", name = ""] = target.split("/");
  const files = new Map<string, Buffer>();
  const names = await readdir(directory);
  for (const file of FILES.filter((fileName) => names.includes(fileName)))
    files.set(file, await readFile(join(directory, file)));
  const { data, binaryData } = packResults(files, exitStatus);
  const config = new KubeConfig();
  config.loadFromDefault();
  const objects = KubernetesObjectApi.makeApiClient(config);
  const metadata = { name, namespace, labels: { [OWNER_LABEL]: "e2e" } };
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata, data, binaryData };
  await objects.create(map).catch(async (error: unknown) => {
    if (getStatusCode(error) !== 409) throw error;
    await objects.replace(map);
  });
  process.stdout.write(`results: ConfigMap ${target}\n`);
}

/**
 * Writes the results as an archive, and then its path into the file `done`, for which Sonobuoy's worker waits
 * (https://sonobuoy.io/docs/main/plugins/).
 */
async function handOver(): Promise<void> {
  const archive = join(results, "interlay.tar.gz");
  await packArchive(directory, archive);
  await rm(directory, { recursive: true });
  const done = join(results, "done");
  await writeFile(`${done}.new`, archive);
  await rename(`${done}.new`, done);
}
