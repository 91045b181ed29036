import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../components/run-command.ts";
import type { DockerEngine } from "../docker/engine.ts";
import { ensureImageStore, readMissingImages } from "../images/store.ts";
import { renderKindConfig } from "./kind-config.ts";
import { countJoinedNodes } from "./joined-nodes.ts";
import { matchesEnvironment, recordEnvironment } from "./node-settings-step.ts";
import { getClusterDirectory, getKubeconfigPath } from "./cluster-files.ts";
import { listNodes, listNodeIds } from "./list-nodes.ts";
import { getNetworkName } from "./network-step.ts";
import type { Bringup, Step } from "./step.ts";

/** Creates the nodes by `kind create cluster` on the underlay's Docker network. */
export const nodesStep: Step = {
  title: ({ spec }) => `create a kind cluster of ${spec.workers + 1} nodes`,

  /** Whether the cluster has the same images and number of nodes, and all nodes have joined. */
  async isDone(bringup) {
    const { engine, spec, images, kubectl } = bringup;
    const existing = await listNodes(engine, spec.name);
    if (existing.length !== spec.workers + 1 || !(await matchesEnvironment(spec))) return false;
    const stores = new Set(existing.map((node) => node.imageStore));
    if (!existing.every((node) => node.running && node.image === images.node.reference)) return false;
    for (const store of stores) if ((await readMissingImages(store, images.pods)) === undefined) return false;
    return (await countJoinedNodes(kubectl, getKubeconfigPath(spec.name))) === existing.length;
  },

  async do(bringup, handle) {
    const { engine, spec, components } = bringup;
    const store = await ensureImageStore(engine, bringup.images, bringup.progress);
    // Removes nodes of another spec or of an interrupted run.
    await removeNodes(engine, spec.name);
    const file = await writeConfig(bringup, store);
    await recordEnvironment(spec);
    const argv = [components.path("kind"), "create", "cluster", "--config", file];
    const { exitCode, stderr } = await runCommand([...argv, "--kubeconfig", getKubeconfigPath(spec.name)], {
      env: { ...engine.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: getNetworkName(spec.name) },
      onLine: (line) => {
        handle.update(line.trim());
      },
    });
    if (exitCode !== 0)
      throw new Error(`\`${argv.join(" ")}\` failed with exit code ${exitCode}:\n${extractErrors(stderr)}`);
  },

  undo: removeNodes,
};

async function writeConfig({ spec, images }: Bringup, store: string): Promise<string> {
  const directory = getClusterDirectory(spec.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "kind.yaml");
  await writeFile(file, renderKindConfig(spec, images.node.reference, store), { mode: 0o600 });
  return file;
}

/** Does what `kind delete cluster` does, without the program kind. */
async function removeNodes(engine: DockerEngine, cluster: string): Promise<void> {
  const ids = await listNodeIds(engine, cluster);
  if (ids.length > 0) {
    const { exitCode, stderr } = await engine.docker(["rm", "--force", "--volumes", ...ids]);
    if (exitCode !== 0) throw new Error(`cannot remove the nodes of cluster ${cluster}: ${stderr.trim()}`);
  }
  await rm(getClusterDirectory(cluster), { recursive: true, force: true });
}

/** Maximum number of error lines of kind and kubeadm. */
const MAX_LINES = 12;

/** Returns the lines with errors. kubeadm prints a long stack trace after the reason. Pure. */
export function extractErrors(stderr: string): string {
  const lines = stderr.trim().split("\n");
  const errors = lines.filter(
    (line) => /error|fail|timed? ?out|deadline|unhealthy|not /i.test(line) && !isStackTrace(line),
  );
  return (errors.length > 0 ? errors : lines).slice(-MAX_LINES).join("\n");
}

const isStackTrace = (line: string): boolean => /^\s|^goroutine |^[\w./-]+\.\(?[\w*.]+\)?(\.\w+)*(\(|$)/.test(line);
