import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { execOrThrow, signalAgent, signalProcess } from "../support/agent-process.ts";
import { type ClusterApi, clusterApi } from "../support/cluster-api.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { attackCells } from "../cells/attack-cells.ts";
import { listMatrixCells } from "../cells/cells.ts";
import type { Cell } from "../cells/cell.ts";
import { NO_FEATURES } from "../cells/features.ts";
import { decideKubeProxyVerdict, type Variant } from "../cells/gate.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { readAgentGates, readFilters, switchVariant } from "../deployment/variant.ts";
import { decideVerdict } from "../cells/verdict.ts";
import { FACT_MUTANTS, type FactMutant } from "../mutants/fact-mutants.ts";
import { MutantResults } from "../mutants/mutant-results.ts";
import { GATE_MUTANTS, type Observation, findWrongObservations } from "../mutants/gate-mutants.ts";
import { listMutants } from "../mutants/mutant.ts";
import { waitForServices } from "../matrix/services-known.ts";
import {
  buildDeleteRuleCommand,
  buildFlushSetCommand,
  listRules,
  parseRules,
  parseSets,
} from "../mutants/nft-rules.ts";
import { isComplete, readRecords } from "../mutants/records.ts";
import { sampleMutants } from "../mutants/sample.ts";
import { findAllowlistReason } from "../mutants/survivors.ts";
import { describeFailed, type FailedCell, MutationRuns } from "../mutants/mutation-runs.ts";
import { RECREATED_PODS, recreatePods } from "../mutants/recreate-pods.ts";
import { deployPods, type Deployment } from "../deployment/deploy.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";

/** kube-proxy below v1.29, which needs the return path. */
const VARIANT: Variant = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" };
const LIBERAL: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "liberal" };
/** Variants that the gate must distinguish; the run's own are added (`--kube-proxy v1.31.4,v1.31.4/nftables`). */
const OBSERVED: readonly Variant[] = [
  { ...VARIANT, returnPath: "liberal" },
  VARIANT,
  LIBERAL,
  { ...LIBERAL, returnPath: "notrack" },
  { kubeProxy: { version: "v1.29.15", mode: "nftables" }, returnPath: "notrack" },
];
const BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";
const KUBE_PROXY = "kube-proxy[^ ]* --";
const INVALID_RULE = ["KUBE-FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"];

/**
 * Mutation testing of the matrix: plan items, nft rules, facts and decisions of the gate are removed or changed, one at a time, in
 * a running cluster. Related cells must fail, and no other cell. INTERLAY_MUTANTS=N tests N of the items and rules and fewer of
 * the rest, chosen by INTERLAY_SEED.
 */
