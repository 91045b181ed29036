import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../clusters/components/command.ts";
import type { PodType } from "../../results/schema.ts";
import { parseGinkgoReport } from "./ginkgo-report.ts";
import { findKnownSkips } from "./known-skips.ts";
import type { KubernetesTests } from "./programs.ts";
import type { PeerRun } from "./spec-result.ts";

/** Selects the specs that a conformant cluster must pass. */
export const CONFORMANCE = String.raw`\[sig-network\].*\[Conformance\]`;

/** How Kubernetes' specs are run against a cluster. */
export interface GinkgoOptions {
  readonly tests: Pick<KubernetesTests, "e2eTest" | "ginkgo" | "kubectl">;
  readonly kubeconfig: string;
  readonly podType: PodType;
  /** Regular expression for the specs' full names. */
  readonly focus: string;
  /** Number of specs that run at the same time. */
  readonly processes: number;
  /** Directory for Ginkgo's output. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Ends Ginkgo, and the specs with it, when this process is killed. */
const END_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM", "--"];

/** Runs Kubernetes' specs. Failed specs are results; throws if Ginkgo wrote no report. */
export async function runGinkgo(options: GinkgoOptions): Promise<PeerRun> {
  const { tests, kubeconfig, podType, focus, processes, directory, signal } = options;
  const known = findKnownSkips("sig-network", podType);
  const work = await mkdtemp(join(tmpdir(), "interlay-peers-"));
  const started = performance.now();
  try {
    const argv = [
      ...[tests.ginkgo, "run", `--procs=${processes}`, "--timeout=60m", "--no-color", `--focus=${focus}`],
      ...known.map(({ spec }) => `--skip=${escapeRegExp(spec)}`),
      ...[`--output-dir=${work}`, "--json-report=report.json", tests.e2eTest, "--", `--kubeconfig=${kubeconfig}`],
      ...["--provider=skeleton", `--kubectl-path=${tests.kubectl}`, "--disable-log-dump", `--e2e-output-dir=${work}`],
    ];
    const { exitCode, stdout, stderr } = await runCommand([...END_WITH_PARENT, ...argv], { cwd: work, signal });
    const seconds = (performance.now() - started) / 1000;
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "ginkgo.log"), `${stdout}${stderr}`);
    const report = await readFile(join(work, "report.json"), "utf8").catch(() => undefined);
    if (report === undefined)
      throw new Error(
        `Ginkgo ended with ${exitCode} without a report: ${(stderr || stdout).trim().split("\n").slice(-5).join("\n")}`,
      );
    const specs = parseGinkgoReport(report, new RegExp(focus), known);
    return { suite: "sig-network", podType, specs, seconds };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
