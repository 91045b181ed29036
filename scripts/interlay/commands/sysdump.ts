import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { VersionApi } from "@kubernetes/client-node";
import { Command, Option } from "commander";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import { DEFAULT_SPEC } from "../../../clusters/spec/cluster-spec.ts";
import { loadProvider } from "../../../clusters/providers.ts";
import { buildProbe } from "../../../e2e/probe/build-probe.ts";
import { collectSnapshot } from "../../../e2e/snapshot/take-snapshot.ts";
import { describeApiError } from "../../../plugin/kubernetes/api-error.ts";
import { packArchive } from "../../../results/files/bundle.ts";
import packageJson from "../../../package.json" with { type: "json" };
import { snapshotNodes } from "../../doctor/node-snapshots.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";
import { accessByAgents, accessByProvider } from "../../sysdump/access.ts";
import { composeDump } from "../../sysdump/compose.ts";

interface SysdumpFlags extends ClusterFlags {
  readonly provider?: string;
  readonly name: string;
  readonly file?: string;
  readonly output: OutputFormat;
}

/** `interlay sysdump`: writes the state of a cluster to an archive, without secrets. */
export function createSysdumpCommand(): Command {
  const command = new Command("sysdump")
    .description("write the state of nodes, objects and logs of a cluster to an archive, without secrets")
    .addOption(
      new Option("--provider <name>", "read the nodes of a cluster of `interlay cluster up` directly").choices([
        "kind",
        "lab",
      ]),
    )
    .option("--name <name>", "with --provider: name of the cluster", DEFAULT_SPEC.name)
    .option("--file <file>", "archive to write (default: sysdump-TIME.tar.gz)")
    .addHelpText(
      "after",
      `
The archive contains unavailable.txt, a line for each source that could not be read.

Example:
  interlay sysdump --file for-support.tar.gz`,
    );
  return addGlobalOptions(addClusterOptions(command), ["output"]).action(runSysdump);
}

async function runSysdump(flags: SysdumpFlags): Promise<void> {
  const created = new Date();
  const file = resolve(flags.file ?? `sysdump-${created.toISOString().replaceAll(/[:.]/g, "-")}.tar.gz`);
  const cluster = await findCluster(flags);
  const { kubeconfig = cluster?.kubeconfig, context } = flags;
  const config = await loadCluster({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
  const { target, by, unreachable } = cluster === undefined ? await accessByAgents(config) : accessByProvider(cluster);
  const server = config.getCurrentCluster()?.server;
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
  await writeArchive(dump, file);
  const unavailable = dump.get("unavailable.txt")?.trim().split("\n") ?? [];
  printOutput(
    flags.output,
    { file, files: dump.size, unavailable },
    () => `${file}: ${dump.size} files; ${unavailable.length} sources could not be read (unavailable.txt)`,
  );
}

/** Finds the cluster of --provider; undefined without the option. @throws if the provider has no cluster of that name */
async function findCluster(flags: SysdumpFlags) {
  if (flags.provider === undefined) return undefined;
  const provider = await loadProvider(flags.provider);
  return provider.find?.(flags.name, await buildProbe(), createProgress());
}

async function writeArchive(files: ReadonlyMap<string, string>, output: string): Promise<void> {
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
