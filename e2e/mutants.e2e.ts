import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "../clusters/provider.ts";
import { RESULTS } from "../results/write.ts";
import { must, signalAgent } from "./agent-process.ts";
import { clusterApi } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "./harness.ts";
import { type Cell, cells } from "./matrix/cells.ts";
import { gate, type Variant } from "./matrix/gate.ts";
import { DEFAULT_RUN, runCells } from "./matrix/run.ts";
import { switchTo } from "./matrix/variant.ts";
import { attachmentRecord, type AttachmentRecord, type Mutant, mutantsOf } from "./mutants/mutant.ts";
import { sample } from "./mutants/sample.ts";
import { whyItMaySurvive } from "./mutants/survivors.ts";
import { deploy, type Deployment } from "./pods/deploy.ts";
import { NAMESPACE } from "./pods/pods.ts";

/** Below v1.29, so that the return path is needed. */
const VARIANT: Variant = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" };
const RUN = { ...DEFAULT_RUN, passTimeoutMs: 1500, attempts: 1 } as const;
const RECORDS = "/var/lib/interlay/attachments";
const TABLE = ["inet", "interlay"] as const;
const INTERLAY = "/opt/cni/bin/interlay";

/** One mutant's fate. */
interface Fate {
  readonly mutant: string;
  readonly reason: string;
  readonly fate: "killed" | "survived";
  /** Ids of the cells that turned red. */
  readonly cells: readonly string[];
  /** Why a survivor is no hole in the matrix. */
  readonly excuse?: string;
}

/**
 * The suite on trial: every line of the plans of a worker's four underlay and multi-NIC pods, and the node's return path,
 * is taken out, one at a time, while the agent is held. The matrix must turn red, and in no cell that has nothing to do
 * with it. INTERLAY_MUTANTS=N tries N of them, chosen by INTERLAY_SEED.
 */
