import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { VersionApi } from "@kubernetes/client-node";
import { Command, Option } from "commander";
import { createProgress } from "../clusters/progress/create-progress.ts";
import { loadKubeConfig } from "../clusters/existing/options.ts";
import { DEFAULT_SPEC } from "../clusters/spec/cluster-spec.ts";
import { loadProvider } from "../clusters/providers.ts";
import { buildProbe } from "../e2e/probe/build.ts";
import { collectSnapshot } from "../e2e/snapshot/snapshot.ts";
import { describeApiError } from "../plugin/kubernetes/api-error.ts";
import { packArchive } from "../results/files/bundle.ts";
import packageJson from "../package.json" with { type: "json" };
import { snapshotNodes } from "./doctor/node-snapshots.ts";
import { accessByAgents, accessByProvider } from "./sysdump/access.ts";
import { composeDump } from "./sysdump/compose.ts";

/** `npm run sysdump`: writes the state of a cluster to an archive, without secrets. */
const flags = new Command("sysdump")
  .description("write the state of nodes, objects and logs of a cluster to an archive, without secrets")
  .option("--kubeconfig <file>", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
  .option("--context <name>", "context of the kubeconfig (default: its current context)")
  .addOption(
    new Option("--provider <name>", "read the nodes of a cluster of `npm run up` directly").choices(["kind", "lab"]),
  )
  .option("--name <name>", "with --provider: name of the cluster", DEFAULT_SPEC.name)
  .option("--output <file>", "archive to write (default: sysdump-TIME.tar.gz)")
  .addHelpText(
    "after",
    "\nThe archive contains unavailable.txt, a line for each source that could not be read.\nExit status: 0 the archive is written, 1 the cluster could not be read.",
  )
  .parse()
  .opts<{ kubeconfig?: string; context?: string; provider?: string; name: string; output?: string }>();

const created = new Date();
const output = resolve(flags.output ?? `sysdump-${created.toISOString().replaceAll(/[:.]/g, "-")}.tar.gz`);
let server: string | undefined;
try {
  const cluster = await findCluster();
  const { kubeconfig = cluster?.kubeconfig, context } = flags;
  const config = loadKubeConfig({ kubeconfig, context });
  server = config.getCurrentCluster()?.server;
  const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
  const { target, by, unreachable } = cluster === undefined ? await accessByAgents(config) : accessByProvider(cluster);
  const [files, doctor] = await Promise.all([
    collectSnapshot(target),
    snapshotNodes(config).catch((error: unknown) => ({
      nodes: [],
      failed: [{ node: "*", error: describeApiError(error, server).message }],
    })),
  ]);
  const about = {
    created: created.toISOString(),
    interlay: packageJson.version,
    kubernetes: gitVersion,
    nodesReadBy: by,
    nodes: target.nodes.length,
  };
  const dump = composeDump({ files, doctor, unavailable: unreachable, about });
  await writeArchive(dump);
  const lines = dump.get("unavailable.txt")?.trim().split("\n").length ?? 0;
  process.stdout.write(`${output}: ${dump.size} files; ${lines} sources could not be read (unavailable.txt)\n`);
  process.exit(0); // open connections to the API server would delay it
} catch (error) {
  process.stderr.write(`sysdump: ${describeApiError(error, server).message}\n`);
  process.exit(1);
}

/** Finds the cluster of --provider. @throws if that provider has none of that name */
async function findCluster() {
  if (flags.provider === undefined) return undefined;
  const provider = await loadProvider(flags.provider);
  return provider.find?.(flags.name, await buildProbe(), createProgress());
}

async function writeArchive(files: ReadonlyMap<string, string>): Promise<void> {
  const staging = await mkdtemp(join(tmpdir(), "interlay-sysdump-"));
  try {
    for (const [name, text] of files) {
      await mkdir(dirname(join(staging, name)), { recursive: true });
      await writeFile(join(staging, name), text);
    }
    await mkdir(dirname(output), { recursive: true });
    await packArchive(staging, output);
  } finally {
    await rm(staging, { recursive: true });
  }
}
