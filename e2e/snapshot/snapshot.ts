import type { Cluster } from "../../clusters/provider.ts";
import { type ClusterApi, clusterApi } from "../support/cluster-api.ts";
import { listNamespaces } from "../evidence/capture.ts";
import type { Deployment } from "../pods/deploy.ts";
import { redactSecrets } from "./redact.ts";
import { LOG_NAMESPACES, NODE_SOURCES, OBJECTS, POD_SOURCES } from "./sources.ts";

const LOG_LINES = 400;
const PARALLEL = 6;

type File = readonly [name: string, text: string];

/**
 * Returns the state of nodes and pods, Interlay's objects and the components' logs, without secrets. If something cannot be read,
 * its file contains the error.
 */
export async function takeSnapshot(cluster: Cluster, pods: Deployment["pods"]): Promise<ReadonlyMap<string, string>> {
  const api = clusterApi(cluster);
  const jobs: (() => Promise<readonly File[]>)[] = [
    ...cluster.nodes.flatMap(({ name }) => [
      ...Object.entries(NODE_SOURCES).map(
        ([file, argv]) =>
          () =>
            nodeFile(cluster, name, file, argv),
      ),
      () => podFiles(cluster, name, pods),
    ]),
    ...OBJECTS.map(
      ([version, kind]) =>
        () =>
          objectFile(api, version, kind),
    ),
    ...LOG_NAMESPACES.map((namespace) => () => logFiles(api, namespace)),
  ];
  const files = new Map<string, string>();
  const worker = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift())
      for (const [name, text] of await job().catch(unavailable)) files.set(name, redactSecrets(text));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return files;
}

const unavailable = (error: unknown): readonly File[] => [
  [
    `unavailable-${Math.random().toString(36).slice(2, 8)}.txt`,
    `${error instanceof Error ? error.message : String(error)}\n`,
  ],
];

async function nodeFile(
  cluster: Cluster,
  node: string,
  file: string,
  argv: readonly string[],
): Promise<readonly File[]> {
  const { exitCode, stdout, stderr } = await cluster.exec(node, argv);
  const said = exitCode === 0 ? "" : `# ${argv.join(" ")} ended with ${exitCode}: ${stderr.trim()}\n`;
  return [[`nodes/${node}/${file}`, `${said}${stdout}`]];
}

/** Runs the commands by one xargs on the node, like captures: an exec for each would take long. */
async function podFiles(cluster: Cluster, node: string, pods: Deployment["pods"]): Promise<readonly File[]> {
  const inside = (await listNamespaces(cluster, node, pods)).filter(({ pid }) => pid !== undefined);
  const lines = inside.flatMap(({ pid }) => [
    ...POD_SOURCES.flatMap((source) => [`echo # ${source}`, `nsenter --target ${pid ?? 0} --net ${source}`]),
    "echo @",
  ]);
  const { stdout } = await cluster.exec(node, ["xargs", "--max-lines=1", "env"], {
    stdin: lines.map((line) => `${line}\n`).join(""),
  });
  const texts = stdout.split(/^@\n/m);
  return inside.map(({ place }, index) => [`pods/${place}.txt`, texts[index] ?? ""]);
}

async function objectFile(api: ClusterApi, version: string, kind: string): Promise<readonly File[]> {
  const { items } = await api.objects.list(version, kind);
  return [[`objects/${kind}.json`, `${JSON.stringify(items, null, 1)}\n`]];
}

async function logFiles(api: ClusterApi, namespace: string): Promise<readonly File[]> {
  const { items } = await api.core.listNamespacedPod({ namespace });
  return Promise.all(
    items.map(async ({ metadata, spec }): Promise<File> => {
      const name = metadata?.name ?? "";
      const container = spec?.containers[0]?.name ?? "";
      const log = await api.core
        .readNamespacedPodLog({ namespace, name, container, tailLines: LOG_LINES })
        .catch((error: unknown) => `# ${error instanceof Error ? error.message : String(error)}\n`);
      return [`logs/${namespace}/${name}.log`, log];
    }),
  );
}
