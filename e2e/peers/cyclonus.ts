import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { runCommand, runOrThrow } from "../../clusters/components/run-command.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { buildTestImages } from "../../clusters/images/test-images.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import { POD_TYPES } from "../../results/schema.ts";
import { parseCyclonusReport } from "./cyclonus-report.ts";
import type { PeerRun } from "./spec-result.ts";
import { END_WITH_PARENT, type PeerRunOptions, type PeerSuite, type PreparedSuite } from "./suite.ts";

/**
 * NetworkPolicy conformance by cyclonus. Policies of the overlay do not protect underlay addresses (docs/security.md): if new
 * pods are underlay pods, those to which the policies apply are overlay pods, and the others are their clients and servers.
 */
export const cyclonus: PeerSuite = {
  name: "cyclonus",
  podTypes: POD_TYPES,
  focus: ".*",
  prepare: prepareCyclonus,
};

/** Image of cyclonus v0.5.6's pods. */
const IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.43";
/** Namespaces that cyclonus creates. */
const NAMESPACES = ["x", "y", "z"];
/** Namespaces of the pods to which the policies of the cases below apply. */
const TARGET_NAMESPACES = ["x", "y"];
const SERVERS = ["--server-protocol=TCP,UDP", "--server-port=80", "--pod-creation-timeout-seconds=180"];
const CASES = ["--include=deny-all", "--exclude=sctp,multi-peer,upstream-e2e,example,end-port"];

async function prepareCyclonus(kubernetes: string, progress: Progress): Promise<PreparedSuite> {
  const components = await resolveComponents(
    [
      { name: "kubectl", version: kubernetes },
      { name: "agnhost", version: kubernetes },
      { name: "coredns", version: VERSIONS.coredns },
      { name: "cyclonus", version: VERSIONS.cyclonus },
    ],
    progress,
  );
  const [agnhost, coredns] = [components.path("agnhost"), components.path("coredns")];
  return {
    images: await buildTestImages({ kubernetes, agnhost, coredns, references: [IMAGE] }, progress),
    kubectl: components.path("kubectl"),
    createOverlayPods: (options) => createTargets(components.path("cyclonus"), options),
    run: (options) => runCyclonus(components.path("cyclonus"), options),
    waitForCleanup: async (kubectl) => {
      await kubectl.run(["delete", "namespace", "--ignore-not-found", "--timeout=180s", ...NAMESPACES]);
    },
  };
}

/** Creates the pods to which policies apply as overlay pods: cyclonus leaves pods that exist as they are. */
async function createTargets(
  program: string,
  { kubeconfig, signal }: Pick<PeerRunOptions, "kubeconfig" | "signal">,
): Promise<void> {
  const argv = [program, "probe", ...SERVERS, `--server-namespace=${TARGET_NAMESPACES.join(",")}`];
  await runOrThrow([...END_WITH_PARENT, ...argv], { env: { KUBECONFIG: kubeconfig }, signal });
}

async function runCyclonus(program: string, options: PeerRunOptions): Promise<PeerRun> {
  const { kubeconfig, podType, focus, known, directory, signal } = options;
  await mkdir(directory, { recursive: true });
  const file = join(directory, "cyclonus.xml");
  await rm(file, { force: true });
  const started = performance.now();
  const argv = [program, "generate", ...CASES, ...SERVERS, `--junit-results-file=${file}`];
  const { exitCode, stdout, stderr } = await runCommand([...END_WITH_PARENT, ...argv], {
    env: { KUBECONFIG: kubeconfig },
    signal,
  });
  const seconds = (performance.now() - started) / 1000;
  await writeFile(join(directory, "cyclonus.log"), `${stdout}${stderr}`);
  const xml = await readFile(file, "utf8").catch(() => undefined);
  if (xml === undefined)
    throw new Error(
      `cyclonus ended with ${exitCode} without results: ${(stderr || stdout).trim().split("\n").slice(-5).join("\n")}`,
    );
  return { suite: "cyclonus", podType, specs: parseCyclonusReport(xml, new RegExp(focus), known), seconds };
}
