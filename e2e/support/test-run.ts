import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { loadProvider } from "../../clusters/providers.ts";
import type { ClusterComponents, SuiteVersion } from "../../results/component-schema.ts";
import type { VariantResult } from "../../results/schema.ts";
import { writeReport } from "../../results/files/write.ts";
import packageJson from "../../package.json" with { type: "json" };
import { onSummary } from "../harness.ts";
import { buildClusterSpec } from "./build-cluster-spec.ts";
import { parseRunOptions, type RunOptions } from "./run-options.ts";
import { composeReport } from "./compose-report.ts";

/** Results of the specs, in addition to the checks of the harness. */
interface RunResults {
  readonly variants: VariantResult[];
  /** Snapshots of nodes and pods: contents by file name. */
  readonly snapshots: Map<string, string>;
  /** Versions of the components, once the cluster exists. */
  readonly versions: Record<string, string>;
  /** The suite's own version, once a spec has read it. */
  suite?: SuiteVersion;
  /** Components found in the cluster, once a spec has read them. */
  components?: ClusterComponents;
}

/** One run of specs: its options, its cluster and its results. Each spec file gets it when it registers its specs. */
export class TestRun {
  readonly options: RunOptions;
  readonly results: RunResults = { variants: [], snapshots: new Map(), versions: {} };
  #cluster: Promise<Cluster> | undefined;

  constructor(options: RunOptions) {
    this.options = options;
  }

  /** Makes the run use a cluster that is up already. */
  attach(cluster: Cluster): void {
    this.#cluster = Promise.resolve(cluster);
  }

  /** Returns the run's cluster, which is brought up on first use. */
  readonly cluster = async (): Promise<Cluster> => {
    this.#cluster ??= bringUp(this.options);
    const cluster = await this.#cluster;
    Object.assign(this.results.versions, cluster.versions);
    return cluster;
  };
}

async function bringUp(options: RunOptions): Promise<Cluster> {
  const provider = await loadProvider(options.provider, options.existing);
  return provider.up(await buildClusterSpec(options), createPlainProgress());
}

/**
 * Registers the specs of a file that was started by itself (`npx tsx e2e/specs/matrix.e2e.ts`), with options from the
 * environment. Its report is written when the specs have run.
 * @param url `import.meta.url` of the file
 */
export function registerIfMain(url: string, register: (run: TestRun) => void): void {
  const [, main] = process.argv;
  if (main === undefined || pathToFileURL(realpathSync(main)).href !== url) return;
  const run = new TestRun(parseRunOptions(process.env));
  const started = new Date();
  register(run);
  onSummary(async ({ checks }) => {
    const { provider, existing } = run.options;
    const { variants, versions, suite, components } = run.results;
    const report = composeReport(
      {
        id: started.toISOString().replaceAll(/[:.]/g, "-"),
        started: started.toISOString(),
        finished: new Date().toISOString(),
        provider,
        options: [...run.options.rerun],
        ...(existing === undefined ? {} : { datapath: existing.datapath }),
      },
      { variants, checks, versions: { interlay: packageJson.version, ...versions }, suite, components },
      [],
    );
    process.stdout.write(`results: ${await writeReport(report)}/report.json\n`);
  });
}