Describe("mutants: the matrix sees every line that is missing", { labels: ["mutants"] }, () => {
  let cluster: Cluster;
  let deployment: Deployment;
  let asked: readonly Cell[];
  let node: string;
  const fates: Fate[] = [];

  BeforeAll(
    async () => {
      cluster = await theCluster();
      deployment = await By("the pods of the three types", () => deploy(cluster, clusterApi(cluster)));
      DeferCleanup(() => deployment.closeProbers());
      asked = cells(deployment.workers.length, deployment.families);
      node = deployment.workers[0] ?? "";
      await By("kube-proxy v1.28.15, notrack", () => switchTo(cluster, VARIANT));
    },
    { timeout: 300_000 },
  );

  /** Cells that fail, and fail again: a busy machine's lost packet accuses nobody. */
  const red = async (variant: Variant = VARIANT): Promise<readonly Cell[]> => {
    const failing = async (list: readonly Cell[]): Promise<readonly Cell[]> => {
      const results = await runCells(list, variant, deployment, RUN);
      return list.filter((_, index) => results[index]?.actual !== "pass");
    };
    const first = await failing(asked);
    return first.length === 0 ? [] : failing(first);
  };
  /** Made while the agent is held, looked at, and put right by the agent. */
  const trial = async (
    { title, argvs, reason }: Pick<Mutant, "title" | "argvs" | "reason">,
    whole: () => Promise<boolean>,
    mayFail: (cell: Cell) => boolean,
  ): Promise<readonly string[]> => {
    await signalAgent(cluster, node, "STOP");
    let failed: readonly Cell[];
    try {
      for (const argv of argvs) await must(cluster, node, argv);
      failed = await red();
    } finally {
      await signalAgent(cluster, node, "CONT");
    }
    await Eventually(`${title} is put back`, whole, (is) => is, { timeout: 60_000, interval: 100 });
    const excuse = failed.length === 0 ? whyItMaySurvive(title) : undefined;
    fates.push({
      ...{ mutant: title, reason, fate: failed.length === 0 ? "survived" : "killed" },
      cells: failed.map(({ id }) => id),
      ...(excuse === undefined ? {} : { excuse }),
    });
    const fate =
      failed.length === 0 ? `SURVIVED${excuse === undefined ? "" : ` (${excuse})`}` : `${failed.length} cells`;
    process.stdout.write(`      · ${title}: ${fate}\n`);
    const others = failed.filter((cell) => !mayFail(cell));
    assert.deepEqual(
      others.map(({ id }) => id),
      [],
      `${title} is taken out, and these cells have nothing to do with it`,
    );
    return failed.map(({ id }) => id);
  };
  /** The cells that the gate blocks in that variant, of those that leave by the node on trial. */
  const blockedIn = (variant: Variant): readonly string[] =>
    asked.filter((cell) => cell.sourceNode === 0 && gate(variant, cell).expected === "blocked").map(({ id }) => id);
  const tables = async (): Promise<string> =>
    (await cluster.exec(node, ["nft", "-s", "list", "table", ...TABLE])).stdout;

  It("passes while nothing is missing", async () => {
    assert.deepEqual(
      (await red()).map(({ id }) => id),
      [],
    );
  });

  It("turns red for each line of the plans", { timeout: 1_800_000 }, async () => {
    const records = await recordsOn(cluster, node);
    const whole = async () =>
      (await Promise.all(records.map((record) => isWhole(cluster, node, record)))).every((is) => is);
    for (const mutant of sample(mutantsOf(records), process.env))
      await trial(mutant, whole, (cell) => mutant.pods.some((pod) => touches(cell, pod)));
  });

  It("turns red for the return path, in the cells that the gate names", { timeout: 120_000 }, async () => {
    const mine = blockedIn({ ...VARIANT, returnPath: "none" });
    const before = await tables();
    const reason = "what conntrack has not seen whole is not to be called INVALID";
    const same = async () => (await tables()) === before;
    const title = "node: the notrack table";
    const argvs = [["nft", "delete", "table", ...TABLE]];
    assert.deepEqual(await trial({ title, argvs, reason }, same, ({ id }) => mine.includes(id)), mine);
  });

  It("turns red when kube-proxy's rule is back, in the cells that the gate names", { timeout: 180_000 }, async () => {
    const liberal: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "liberal" };
    await By("kube-proxy v1.29.15, liberal", () => switchTo(cluster, liberal));
    const rule = ["KUBE-FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"];
    const tools = deployment.families.map((family) => (family === "ipv4" ? "iptables" : "ip6tables"));
    for (const tool of tools) await must(cluster, node, [tool, "-w", "-I", ...rule]);
    let failed: readonly Cell[];
    try {
      failed = await red(liberal);
    } finally {
      for (const tool of tools) await must(cluster, node, [tool, "-w", "-D", ...rule]);
    }
    const mine = blockedIn({ ...liberal, kubeProxy: { ...liberal.kubeProxy, version: "v1.28.15" } });
    assert.deepEqual(
      failed.map(({ id }) => id),
      mine,
    );
    fates.push({
      ...{ mutant: "kube-proxy's INVALID rule is back (containernetworking/plugins issue 177)", fate: "killed" },
      ...{ reason: "from v1.29 with the sysctl kube-proxy leaves it out", cells: mine },
    });
  });

  It("no mutant survives without a reason", async () => {
    await mkdir(RESULTS, { recursive: true });
    await writeFile(
      join(RESULTS, "mutants.json"),
      `${JSON.stringify({ schema: "interlay.mutants/v1", fates }, null, 2)}\n`,
    );
    const killed = fates.filter(({ fate }) => fate === "killed").length;
    process.stdout.write(
      `      · ${String(fates.length)} mutants, ${killed} killed, ${fates.length - killed} survived\n`,
    );
    assert.deepEqual(
      fates.filter(({ fate, excuse }) => fate === "survived" && excuse === undefined).map(({ mutant }) => mutant),
      [],
    );
  });
});

/** Whether the cell's packets have to do with a pod. */
function touches({ from, server, to }: Cell, pod: string): boolean {
  return [from, server, "pod" in to ? to.pod : undefined].includes(pod);
}

async function recordsOn(cluster: Cluster, node: string): Promise<readonly AttachmentRecord[]> {
  const names = (await must(cluster, node, ["ls", RECORDS])).split("\n").filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(names.map((name) => must(cluster, node, ["cat", `${RECORDS}/${name}`])));
  return texts
    .map((text) => attachmentRecord.parse(JSON.parse(text)))
    .filter(({ pod }) => pod.namespace === NAMESPACE)
    .sort((a, b) => a.pod.name.localeCompare(b.pod.name));
}

/** By the plugin's own word: `interlay explain` names what the kernel lacks. */
async function isWhole(cluster: Cluster, node: string, { pod }: AttachmentRecord): Promise<boolean> {
  const { exitCode, stdout } = await cluster.exec(node, [INTERLAY, "explain", "--pod", `${pod.namespace}/${pod.name}`]);
  return exitCode === 0 && !stdout.includes("MISSING");
}
