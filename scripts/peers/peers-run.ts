import { join } from "node:path";
import type { Progress } from "../../clusters/progress/progress.ts";
import type { Provider } from "../../clusters/provider/provider.ts";
import type { ClusterSpec } from "../../clusters/spec/cluster-spec.ts";
import type { Variant } from "../../e2e/cells/gate.ts";
import { runPeers } from "../../e2e/peers/run-peers.ts";
import { listEmptyRuns, type PeerRun, toChecks } from "../../e2e/peers/spec-result.ts";
import type { PeerSuite } from "../../e2e/peers/suite.ts";
import { composeReport, type Failure } from "../../e2e/support/compose-report.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { RESULTS } from "../../results/files/write.ts";
import type { PodType, Report } from "../../results/schema.ts";
import packageJson from "../../package.json" with { type: "json" };

/** Input of a run of another project's suite. */
interface PeersRequest {
  readonly id: string;
  readonly provider: Provider;
  readonly suite: PeerSuite;
  /** Name of the cluster. */
  readonly name: string;
  /** Builds the cluster's specification. */
  readonly buildSpec: () => Promise<ClusterSpec>;
  readonly returnPath: Variant["returnPath"];
  readonly podTypes: readonly PodType[];
  readonly focus: string;
  readonly skipKnown: boolean;
  /** Number of specs that run at the same time. */
  readonly processes: number;
  /** Whether the cluster is left as it is. */
  readonly keep: boolean;
  readonly progress: Progress;
  /** Prints a line for people. */
  readonly print: (text: string) => void;
  /** Writes the report, also of a run that has not ended. */
  readonly write: (report: Report) => Promise<unknown>;
}

/** Runs a suite of another project on one cluster: brings it up, runs the specs, takes it down in any case. */
export class PeersRun {
  readonly runs: PeerRun[] = [];
  readonly #request: PeersRequest;
  readonly #started = new Date().toISOString();
  readonly #failures: Failure[] = [];
  readonly #versions: Record<string, string> = { interlay: packageJson.version };
  readonly #interruption = new AbortController();
  #stage: Failure["stage"] = "preflight";
  /** Removal of the objects that an interrupted bring-up has created so far. */
  #down: Promise<void> | undefined;

  constructor(request: PeersRequest) {
    this.#request = request;
  }

  /** Whether `interrupt` was called. */
  get interrupted(): boolean {
    return this.#interruption.signal.aborted;
  }

  /** Runs the suite. @returns the report */
  async run(): Promise<Report> {
    const { podTypes, print } = this.#request;
    await this.#runSuite().catch((error: unknown) => {
      // After a signal, the error of a program that it ended says nothing more.
      const { aborted, reason } = this.#interruption.signal as { readonly aborted: boolean; readonly reason: unknown };
      const message = getErrorMessage(aborted ? reason : error);
      print(`peers: ${message}`);
      this.#failures.push({ stage: aborted ? "interrupt" : this.#stage, error: message });
    });
    if (this.#failures.length === 0)
      for (const podType of listEmptyRuns(this.runs, podTypes))
        this.#failures.push({ stage: "specs", error: `no spec ran with every pod of type ${podType}` });
    await this.#down;
    await this.#takeDown();
    return this.#compose(this.#failures);
  }

  /** Ends the run with its results. During a bring-up, the cluster is taken down at once, so that the bring-up fails early. */
  interrupt(signal: string): void {
    const { provider, name, keep, progress } = this.#request;
    this.#interruption.abort(new Error(`${signal} during ${this.#stage}`));
    if (this.#stage === "bring-up" && !keep) this.#down = provider.down(name, progress).catch(() => undefined);
  }

  async #runSuite(): Promise<void> {
    const { provider, suite, returnPath, keep, progress, print } = this.#request;
    const { signal } = this.#interruption;
    const spec = await this.#request.buildSpec();
    const findings = await provider.preflight(spec);
    for (const { severity, message } of findings) print(`${severity}: ${message}`);
    const errors = findings.filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    const prepared = await suite.prepare(spec.kubernetes, progress);
    signal.throwIfAborted();
    this.#stage = "bring-up";
    const cluster = await provider.up(spec, progress);
    Object.assign(this.#versions, cluster.versions, { returnPath });
    signal.throwIfAborted();
    this.#stage = "specs";
    const { podTypes, focus, skipKnown, processes, id } = this.#request;
    await runPeers(
      cluster,
      {
        name: suite.name,
        suite: prepared,
        returnPath,
        podTypes,
        focus,
        skipKnown,
        processes,
        directory: join(RESULTS, "runs", id, "peers"),
        restore: keep,
        signal,
        onRun: async (run) => {
          this.runs.push(run);
          await this.#request.write(this.#compose([{ stage: "end", error: "the run did not end" }]));
        },
      },
      progress,
    );
  }

  async #takeDown(): Promise<void> {
    const { provider, name, keep, progress } = this.#request;
    if (keep || this.#stage === "preflight") return;
    await provider.down(name, progress).catch((error: unknown) => {
      this.#failures.push({ stage: "take-down", error: getErrorMessage(error) });
    });
  }

  #compose(failed: readonly Failure[]): Report {
    const { id, provider } = this.#request;
    const run = { id, started: this.#started, finished: new Date().toISOString(), provider: provider.name };
    return composeReport(run, { variants: [], checks: this.runs.flatMap(toChecks), versions: this.#versions }, failed);
  }
}
