import { once } from "node:events";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { createProgress } from "../../clusters/progress/create-progress.ts";
import type { Cluster, Provider } from "../../clusters/provider/provider.ts";
import { type ClusterSpec, DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { listFamilies } from "../../clusters/spec/address-ranges.ts";
import * as harness from "../../e2e/harness.ts";
import { listMatrixCells } from "../../e2e/cells/matrix-cells.ts";
import type { Features } from "../../e2e/cells/features.ts";
import { takeSnapshot } from "../../e2e/snapshot/take-snapshot.ts";
import { registerSuites } from "../../e2e/specs/suites.ts";
import { buildClusterSpec } from "../../e2e/support/build-cluster-spec.ts";
import type { RunOptions } from "../../e2e/support/run-options.ts";
import { composeReport, explainEmptyCells, type Failure } from "../../e2e/support/compose-report.ts";
import { TestRun } from "../../e2e/support/test-run.ts";
import { writeBundle } from "../../results/files/bundle.ts";
import type { CheckResult, Report } from "../../results/schema.ts";
import { writeReport, writeReportFiles } from "../../results/files/write.ts";
import packageJson from "../../package.json" with { type: "json" };
import { handleInterrupts } from "./handle-interrupts.ts";
import { renderVariantTable } from "./variant-table.ts";

/** Features with which a selection is checked: those of the cluster are not known before it is up. */
const EVERY_FEATURE: Features = { dns: true, vips: true, hostPorts: true, sourceGuard: true, forwardDrop: true };

interface SuiteRunRequest {
  readonly id: string;
  readonly started: Date;
  readonly provider: Provider;
  readonly options: RunOptions;
  readonly suites: readonly string[];
  readonly settings: harness.Settings;
  /** Directory for the results; undefined: results/runs/ID. */
  readonly output: string | undefined;
  /** Returns the options, with those that are read from the cluster; undefined: `options` are complete. */
  readonly completeOptions: ((cluster: Cluster) => Promise<RunOptions>) | undefined;
  readonly print: (text: string) => void;
  /** Called once with the report; undefined: it is not printed. */
  readonly printReport: ((report: Report) => void) | undefined;
}

/** Runs suites on one cluster: brings it up, runs the specs, writes the results in any case, takes the cluster down. */
export class SuiteRun {
  readonly #request: SuiteRunRequest;
  readonly #progress = createProgress();
  readonly #checks: CheckResult[] = [];
  readonly #failures: Failure[] = [];
  readonly #interruption: Promise<never>;
  #interrupt: (error: Error) => void = () => undefined;
  #run: TestRun;
  #stage: Failure["stage"] = "selection";
  #signal: string | undefined;
  #specsRun = false;
  #cluster: Cluster | undefined;
  /** Removal of the objects that an interrupted bring-up has created so far. */
  #down: Promise<void> | undefined;

  constructor(request: SuiteRunRequest) {
    this.#request = request;
    this.#run = new TestRun(request.options);
    this.#interruption = new Promise<never>((_, reject) => (this.#interrupt = reject));
    this.#interruption.catch(() => undefined);
  }

  /** Runs the suites. @returns the exit status */
  async run(): Promise<number> {
    handleInterrupts((signal) => {
      this.#onSignal(signal);
    });
    for (const event of ["uncaughtException", "unhandledRejection"] as const)
      process.on(event, (error: unknown) => {
        if (!this.#specsRun) void this.#crash(error); // while specs run, the harness fails the running spec
      });
    await this.#runSpecs().catch((error: unknown) => {
      this.#specsRun = false;
      if (this.#signal !== undefined) return;
      process.stderr.write(`e2e: ${getErrorMessage(error)}\n`);
      this.#failures.push({ stage: this.#stage, error: getErrorMessage(error) });
    });
    if (this.#signal !== undefined)
      this.#failures.push({ stage: "interrupt", error: `${this.#signal} during ${this.#stage}` });
    if (this.#stage === "selection" && this.#failures.length > 0) {
      await this.#write(this.#failures);
      return 2;
    }
    await this.#writeAll();
    await this.#down;
    await this.#takeDown();
    for (const stream of [process.stdout, process.stderr]) if (stream.writableNeedDrain) await once(stream, "drain");
    if (this.#signal !== undefined) return 130;
    if (this.#stage === "preflight") return 2;
    return this.#compose(this.#failures).summary.failed === 0 ? 0 : 1;
  }

  async #runSpecs(): Promise<void> {
    const { provider, options, suites, settings, completeOptions } = this.#request;
    if (completeOptions === undefined) await registerSuites(suites, this.#run);
    const clusterSpec = await buildClusterSpec(options);
    if (completeOptions === undefined) this.#assertSelection(clusterSpec);
    await this.#write([{ stage: "end", error: "the run did not end: it was killed, or it is still running" }]);
    this.#stage = "preflight";
    const additionalKubeProxies = suites.some((name) => name !== "matrix") ? [DEFAULT_SPEC.kubeProxy] : []; // other suites switch to it
    const spec = { ...clusterSpec, kubeProxies: [...clusterSpec.kubeProxies, ...additionalKubeProxies] };
    await this.#checkPreflight(spec);
    this.#stage = "bring-up";
    const up = provider.up(spec, this.#progress);
    // With --keep an interrupt ends the run at once; otherwise the handler takes down what `up` needs, and `up` fails.
    const cluster = await (options.keep ? Promise.race([up, this.#interruption]) : up);
    this.#cluster = cluster;
    if (this.#signal !== undefined) return;
    if (completeOptions !== undefined) {
      this.#run = new TestRun(await completeOptions(cluster));
      await registerSuites(suites, this.#run);
      this.#assertSelection(clusterSpec);
    }
    this.#run.attach(cluster);
    this.#stage = "specs";
    this.#specsRun = true;
    this.#checks.push(...(await harness.runSpecs(settings)).checks);
    this.#specsRun = false;
  }

  async #checkPreflight(spec: ClusterSpec): Promise<void> {
    const { provider } = this.#request;
    if (!hasCapability(provider.name, "create-clusters")) return; // its preflight has run before
    const findings = await provider.preflight(spec);
    for (const { severity, message } of findings) process.stderr.write(`${severity}: ${message}\n`);
    const errors = findings.filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  }

  /** Checks the selection before a cluster is brought up. @throws if no spec or no cell is selected */
  #assertSelection(spec: ClusterSpec): void {
    const { options, suites, settings, provider } = this.#request;
    const specs = harness.selectSpecs(settings);
    const labels = [...new Set(specs.flatMap((selectedSpec) => selectedSpec.labels))].sort().join(", ");
    if (specs.every(({ leftOut }) => leftOut !== undefined))
      throw new Error(
        `nothing is selected: none of ${specs.length} specs in --suite ${suites.join(",")} matches (their labels: ${labels})`,
      );
    if (!hasCapability(provider.name, "create-clusters") || !suites.includes("matrix")) return;
    const ids = listMatrixCells(options.workers, listFamilies(spec), EVERY_FEATURE).map(({ id }) => id);
    const reason = explainEmptyCells(options.cells, ids);
    if (reason !== undefined) throw new Error(reason);
  }

  #compose(failed: readonly Failure[]): Report {
    const { id, started, provider, options } = this.#request;
    const { variants, versions, suite, components } = this.#run.results;
    return composeReport(
      {
        id,
        provider: provider.name,
        options: [...options.rerun],
        ...(options.existing === undefined ? {} : { datapath: options.existing.datapath }),
        started: started.toISOString(),
        finished: new Date().toISOString(),
      },
      {
        variants,
        checks: this.#checks,
        versions: { ...(options.existing?.datapath === "none" ? {} : { interlay: packageJson.version }), ...versions },
        suite,
        components,
      },
      failed,
    );
  }

  async #write(failed: readonly Failure[]): Promise<string> {
    const { output } = this.#request;
    const report = this.#compose(failed);
    if (output === undefined) return writeReport(report);
    await writeReportFiles(output, report);
    return output;
  }

  /** Writes and prints the tables, the files, the bundle and the closing line. */
  async #writeAll(): Promise<void> {
    const { print, options, printReport } = this.#request;
    const { variants, snapshots } = this.#run.results;
    const report = this.#compose(this.#failures);
    const { passed, failed, skipped } = report.summary;
    for (const variant of variants) print(`\n${renderVariantTable(variant, report)}`);
    const directory = await this.#write(this.#failures);
    if (this.#cluster !== undefined && snapshots.size === 0 && (failed > 0 || options.snapshot))
      await takeSnapshot(this.#cluster, new Map()).then(
        (files) => {
          for (const [file, text] of files) snapshots.set(`snapshot/${file}`, text);
        },
        (error: unknown) => process.stderr.write(`e2e: no snapshot of nodes and pods: ${getErrorMessage(error)}\n`),
      );
    const bundle = snapshots.size > 0 ? await writeBundle(directory, snapshots) : undefined;
    printReport?.(report);
    const files = `report.json, report.html, report.md, junit.xml${bundle === undefined ? "" : ", bundle.tar.gz"}`;
    print(`\nresults: ${directory}/${files}`);
    print(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }

  async #takeDown(): Promise<void> {
    const { provider, options } = this.#request;
    if (options.keep || this.#stage === "preflight") return;
    await provider.down(options.name, this.#progress).catch(async (error: unknown) => {
      process.stderr.write(`e2e: ${getErrorMessage(error)}\n`);
      this.#failures.push({ stage: "take-down", error: getErrorMessage(error) });
      await this.#write(this.#failures);
    });
  }

  /** Ends the specs with their cleanups; then the results are written and the cluster is taken down. */
  #onSignal(signal: string): void {
    const { provider, options } = this.#request;
    this.#signal = signal;
    const clusterAction = options.keep ? "keeping" : "taking down";
    process.stderr.write(
      `\n${signal}: ending the specs, writing the results, ${clusterAction} the cluster; once more to end at once.\n`,
    );
    harness.interrupt(signal);
    this.#interrupt(new Error(signal));
    if (!options.keep && !this.#specsRun)
      this.#down = provider.down(options.name, this.#progress).catch(() => undefined);
  }

  async #crash(error: unknown): Promise<void> {
    process.stderr.write(`e2e: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    await this.#write([...this.#failures, { stage: "crash", error: getErrorMessage(error) }]).catch(() => undefined);
    process.exit(1);
  }
}
