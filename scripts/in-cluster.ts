import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { stringify } from "yaml";
import { createProgress } from "../clusters/progress/create-progress.ts";
import { loadKubeConfig } from "../clusters/kubernetes/load-kube-config.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { reportSchema } from "../results/schema.ts";
import { writeReport } from "../results/files/write.ts";
import { ClusterJob } from "./in-cluster/cluster-job.ts";
import { buildManifests, buildSonobuoyPlugin } from "./in-cluster/manifests.ts";
import { placeSuite } from "./in-cluster/place-suite.ts";
import type { FetchedResults } from "./in-cluster/results-map.ts";

/** `npm run in-cluster`: runs the suite as a Job in a cluster, and fetches its results. */
const command = new Command("in-cluster")
  .description("run the suite as a Job in a cluster, fetch its results into results/runs, and remove the Job")
  .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
  .option("--context <name>", "context of the kubeconfig (default: its current context)")
  .option("--suite-image <reference>", "image of the suite, as the nodes pull it; not needed on kind")
  .option("--image <reference>", "image of the probe, as the nodes pull it; not needed on kind")
  .option("--pull-secret <name>", "Secret in namespace interlay-e2e to pull the suite's image with")
  .option("--claim <name>", "PersistentVolumeClaim in namespace interlay-e2e for all files of the results")
  .option("--cluster-admin", "let the Job do everything: needed if the run installs Interlay")
  .option("--watch", "print the output of the run")
  .option("--keep", "keep the Job, its namespace and its role")
  .option("--remove", "only remove what an earlier run left")
  .addOption(
    new Option("--print <what>", "print the manifests or the plugin of Sonobuoy, and run nothing").choices([
      "job",
      "sonobuoy",
    ]),
  )
  .argument("[options...]", "further options of npm run e2e -- --provider existing, after --")
  .addHelpText("after", "\nExit status: that of the run; 2 if it could not be started, 130 if it was interrupted.")
  .parse();
const flags = command.opts<{
  kubeconfig?: string;
  context?: string;
  suiteImage?: string;
  image?: string;
  pullSecret?: string;
  claim?: string;
  clusterAdmin?: true;
  watch?: true;
  keep?: true;
  remove?: true;
  print?: "job" | "sonobuoy";
}>();

let server: string | undefined;
try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`in-cluster: ${describeApiError(error, server).message}\n`);
  process.exit(2);
}

/** Runs the command. @returns the exit status */
async function main(): Promise<number> {
  const { kubeconfig, context, suiteImage: suite, image: probe } = flags;
  const config = loadKubeConfig({ kubeconfig, context });
  server = config.getCurrentCluster()?.server;
  const job = new ClusterJob(config);
  if (flags.remove) {
    await job.remove();
    return 0;
  }
  const namedImages = { ...(suite === undefined ? {} : { suite }), ...(probe === undefined ? {} : { probe }) };
  const { interlay, ...images } = await placeSuite(config, namedImages, createProgress());
  const agentImage =
    interlay === undefined || command.args.includes("--agent-image") ? [] : ["--agent-image", interlay];
  const { claim, pullSecret, clusterAdmin = false } = flags;
  const options = {
    ...images,
    e2e: [...agentImage, ...command.args],
    clusterAdmin,
    ...(claim === undefined ? {} : { claim }),
    ...(pullSecret === undefined ? {} : { pullSecret }),
  };
  if (flags.print !== undefined) {
    const objects = flags.print === "job" ? buildManifests(options) : [buildSonobuoyPlugin(options)];
    process.stdout.write(objects.map((object) => stringify(object)).join("---\n"));
    return 0;
  }
  return runJob(job, options);
}

async function runJob(job: ClusterJob, options: Parameters<typeof buildManifests>[0]): Promise<number> {
  await job.create(buildManifests(options));
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      process.stderr.write(`\n${signal}: the run ends and restores the cluster; this can take minutes.\n`);
      stop.abort(new Error(signal));
    });
  try {
    await job.wait(flags.watch ? process.stdout : undefined, stop.signal);
    return await saveResults(await job.fetchResults());
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 130;
  } finally {
    if (flags.keep !== true) await job.remove();
  }
}

async function saveResults({ exitStatus, files, leftOut }: FetchedResults): Promise<number> {
  const json = files.get("report.json");
  if (json === undefined)
    throw new Error(
      `the report is too large for a ConfigMap (run status ${exitStatus}): run again with --claim NAME, which gets all files`,
    );
  const report = reportSchema.parse(JSON.parse(json.toString()));
  const directory = await writeReport(report);
  for (const name of ["output.log", "bundle.tar.gz"]) {
    const content = files.get(name);
    if (content !== undefined) await writeFile(join(directory, name), content);
  }
  const { passed, failed, skipped } = report.summary;
  process.stdout.write(`results: ${directory}/report.json, report.html, report.md, junit.xml, output.log\n`);
  if (leftOut.length > 0) process.stdout.write(`too large for the ConfigMap: ${leftOut.join(", ")}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  return exitStatus;
}
