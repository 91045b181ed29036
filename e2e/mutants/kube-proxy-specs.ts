import assert from "node:assert/strict";
import { By, Eventually, It } from "../harness.ts";
import { switchVariant, readAllFilters } from "../deployment/variant.ts";
import { signalAgent, signalProcess } from "../support/agent-process.ts";
import { findWrongObservations } from "./gate-mutants.ts";
import { LIBERAL, type MutantContext } from "./mutant-context.ts";

const BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";
const KUBE_PROXY = "kube-proxy[^ ]* --";
const INVALID_RULE = ["KUBE-FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"];

/** Registers the spec that restores kube-proxy's rule on INVALID packets, which the return path `liberal` removes. */
export function registerKubeProxySpecs(getContext: () => MutantContext): void {
  It("fails with kube-proxy's INVALID rule on v1.29, liberal", { timeout: 300_000 }, async () => {
    const context = getContext();
    const { cluster, node, results, runs, iptablesTools: tools } = context;
    await By("kube-proxy v1.29.15, liberal", () => switchVariant(cluster, LIBERAL));
    const blocked = runs.listBlockedCells({ ...LIBERAL, kubeProxy: { ...LIBERAL.kubeProxy, version: "v1.28.15" } });
    const assertDetected = async (mutant: string, reason: string): Promise<void> => {
      const failed = await runs.listFailedCells(LIBERAL, ({ id }) => blocked.includes(id));
      const failedIds = failed.map(({ cell }) => cell.id);
      results.add({ kind: "kube-proxy", mutant, reason, seen: failedIds });
      assert.deepEqual(failedIds, blocked, mutant);
    };
    const restartKubeProxy = (sysctl: 0 | 1, hasRule: boolean) =>
      By(`kube-proxy starts while the sysctl is ${sysctl}`, async () => {
        await signalProcess(cluster, node, KUBE_PROXY, "KILL");
        await waitForInvalidRule(context, hasRule);
      });

    for (const tool of tools) await context.execOnNode([tool, "-w", "-I", ...INVALID_RULE]);
    try {
      await assertDetected(
        "kube-proxy's INVALID rule is back (containernetworking/plugins issue 177)",
        "from v1.29 on kube-proxy omits it with the sysctl",
      );
    } finally {
      for (const tool of tools) await context.execOnNode([tool, "-w", "-D", ...INVALID_RULE]);
    }

    await signalAgent(cluster, node, "STOP");
    try {
      await context.execOnNode(["sysctl", "-qw", `${BE_LIBERAL}=0`]);
      const filters = await readAllFilters(cluster, LIBERAL.kubeProxy.mode);
      const observation = { variant: LIBERAL, cells: [], actual: [], filters, agentOpen: new Map<string, boolean>() };
      results.add({
        kind: "sysctl",
        mutant: `node: sysctl ${BE_LIBERAL} = 1`,
        seen: findWrongObservations(observation),
        reason: "kube-proxy reads it when it starts",
      });
      await restartKubeProxy(0, true);
      await context.execOnNode(["sysctl", "-qw", `${BE_LIBERAL}=1`]);
      await assertDetected(
        "the sysctl is set, and kube-proxy is not restarted",
        "kube-proxy reads the sysctl when it starts: a rule that it made before stays",
      );
      await restartKubeProxy(1, false);
    } finally {
      await context.execOnNode(["sysctl", "-qw", `${BE_LIBERAL}=1`]);
      await signalAgent(cluster, node, "CONT");
    }
  });
}

function waitForInvalidRule(
  { cluster, node, iptablesTools }: MutantContext,
  expected: boolean,
): Promise<readonly boolean[]> {
  return Eventually(
    `kube-proxy ${expected ? "adds" : "removes"} its INVALID rule`,
    async () => {
      const checks = iptablesTools.map((tool) => cluster.exec(node, [tool, "-w", "-C", ...INVALID_RULE]));
      return (await Promise.all(checks)).map(({ exitCode }) => exitCode === 0);
    },
    (presence) => presence.every((hasRule) => hasRule === expected),
    { timeout: 60_000 },
  );
}
