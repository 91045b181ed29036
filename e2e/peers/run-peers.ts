import { join } from "node:path";
import { runTimed } from "../../clusters/components/timed.ts";
import { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { PodType } from "../../results/schema.ts";
import type { Variant } from "../cells/gate.ts";
import { switchVariant } from "../deployment/variant.ts";
import { findKnownSkips, KNOWN_SKIPS } from "./known-skips.ts";
import type { PeerRun, PeerSuiteName } from "./spec-result.ts";
import type { PreparedSuite } from "./suite.ts";
import { readMultusConfig, switchPodType } from "./switch-pod-type.ts";

interface PeerOptions {
  readonly name: PeerSuiteName;
  readonly suite: PreparedSuite;
  readonly returnPath: Variant["returnPath"];
  readonly podTypes: readonly PodType[];
  /** Regular expression for the specs' full names. */
  readonly focus: string;
  /** Whether specs that are known to fail are skipped with their reason. */
  readonly skipKnown: boolean;
  /** Number of specs that run at the same time. */
  readonly processes: number;
  /** Directory for the suite's own output. */
  readonly directory: string;
  /** Whether new pods are overlay pods again afterwards, for a cluster that is used further. */
  readonly restore: boolean;
  readonly signal: AbortSignal;
  /** Called after each pod type. */
  readonly onRun: (run: PeerRun) => Promise<void>;
}

/** Runs a suite once for each pod type. */
export async function runPeers(cluster: Cluster, options: PeerOptions, progress: Progress): Promise<void> {
  const { name, suite, podTypes, focus, processes, directory, signal } = options;
  const kubectl = new Kubectl(suite.kubectl, cluster.kubeconfig);
  await prepareCluster(cluster, options, progress);
  const original = await readMultusConfig(kubectl);
  signal.throwIfAborted();
  try {
    for (const podType of podTypes) {
      const { createOverlayPods } = suite;
      if (podType === "underlay" && createOverlayPods !== undefined)
        await runTimed(progress, "create the pods that stay overlay pods", async () => {
          await switchPodType(cluster, kubectl, original, "overlay");
          await createOverlayPods({ kubeconfig: cluster.kubeconfig, signal });
        });
      await runTimed(progress, `make every new pod of type ${podType}`, () =>
        switchPodType(cluster, kubectl, original, podType),
      );
      const run = await runTimed(progress, `run ${name} with every pod of type ${podType}`, () =>
        suite.run({
          kubeconfig: cluster.kubeconfig,
          podType,
          focus,
          known: findKnownSkips(name, podType, options.skipKnown ? KNOWN_SKIPS : []),
          processes,
          workers: cluster.nodes.filter(({ role }) => role === "worker").length,
          signal,
          directory: join(directory, podType),
        }),
      );
      await options.onRun(run);
      signal.throwIfAborted();
      await suite.waitForCleanup(kubectl);
    }
  } finally {
    if (options.restore) await switchPodType(cluster, kubectl, original, "overlay");
  }
}

async function prepareCluster(
  cluster: Cluster,
  { suite, returnPath, signal }: PeerOptions,
  progress: Progress,
): Promise<void> {
  if (cluster.importImages === undefined || cluster.blockEgress === undefined)
    throw new Error(`peer suites need container images on the nodes, which provider ${cluster.provider} cannot import`);
  await cluster.blockEgress();
  await runTimed(progress, `import ${suite.images.length} images of test pods`, async () =>
    cluster.importImages?.(suite.images),
  );
  signal.throwIfAborted();
  await runTimed(progress, `set the return path ${returnPath}`, () =>
    switchVariant(cluster, { kubeProxy: cluster.spec.kubeProxy, returnPath }),
  );
}
