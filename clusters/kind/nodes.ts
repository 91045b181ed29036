import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runOrThrow } from "../components/command.ts";
import type { Engine } from "../engine/engine.ts";
import { imageStore, storeLacks } from "../images/store.ts";
import { kindConfig } from "./config.ts";
import { clusterDirectory, kubeconfigPath } from "./kubeconfig.ts";
import { listNodes, nodeIds } from "./list-nodes.ts";
import { networkName } from "./network.ts";
import type { Bringup, Step } from "./step.ts";

/** The nodes, by `kind create cluster` on the underlay's Docker network. */
export const nodes: Step = {
  title: ({ spec }) => `create a kind cluster of ${spec.workers + 1} nodes`,

  /** A cluster fits if it was made from the same images with as many nodes, and all of them have joined. */
  async isDone(bringup) {
    const { engine, spec, images, kubectl } = bringup;
    const there = await listNodes(engine, spec.name);
    if (there.length !== spec.workers + 1) return false;
    const stores = new Set(there.map((node) => node.imageStore));
    if (!there.every((node) => node.running && node.image === images.node.reference)) return false;
    for (const store of stores) if ((await storeLacks(store, images.pods)) === undefined) return false;
    return (await joined(kubectl)) === there.length;
  },

  async do(bringup, handle) {
    const { engine, spec, components } = bringup;
    const store = await imageStore(engine, bringup.images, bringup.progress);
    // What another spec or an interrupted run left goes first.
    await removeNodes(engine, spec.name);
    const file = await writeConfig(bringup, store);
    await runOrThrow(
      [components.path("kind"), "create", "cluster", "--config", file, "--kubeconfig", kubeconfigPath(spec.name)],
      {
        env: { ...engine.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: networkName(spec.name) },
        onLine: (line) => {
          handle.update(line.trim());
        },
      },
    );
  },

  undo: removeNodes,
};

async function writeConfig({ spec, images }: Bringup, store: string): Promise<string> {
  const directory = clusterDirectory(spec.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "kind.yaml");
  await writeFile(file, kindConfig(spec, images.node.reference, store), { mode: 0o600 });
  return file;
}

async function joined(kubectl: Bringup["kubectl"]): Promise<number> {
  return kubectl.run(["get", "nodes", "-o", "name", "--request-timeout=5s"]).then(
    (names) => names.trim().split("\n").length,
    () => 0,
  );
}

/** As `kind delete cluster`, without needing kind for it. */
async function removeNodes(engine: Engine, cluster: string): Promise<void> {
  const ids = await nodeIds(engine, cluster);
  if (ids.length > 0) {
    const { exitCode, stderr } = await engine.docker(["rm", "--force", "--volumes", ...ids]);
    if (exitCode !== 0) throw new Error(`The nodes of cluster ${cluster} could not be removed: ${stderr.trim()}`);
  }
  await rm(clusterDirectory(cluster), { recursive: true, force: true });
}