export function registerSpecs(run: TestRun): void {
  Describe("mutants: the matrix detects missing and wrong state", { labels: ["mutants"] }, () => {
    let cluster: Cluster;
    let api: ClusterApi;
    let deployment: Deployment;
    let asked: readonly Cell[];
    let node: string;
    let mutationRuns: MutationRuns;
    const mutantResults = new MutantResults();

    BeforeAll(
      async () => {
        cluster = await run.cluster();
        api = clusterApi(cluster);
        deployment = await By("the pods of the three types", () => deployPods(cluster, api));
        DeferCleanup(() => deployment.closeProbers());
        asked = listMatrixCells(deployment.workers.length, deployment.families, deployment.features);
        node = deployment.workers[0] ?? "";
        mutationRuns = new MutationRuns(cluster, node, () => deployment, asked, mutantResults);
        await By("kube-proxy v1.28.15, notrack", () => switchVariant(cluster, VARIANT));
      },
      { timeout: 300_000 },
    );

    const listing = async (): Promise<string> => execOrThrow(cluster, node, listRules);
    const table = async (): Promise<string> =>
      (await cluster.exec(node, ["nft", "-s", "list", "table", "inet", "interlay"])).stdout;
    const assertAllPass = async (variant: Variant, when: string): Promise<void> => {
      assert.deepEqual(describeFailed(await mutationRuns.listFailedCells(variant)), [], `cells fail ${when}`);
    };

    It("passes without mutants", () => assertAllPass(VARIANT, "without mutants"));

    It("fails for each plan item and each nft rule in the pods", { timeout: 1_800_000 }, async () => {
      const records = await readRecords(cluster, node);
      const isRepaired = async () =>
        (await Promise.all(records.map((record) => isComplete(cluster, node, record)))).every((is) => is);
      const lines = listMutants(records).map(({ title, reason, pods, argvs }) => ({
        kind: "plan" as const,
        title,
        reason,
        pods,
        argvs: () => Promise.resolve(argvs),
      }));
      const marked = records.filter(({ plan }) => plan.items.some(({ kind }) => kind === "reply-mark"));
      const inPod = ({ netns }: (typeof records)[number], argv: readonly string[]) => [
        "nsenter",
        `--net=${netns}`,
        "--",
        ...argv,
      ];
      const [first] = marked;
      const rules = first === undefined ? [] : parseRules(await execOrThrow(cluster, node, inPod(first, listRules)));
      const inPods = rules.map(({ chain, name }) => ({
        kind: "nft" as const,
        title: `underlay eth0: pod: nft rule in ${chain}: ${name}`,
        reason: name,
        pods: marked.map(({ pod }) => pod.name),
        argvs: async () => {
          const all = marked.map(async (record) =>
            parseRules(await execOrThrow(cluster, node, inPod(record, listRules)))
              .filter((rule) => rule.chain === chain && rule.name === name)
              .map((rule) => inPod(record, buildDeleteRuleCommand(rule))),
          );
          return (await Promise.all(all)).flat();
        },
      }));
      for (const { pods, ...mutant } of sampleMutants([...lines, ...inPods], run.options.mutants)) {
        const mayFail = (cell: Cell) => pods.some((pod) => touches(cell, pod));
        await mutationRuns.run(
          { ...mutant, isRepaired, mayFail, allowedBecause: findAllowlistReason(mutant.title) },
          VARIANT,
        );
      }
    });

    It("fails without the return path, in the cells that the gate names", { timeout: 900_000 }, async () => {
      const mine = mutationRuns.listBlockedCells({ ...VARIANT, returnPath: "none" });
      const before = await table();
      const is = await listing();
      const reason = "packets of a half-seen connection must not be INVALID";
      const isRepaired = async () => (await table()) === before;
      const of = (family: string) => asked.filter((cell) => cell.family === family && mine.includes(cell.id));
      const seenBy = (rule: string): readonly string[] => {
        const [, family = ""] = /^exempt-(.*)$/.exec(rule) ?? [];
        return of(family).map(({ id }) => id);
      };
      const all = [
        {
          title: "node: the table",
          cells: mine,
          argvs: () => Promise.resolve([["nft", "delete", "table", "inet", "interlay"]]),
        },
        ...parseRules(is).map(({ chain, name }) => ({
          title: `node: nft rule in ${chain}: ${name}`,
          cells: seenBy(name),
          argvs: async () =>
            parseRules(await listing())
              .filter((rule) => rule.chain === chain && rule.name === name)
              .map(buildDeleteRuleCommand),
        })),
        ...parseSets(is).map((set) => ({
          title: `node: nft set ${set}`,
          cells: of(set.endsWith("6") ? "ipv6" : "ipv4").map(({ id }) => id),
          argvs: () => Promise.resolve([buildFlushSetCommand(set)]),
        })),
      ];
      for (const { title, cells: named, argvs } of all) {
        const mayFail = ({ id }: Cell) => named.includes(id);
        const seen = await mutationRuns.run(
          { kind: "nft", title, reason, argvs, isRepaired, mayFail, allowedBecause: findAllowlistReason(title) },
          VARIANT,
        );
        assert.deepEqual(seen, named, title);
      }
    });

    It("fails without the rules in FORWARD, if its policy is DROP", { timeout: 900_000 }, async () => {
      const tools = deployment.families.map((family) => (family === "ipv4" ? "iptables" : "ip6tables"));
      /** Returns the agent's rules in each tool's chain FORWARD, as `iptables -S` prints them. */
      const listOwn = async (): Promise<readonly (readonly [tool: string, rule: string])[]> => {
        const all = tools.map(async (tool) =>
          [
            ...(await execOrThrow(cluster, node, [tool, "-w", "-S", "FORWARD"])).matchAll(
              /^-A (FORWARD .*interlay.*)$/gm,
            ),
          ].map(([, rule = ""]) => [tool, rule] as const),
        );
        return (await Promise.all(all)).flat();
      };
      const attacks = attackCells(deployment.workers.length, { ...NO_FEATURES, forwardDrop: true }).filter(
        ({ sourceNode }) => sourceNode === 0,
      );
      const attackRuns = new MutationRuns(cluster, node, () => deployment, attacks, mutantResults);
      let own: Awaited<ReturnType<typeof listOwn>> = [];
      const are = async (there: boolean): Promise<boolean> => {
        const now = await listOwn();
        return there ? now.length > 0 && now.length >= own.length : now.length === 0;
      };
      const policy = async (verdict: string): Promise<void> => {
        for (const tool of tools) await execOrThrow(cluster, node, [tool, "-w", "-P", "FORWARD", verdict]);
      };
      try {
        await policy("DROP");
        await Eventually(
          "the agent's rules are in FORWARD",
          () => are(true),
          (is) => is,
          { timeout: 60_000 },
        );
        await assertAllPass(VARIANT, "with FORWARD's policy DROP and the agent's rules");
        assert.deepEqual(
          describeFailed(await attackRuns.listFailedCells(VARIANT)),
          [],
          "a pod uses the node as a router, although FORWARD's policy is DROP",
        );
        own = await listOwn();
        for (const rule of new Set(own.map(([, text]) => text))) {
          const title = `node: rule in ${rule.replace(" -m comment --comment interlay -j ACCEPT", "")}`;
          const reason = "a policy DROP, as Docker's, drops what no rule takes";
          const argvs = () =>
            Promise.resolve(
              own.flatMap(([tool, text]) => (text === rule ? [[tool, "-w", "-D", ...text.split(" ")]] : [])),
            );
          const mayFail = ({ sourceNode, from, server, to }: Cell) =>
            sourceNode === 0 ||
            [from, server, "pod" in to ? to.pod : ""].some((pod) => /-1-|^node-1$/.test(pod ?? "")) ||
            "node" in to;
          await mutationRuns.run(
            {
              kind: "nft",
              title,
              reason,
              argvs,
              isRepaired: () => are(true),
              mayFail,
              allowedBecause: findAllowlistReason(title),
            },
            VARIANT,
          );
        }
      } finally {
        await policy("ACCEPT");
      }
      const mayFail = () => true;
      const seen = attackRuns.recordResult(
        {
          kind: "nft",
          title: "node: policy DROP of FORWARD",
          reason: "the agent's rules accept only planned traffic",
          mayFail,
        },
        await attackRuns.listFailedCells(VARIANT, mayFail),
      );
      assert.deepEqual(
        seen,
        attacks.map(({ id }) => id),
        "packets to the outside that FORWARD's policy dropped",
      );
      await Eventually(
        "the agent's rules are removed from FORWARD",
        () => are(false),
        (is) => is,
        { timeout: 60_000 },
      );
    });

    It("fails for each wrong or missing fact", { timeout: 1_200_000 }, async () => {
      for (const fact of sampleMutants(FACT_MUTANTS, run.options.mutants, 0.4)) {
        await By(fact.title, () => testFactMutant(fact));
        await By("the pods are attached with the right facts", async () => {
          deployment = await recreatePods(cluster, api, deployment, 60_000);
          await waitForServices(asked, VARIANT, deployment);
          await assertAllPass(VARIANT, `after "${fact.title}" was put right`);
        });
      }
    });

    /** Recreates pods with the wrong fact. */
    const testFactMutant = async ({ title, reason, make, as, allowedBecause }: FactMutant): Promise<void> => {
      const unmake = await make(cluster, node);
      let failed: readonly FailedCell[] = [];
      const named = as === undefined ? undefined : mutationRuns.listBlockedCells({ ...VARIANT, returnPath: as });
      const mayFail = (cell: Cell) => named?.includes(cell.id) ?? RECREATED_PODS.some((pod) => touches(cell, pod));
      let notWired = "";
      try {
        try {
          deployment = await recreatePods(cluster, api, deployment);
        } catch (error) {
          notWired = getErrorMessage(error);
        }
        if (notWired === "") failed = await mutationRuns.listFailedCells(VARIANT, mayFail);
      } finally {
        await unmake();
      }
      if (notWired !== "") {
        mutantResults.add({ kind: "fact", mutant: title, reason, seen: [`pods are not wired: ${notWired}`] });
        return;
      }
      const seen = mutationRuns.recordResult({ kind: "fact", title, reason, allowedBecause, mayFail }, failed);
      if (named !== undefined) assert.deepEqual(seen, named, title);
    };

    It("fails with kube-proxy's INVALID rule on v1.29, liberal", { timeout: 300_000 }, async () => {
      await By("kube-proxy v1.29.15, liberal", () => switchVariant(cluster, LIBERAL));
      const mine = mutationRuns.listBlockedCells({
        ...LIBERAL,
        kubeProxy: { ...LIBERAL.kubeProxy, version: "v1.28.15" },
      });
      const tools = deployment.families.map((family) => (family === "ipv4" ? "iptables" : "ip6tables"));
      const ruleIs = (there: boolean) =>
        Eventually(
          `kube-proxy's INVALID rule is ${there ? "" : "not "}there`,
          async () =>
            (await Promise.all(tools.map((tool) => cluster.exec(node, [tool, "-w", "-C", ...INVALID_RULE])))).map(
              ({ exitCode }) => exitCode === 0,
            ),
          (all) => all.every((one) => one === there),
          { timeout: 60_000 },
        );
      const sees = async (mutant: string, reason: string): Promise<void> => {
        const failed = (await mutationRuns.listFailedCells(LIBERAL, ({ id }) => mine.includes(id))).map(
          ({ cell }) => cell.id,
        );
        mutantResults.add({ kind: "kube-proxy", mutant, reason, seen: failed });
        assert.deepEqual(failed, mine, mutant);
      };

      for (const tool of tools) await execOrThrow(cluster, node, [tool, "-w", "-I", ...INVALID_RULE]);
      try {
        await sees(
          "kube-proxy's INVALID rule is back (containernetworking/plugins issue 177)",
          "from v1.29 on kube-proxy omits it with the sysctl",
        );
      } finally {
        for (const tool of tools) await execOrThrow(cluster, node, [tool, "-w", "-D", ...INVALID_RULE]);
      }

      await signalAgent(cluster, node, "STOP");
      try {
        await execOrThrow(cluster, node, ["sysctl", "-qw", `${BE_LIBERAL}=0`]);
        const filters = await readFilters(cluster, LIBERAL.kubeProxy.mode);
        const observation = { variant: LIBERAL, cells: [], actual: [], filters, agentOpen: new Map<string, boolean>() };
        mutantResults.add({
          kind: "sysctl",
          mutant: `node: sysctl ${BE_LIBERAL} = 1`,
          seen: findWrongObservations(observation),
          reason: "kube-proxy reads it when it starts",
        });
        await By("kube-proxy starts while the sysctl is 0", async () => {
          await signalProcess(cluster, node, KUBE_PROXY, "KILL");
          await ruleIs(true);
        });
        await execOrThrow(cluster, node, ["sysctl", "-qw", `${BE_LIBERAL}=1`]);
        await sees(
          "the sysctl is set, and kube-proxy is not restarted",
          "kube-proxy reads the sysctl when it starts: a rule that it made before stays",
        );
        await By("kube-proxy starts while the sysctl is 1", async () => {
          await signalProcess(cluster, node, KUBE_PROXY, "KILL");
          await ruleIs(false);
        });
      } finally {
        await execOrThrow(cluster, node, ["sysctl", "-qw", `${BE_LIBERAL}=1`]);
        await signalAgent(cluster, node, "CONT");
      }
    });

    It("fails for each wrong decision of the gate", { timeout: 600_000 }, async () => {
      const observations: Observation[] = [];
      const own = run.options.kubeProxyChosen ? run.options.variants : [];
      for (const variant of [...OBSERVED, ...own].filter(isFirst)) {
        const { version, mode } = variant.kubeProxy;
        const observation = await By(`kube-proxy ${version} (${mode}), ${variant.returnPath}`, () => observe(variant));
        observations.push(observation);
        assert.deepEqual(
          findWrongObservations(observation),
          [],
          `${version} (${mode}), ${variant.returnPath}, by the gate itself`,
        );
      }
      for (const mutant of GATE_MUTANTS) {
        const seen = observations.flatMap((one) =>
          findWrongObservations(one, mutant).map(
            (what) =>
              `${one.variant.kubeProxy.version}/${one.variant.kubeProxy.mode}/${one.variant.returnPath}: ${what}`,
          ),
        );
        const allowedBecause = findAllowlistReason(mutant.title);
        mutantResults.add({
          kind: "gate",
          mutant: mutant.title,
          reason: mutant.reason,
          seen,
          ...(allowedBecause === undefined ? {} : { allowedBecause }),
        });
      }
    });

    const observe = async (variant: Variant): Promise<Observation> => {
      await switchVariant(cluster, variant);
      const blocked = asked.some((cell) => decideKubeProxyVerdict(variant, cell).expected === "blocked");
      const agentOpen = await Eventually(
        "the agents report their gates",
        () => readAgentGates(cluster),
        (gates) => cluster.nodes.every(({ name }) => gates.get(name) === !blocked),
        { timeout: 20_000 },
      ).catch(() => readAgentGates(cluster)); // compared below
      // The gate does not decide about cells that are blocked by design or by Interlay's guard.
      const gated = asked.filter((cell) => {
        const verdict = decideVerdict(variant, cell);
        return verdict.expected === "pass" || verdict.by === "invalid-rule";
      });
      const results = await runCells(gated, variant, deployment, DEFAULT_RUN);
      const filters = await readFilters(cluster, variant.kubeProxy.mode);
      return { variant, cells: gated, actual: results.map(({ actual }) => actual), filters, agentOpen };
    };

    It("no mutant survives without a reason", async () => {
      // results/mutants.json records complete runs only
      mutantResults.printSummary();
      if (run.options.mutants.count === undefined)
        await mutantResults.write({
          provider: cluster.provider,
          versions: cluster.versions,
          families: deployment.families,
        });
      assert.deepEqual(mutantResults.unexplainedSurvivors, []);
    });
  });
}

/** Whether a pod sends or receives the cell's packets. */
function touches({ from, server, to }: Cell, pod: string): boolean {
  return [from, server, "pod" in to ? to.pod : undefined].includes(pod);
}

function isFirst(variant: Variant, index: number, all: readonly Variant[]): boolean {
  return all.findIndex((one) => JSON.stringify(one) === JSON.stringify(variant)) === index;
}

registerIfMain(import.meta.url, registerSpecs);
