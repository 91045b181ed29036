import { join } from "node:path";
import { runTimed } from "../../clusters/components/timed.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Progress } from "../../clusters/progress.ts";
import type { Cluster } from "../../clusters/provider.ts";
import type { PodType } from "../../results/schema.ts";
import type { Variant } from "../matrix/gate.ts";
import { switchTo } from "../matrix/variant.ts";
import type { KubernetesTests } from "./programs.ts";
import { runGinkgo } from "./run-ginkgo.ts";
import type { PeerRun } from "./spec-result.ts";
import { readMultusConfig, switchPodType } from "./switch-pod-type.ts";

export interface PeerOptions {
  readonly tests: KubernetesTests;
  readonly returnPath: Variant["returnPath"];
  readonly podTypes: readonly PodType[];
  /** Regular expression for the specs' full names. */
  readonly focus: string;
  /** Number of specs that run at the same time. */
  readonly processes: number;
  /** Directory for the suites' own output. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Called after each pod type. */
  readonly onRun: (run: PeerRun) => Promise<void>;
}

const NAMESPACE_TIMEOUT_SECONDS = 180;

/** Runs Kubernetes' specs once for each pod type. Afterwards new pods are overlay pods again. */
export async function runPeers(cluster: Cluster, options: PeerOptions, progress: Progress): Promise<void> {
  const { tests, podTypes, focus, processes, directory, signal } = options;
  const kubectl = new Kubectl(tests.kubectl, cluster.kubeconfig);
  await prepareCluster(cluster, options, progress);
  const original = await readMultusConfig(kubectl);
  try {
    for (const podType of podTypes) {
      signal.throwIfAborted();
      await runTimed(progress, `make every new pod of type ${podType}`, () =>
        switchPodType(cluster, kubectl, original, podType),
      );
      const run = await runTimed(progress, `run sig-network with every pod of type ${podType}`, () =>
        runGinkgo({
          ...{ tests, podType, focus, processes, signal, kubeconfig: cluster.kubeconfig },
          directory: join(directory, podType),
        }),
      );
      await options.onRun(run);
      await waitForNamespaces(kubectl);
    }
  } finally {
    if (!signal.aborted) await switchPodType(cluster, kubectl, original, "overlay");
  }
}

async function prepareCluster(cluster: Cluster, { tests, returnPath }: PeerOptions, progress: Progress): Promise<void> {
  if (cluster.importImages === undefined || cluster.blockEgress === undefined)
    throw new Error(`peer suites need container images on the nodes, which provider ${cluster.provider} cannot import`);
  await cluster.blockEgress();
  await runTimed(progress, `import ${tests.images.length} images of test pods`, async () =>
    cluster.importImages?.(tests.images),
  );
  await runTimed(progress, `set the return path ${returnPath}`, () =>
    switchTo(cluster, { kubeProxy: cluster.spec.kubeProxy, returnPath }),
  );
}

/** Waits until the pods of all specs are deleted, for their addresses are needed again. */
async function waitForNamespaces(kubectl: Kubectl): Promise<void> {
  const selector = ["namespace", "-l", "e2e-framework"];
  await kubectl.run(["wait", "--for=delete", ...selector, `--timeout=${NAMESPACE_TIMEOUT_SECONDS}s`]);
}
