import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ComponentRef, VERSIONS } from "../../clusters/components/catalog.ts";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { buildTestImages } from "../../clusters/images/test-images.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import { POD_TYPES } from "../../results/schema.ts";
import { parseGinkgoReport } from "./ginkgo-report.ts";
import type { PeerRun } from "./spec-result.ts";
import { END_WITH_PARENT, type PeerRunOptions, type PeerSuite, type PreparedSuite } from "./suite.ts";

/** Kubernetes' own network specs, by default those that a conformant cluster must pass. */
export const sigNetwork: PeerSuite = {
  name: "sig-network",
  podTypes: POD_TYPES,
  focus: String.raw`\[sig-network\].*\[Conformance\]`,
  prepare: prepareSigNetwork,
};

/** Images that the specs use and that are built here. */
const IMAGE = /^registry\.k8s\.io\/(?:e2e-test-images\/(?:agnhost|glibc-dns-testing|jessie-dnsutils|nginx)|pause):/;
const CLEANUP_SECONDS = 180;

/** Paths of the programs of a run. */
interface GinkgoPrograms {
  readonly e2eTest: string;
  readonly ginkgo: string;
  readonly kubectl: string;
}

/** Selects the images that are built from what `e2e.test --list-images` prints. */
export function selectTestImages(listed: string): readonly string[] {
  return listed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => IMAGE.test(line));
}

async function prepareSigNetwork(kubernetes: string, progress: Progress): Promise<PreparedSuite> {
  const refs: readonly ComponentRef[] = [
    ...(["kubectl", "agnhost", "ginkgo", "e2e.test"] as const).map((name) => ({ name, version: kubernetes })),
    { name: "coredns", version: VERSIONS.coredns },
  ];
  const components = await resolveComponents(refs, progress);
  const programs = {
    e2eTest: components.path("e2e.test"),
    ginkgo: components.path("ginkgo"),
    kubectl: components.path("kubectl"),
  };
  const references = selectTestImages(await runOrThrow([programs.e2eTest, "--list-images"]));
  const [agnhost, coredns] = [components.path("agnhost"), components.path("coredns")];
  const images = await buildTestImages({ kubernetes, agnhost, coredns, references }, progress);
  return {
    images,
    kubectl: programs.kubectl,
    run: (options) => runGinkgo(programs, options),
    waitForCleanup: async (kubectl) => {
      await kubectl.run(["wait", "--for=delete", "namespace", "-l", "e2e-framework", `--timeout=${CLEANUP_SECONDS}s`]);
    },
  };
}

async function runGinkgo(programs: GinkgoPrograms, options: PeerRunOptions): Promise<PeerRun> {
  const { podType, focus, known, directory, signal } = options;
  const work = await mkdtemp(join(tmpdir(), "interlay-peers-"));
  const started = performance.now();
  try {
    const argv = listGinkgoArguments(programs, options, work);
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

/** Lists the command of a run. @param work directory for the report and for files of the specs */
export function listGinkgoArguments(
  programs: GinkgoPrograms,
  options: Pick<PeerRunOptions, "focus" | "known" | "processes" | "kubeconfig" | "workers">,
  work: string,
): readonly string[] {
  const { focus, known, processes, kubeconfig, workers } = options;
  return [
    programs.ginkgo,
    "run",
    `--procs=${processes}`,
    "--timeout=60m",
    "--no-color",
    `--focus=${focus}`,
    ...known.map(({ spec }) => `--skip=${escapeRegExp(spec)}`),
    `--output-dir=${work}`,
    "--json-report=report.json",
    programs.e2eTest,
    "--",
    `--kubeconfig=${kubeconfig}`,
    "--provider=skeleton",
    // The test program counts the nodes in one of its processes only: specs that need two are skipped by all others.
    `--num-nodes=${workers}`,
    `--kubectl-path=${programs.kubectl}`,
    "--disable-log-dump",
    `--e2e-output-dir=${work}`,
  ];
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
