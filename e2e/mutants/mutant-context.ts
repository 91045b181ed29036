import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { By, DeferCleanup } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";
import { switchVariant } from "../deployment/variant.ts";
import { runOnNode } from "../support/agent-process.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import type { TestRun } from "../support/test-run.ts";
import { MutantResults } from "./mutant-results.ts";
import { describeFailed, MutationRuns } from "./mutation-runs.ts";
import { recreatePods } from "./recreate-pods.ts";

/** A variant with kube-proxy below v1.29, which needs the return path. */
export const VARIANT: Variant = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" };
export const LIBERAL: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "liberal" };

/** Cluster, pods and cells of the mutants. All mutants are made on one worker. */
export class MutantContext {
  readonly cluster: Cluster;
  readonly node: string;
  readonly cells: readonly Cell[];
  readonly runs: MutationRuns;
  readonly results: MutantResults;
  readonly #api: ClusterApi;
  #deployment: Deployment;

  private constructor(cluster: Cluster, api: ClusterApi, deployment: Deployment, results: MutantResults) {
    this.cluster = cluster;
    this.#api = api;
    this.#deployment = deployment;
    this.results = results;
    this.node = deployment.workers[0] ?? "";
    this.cells = listMatrixCells(deployment.workers.length, deployment.families, deployment.features);
    this.runs = this.createRuns(this.cells);
  }

  /** Deploys the pods and switches to {@link VARIANT}. For BeforeAll. */
  static async setup(run: TestRun): Promise<MutantContext> {
    const { cluster, api, deployment } = await setupDeployment(run);
    const context = new MutantContext(cluster, api, deployment, new MutantResults());
    DeferCleanup(() => context.deployment.closeProbers()); // of recreated pods
    await By("kube-proxy v1.28.15, notrack", () => switchVariant(cluster, VARIANT));
    return context;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  /** Tools that list the packet filter of each family: iptables, ip6tables. */
  get iptablesTools(): readonly string[] {
    return this.deployment.families.map((family) => (family === "ipv4" ? "iptables" : "ip6tables"));
  }

  /** Returns runs of mutants that are detected by the given cells. */
  createRuns(cells: readonly Cell[]): MutationRuns {
    return new MutationRuns(this.cluster, this.node, () => this.deployment, cells, this.results);
  }

  /** Recreates pods on the node, which attaches them with the present facts. */
  async recreatePods(timeoutMs?: number): Promise<void> {
    this.#deployment = await recreatePods(this.cluster, this.#api, this.deployment, timeoutMs);
  }

  /** Runs a command on the node. @throws if it fails */
  execOnNode(argv: readonly string[]): Promise<string> {
    return runOnNode(this.cluster, this.node, argv);
  }

  /** Asserts that every cell passes. @param when part of the message @throws an error with the failed cells */
  async assertAllPass(variant: Variant, when: string): Promise<void> {
    assert.deepEqual(describeFailed(await this.runs.listFailedCells(variant)), [], `cells fail ${when}`);
  }
}

/** Whether a pod sends or receives the cell's packets. */
export function touchesPod({ from, server, to }: Cell, pod: string): boolean {
  return [from, server, "pod" in to ? to.pod : undefined].includes(pod);
}
