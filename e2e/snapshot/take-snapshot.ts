import pLimit from "p-limit";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Cluster, ExecResult } from "../../clusters/provider/provider.ts";
import { type ClusterApi, clusterApi } from "../support/cluster-api.ts";
import { listNamespaces } from "../evidence/capture.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { redactObject, redactSecrets } from "./redact.ts";
import { LOG_NAMESPACES, NODE_SOURCES, OBJECTS, POD_SOURCES } from "./sources.ts";

const LOG_LINES = 400;
const PARALLEL = 6;
/** File that lists the sources that could not be read. */
const UNAVAILABLE_FILE = "unavailable.txt";

type File = readonly [name: string, text: string];

/** A cluster of which a snapshot is taken. */
export interface SnapshotTarget {
  readonly api: Pick<ClusterApi, "core" | "objects">;
  /** Nodes where `exec` runs programs. */
  readonly nodes: readonly { readonly name: string }[];
  exec(node: string, argv: readonly string[], options?: { readonly stdin?: string }): Promise<ExecResult>;
}

interface Source {
  /** Name of the file, or of the group of files. */
  readonly name: string;
  readonly read: () => Promise<readonly File[]>;
}

/** Takes a snapshot of a cluster and of the suite's pods in it. */
export async function takeSnapshot(cluster: Cluster, pods: Deployment["pods"]): Promise<ReadonlyMap<string, string>> {
  const { nodes } = cluster;
  return await collectSnapshot({ api: clusterApi(cluster), nodes, exec: cluster.exec.bind(cluster) }, pods);
}

/**
 * Reads the state of nodes and pods, objects, and logs of the components, without secrets. A source that cannot be read becomes
 * a line of unavailable.txt.
 * @returns texts by file name
 */
export async function collectSnapshot(
  target: SnapshotTarget,
  pods: Deployment["pods"] = new Map(),
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const unavailable: string[] = [];
  await pLimit(PARALLEL).map(listSources(target, pods), async (source) => {
    try {
      for (const [name, text] of await source.read()) files.set(name, redactSecrets(text));
    } catch (error) {
      unavailable.push(`${source.name}: ${readFirstLine(error)}\n`);
    }
  });
  if (unavailable.length > 0) files.set(UNAVAILABLE_FILE, redactSecrets(unavailable.sort().join("")));
  return files;
}

function listSources(target: SnapshotTarget, pods: Deployment["pods"]): readonly Source[] {
  const { api, nodes } = target;
  const nodeSources = nodes.flatMap(({ name: node }) =>
    Object.entries(NODE_SOURCES).map(([file, argv]) => {
      const name = `nodes/${node}/${file}`;
      return { name, read: () => readNodeFile(target, node, name, argv) };
    }),
  );
  const podSources = nodes.map(({ name }) => ({
    name: `pods on ${name}`,
    read: () => readPodFiles(target, name, pods),
  }));
  return [
    ...nodeSources,
    ...(pods.size === 0 ? [] : podSources),
    ...OBJECTS.map(([version, kind]) => ({
      name: `objects/${kind}.json`,
      read: () => readObjects(api, version, kind),
    })),
    ...LOG_NAMESPACES.map((namespace) => ({ name: `logs/${namespace}`, read: () => readLogs(api, namespace) })),
  ];
}

/** Returns the first line of an error's message: the API client appends the response. */
function readFirstLine(error: unknown): string {
  return getErrorMessage(error).split("\n", 1)[0] ?? "";
}

async function readNodeFile(
  target: SnapshotTarget,
  node: string,
  file: string,
  argv: readonly string[],
): Promise<readonly File[]> {
  const { exitCode, stdout, stderr } = await target.exec(node, argv);
  const problem = exitCode === 0 ? "" : `# ${argv.join(" ")} ended with ${exitCode}: ${stderr.trim()}\n`;
  return [[file, `${problem}${stdout}`]];
}

/** Runs the commands by one xargs on the node, like captures: an exec for each would take long. */
async function readPodFiles(target: SnapshotTarget, node: string, pods: Deployment["pods"]): Promise<readonly File[]> {
  const podNamespaces = (await listNamespaces(target, node, pods)).filter(({ pid }) => pid !== undefined);
  const lines = podNamespaces.flatMap(({ pid }) => [
    ...POD_SOURCES.flatMap((source) => [`echo # ${source}`, `nsenter --target ${pid ?? 0} --net ${source}`]),
    "echo @",
  ]);
  const { stdout } = await target.exec(node, ["xargs", "--max-lines=1", "env"], {
    stdin: lines.map((line) => `${line}\n`).join(""),
  });
  const texts = stdout.split(/^@\n/m);
  return podNamespaces.map(({ place }, index) => [`pods/${place}.txt`, texts[index] ?? ""]);
}

async function readObjects(api: SnapshotTarget["api"], version: string, kind: string): Promise<readonly File[]> {
  const { items } = await api.objects.list(version, kind);
  return [[`objects/${kind}.json`, `${JSON.stringify(items.map(redactObject), null, 1)}\n`]];
}

/** Reads the log of every container, and that of its instance before the last restart. */
async function readLogs({ core }: SnapshotTarget["api"], namespace: string): Promise<readonly File[]> {
  const { items } = await core.listNamespacedPod({ namespace });
  const logs = items.flatMap(({ metadata, status }) =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(
      ({ name: container, restartCount }) =>
        (restartCount > 0 ? [false, true] : [false]).map((previous) => ({
          name: metadata?.name ?? "",
          container,
          previous,
        })),
    ),
  );
  return Promise.all(
    logs.map(async ({ name, container, previous }): Promise<File> => {
      const log = await core
        .readNamespacedPodLog({ namespace, name, container, previous, tailLines: LOG_LINES })
        .catch((error: unknown) => `# ${readFirstLine(error)}\n`);
      return [`logs/${namespace}/${name}/${container}${previous ? ".previous" : ""}.log`, log];
    }),
  );
}
