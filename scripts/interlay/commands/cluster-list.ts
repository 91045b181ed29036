import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { VersionApi } from "@kubernetes/client-node";
import { Command } from "commander";
import { getCacheRoot } from "../../../clusters/components/cache.ts";
import { loadKubeConfig } from "../../../clusters/kubernetes/load-kube-config.ts";
import { getErrorMessage } from "../../../plugin/errors/error-message.ts";
import { addGlobalOptions, type OutputFormat } from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";

/** Time in which an API server must answer. */
const TIMEOUT_MS = 3000;
/** Directories of the cache in which providers keep their clusters. */
const DIRECTORIES = { kind: "clusters", lab: "labs" } as const;

/** A cluster that `interlay cluster up` created. */
interface ListedCluster {
  readonly provider: string;
  readonly name: string;
  readonly kubeconfig: string;
  /** Version of its API server; absent: it does not answer. */
  readonly kubernetes?: string;
  readonly error?: string;
}

/** `interlay cluster list`: the clusters of this computer, and whether their API servers answer. */
export function createListCommand(): Command {
  const command = new Command("list").description("list the clusters of this computer, and whether they answer");
  return addGlobalOptions(command, ["output"]).action(async ({ output }: { output: OutputFormat }) => {
    const clusters = (
      await Promise.all(Object.entries(DIRECTORIES).map(([provider, directory]) => listClusters(provider, directory)))
    ).flat();
    printOutput(output, clusters, () => renderClusters(clusters));
  });
}

async function listClusters(provider: string, directory: string): Promise<readonly ListedCluster[]> {
  const root = join(getCacheRoot(), directory);
  const names = (await readdir(root).catch(() => [])).sort();
  const listed = await Promise.all(
    names.map((name) => describeCluster(provider, name, join(root, name, "kubeconfig"))),
  );
  return listed.filter((cluster) => cluster !== undefined);
}

async function describeCluster(provider: string, name: string, kubeconfig: string): Promise<ListedCluster | undefined> {
  try {
    await access(kubeconfig);
  } catch {
    return undefined; // not a cluster, or one that was not begun
  }
  const api = loadKubeConfig({ kubeconfig }).makeApiClient(VersionApi);
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => {
      reject(new Error("no answer"));
    }, TIMEOUT_MS).unref();
  });
  try {
    const { gitVersion } = await Promise.race([api.getCode(), timeout]);
    return { provider, name, kubeconfig, kubernetes: gitVersion };
  } catch (error) {
    return { provider, name, kubeconfig, error: getErrorMessage(error).split("\n", 1)[0] ?? "" };
  }
}

function renderClusters(clusters: readonly ListedCluster[]): string {
  if (clusters.length === 0) return "no clusters: interlay cluster up creates one";
  return clusters
    .map(({ provider, name, kubeconfig, kubernetes = "not reachable" }) =>
      [provider.padEnd(5), name.padEnd(24), kubernetes.padEnd(14), kubeconfig].join(" "),
    )
    .join("\n");
}
