import assert from "node:assert/strict";
import { NOTRACK, type AgentFixture } from "./agent-fixture.ts";
import { By, DeferCleanup, Eventually, It } from "../harness.ts";
import { configureAgents, switchVariant } from "../deployment/variant.ts";

const POLL = { timeout: 60_000 };

/** Whether underlay pods reach overlay addresses on the other node, which needs the return path. */
export function probeAsymmetricPaths({ deployment, canReach }: AgentFixture): Promise<readonly boolean[]> {
  return Promise.all(
    ["overlay-2-b", "multi-nic-2-b"].map((pod) => canReach("underlay-1-a", deployment.getAddress(pod, "main"))),
  );
}

/** Waits until underlay pods reach overlay addresses on the other node. */
export function waitForAsymmetricPaths(fixture: AgentFixture): Promise<readonly boolean[]> {
  const probe = () => probeAsymmetricPaths(fixture);
  return Eventually("underlay -> overlay on the other node", probe, (oks) => oks.every(Boolean), POLL);
}

/** Registers the specs of the return path next to packet filters of other programs. */
export function registerPacketFilterSpecs(getFixture: () => AgentFixture): void {
  const waitForPaths = () => waitForAsymmetricPaths(getFixture());

  // Calico's accept rules are in the backend that it uses. With a policy DROP in the other backend the target's node drops packets
  // from the tunnel to Calico's own pods, with and without Interlay.
  for (const [program, where] of [
    ["iptables", "on every node"],
    ["iptables-legacy", "on the underlay pod's node"],
  ] as const)
    It(`works with ${program}'s FORWARD policy DROP, as Docker sets it, ${where}`, async () => {
      const { cluster, nodes, execOnNode } = getFixture();
      const affected = program === "iptables" ? cluster.nodes.map(({ name }) => name) : [nodes[0]];
      const runOnAffected = (...argv: readonly string[]) =>
        Promise.all(affected.map((node) => execOnNode(node, program, ...argv)));
      const listRules = () => runOnAffected("-S", "FORWARD");
      DeferCleanup(() => runOnAffected("-P", "FORWARD", "ACCEPT"));
      await runOnAffected("-P", "FORWARD", "DROP");
      const acceptRules = ["-d \\S+ -i", "-s \\S+ -o", "-i", "-o"].map(
        (match) => new RegExp(`^-A FORWARD ${match} vethil\\+ .*--comment interlay -j ACCEPT`, "m"),
      );
      await Eventually(
        "the agents accept the traffic that plans of underlay pods route",
        listRules,
        (texts) => texts.every((text) => acceptRules.every((rule) => rule.test(text))),
        POLL,
      );
      await waitForPaths();
      await runOnAffected("-P", "FORWARD", "ACCEPT");
      await Eventually(
        "no rule of Interlay is left",
        listRules,
        (texts) => texts.every((text) => !text.includes("interlay")),
        POLL,
      );
    });

  It("works with a rule in iptables-legacy that drops INVALID packets, and detects it", async () => {
    const { nodes, execOnNode, readNodeStatus } = getFixture();
    const iptablesLegacy = (...argv: readonly string[]) => execOnNode(nodes[0], "iptables-legacy", ...argv);
    const drop = ["-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"];
    await configureAgents(getFixture().cluster, { returnPath: "liberal" });
    DeferCleanup(() => switchVariant(getFixture().cluster, NOTRACK));
    await By("kube-proxy omits its own rule", () =>
      switchVariant(getFixture().cluster, { ...NOTRACK, returnPath: "liberal" }),
    );
    const readInvalidDropRule = async () => (await readNodeStatus(nodes[0])).kubeProxy.invalidDropRule;
    await Eventually("no rule is detected", readInvalidDropRule, (isDetected) => !isDetected, POLL);
    await iptablesLegacy("-N", "KUBE-FORWARD");
    DeferCleanup(async () => {
      await iptablesLegacy("-D", "FORWARD", "-j", "KUBE-FORWARD");
      await iptablesLegacy("-F", "KUBE-FORWARD");
      await iptablesLegacy("-X", "KUBE-FORWARD");
    });
    await iptablesLegacy("-A", "KUBE-FORWARD", ...drop);
    await iptablesLegacy("-I", "FORWARD", "-j", "KUBE-FORWARD");
    await Eventually("the rule is detected", readInvalidDropRule, Boolean, POLL);
    await configureAgents(getFixture().cluster, { returnPath: "notrack" });
    await waitForPaths();
    assert.match(
      await execOnNode(nodes[0], "iptables-legacy-save", "-c", "-t", "filter"),
      /^\[0:0\] -A KUBE-FORWARD .*INVALID/m,
    );
  });

  It("reports another firewall's rule that drops INVALID packets, and works next to it with notrack", async () => {
    const { cluster, nodes, execOnNode, readNodeStatus } = getFixture();
    DeferCleanup(() => switchVariant(cluster, NOTRACK));
    DeferCleanup(() => execOnNode(nodes[0], "nft", "add table inet site; delete table inet site"));
    await By("kube-proxy omits its own rule", () => switchVariant(cluster, { ...NOTRACK, returnPath: "liberal" }));
    const readGate = async () => (await readNodeStatus(nodes[0])).gate;
    await Eventually("the gate is open", readGate, ({ open }) => open, POLL);
    const chain = "{ type filter hook forward priority 10; ct state invalid counter drop; }";
    await execOnNode(nodes[0], "nft", `table inet site { chain forward ${chain}; }`);
    await Eventually(
      "the gate is closed, with the rule",
      readGate,
      ({ open, reason }) => !open && reason.includes("table inet site, chain forward: ct state invalid counter drop"),
      POLL,
    );
    await configureAgents(cluster, { returnPath: "notrack" });
    await Eventually("the gate is open with notrack", readGate, ({ open }) => open, POLL);
    await waitForPaths();
    assert.match(await execOnNode(nodes[0], "nft", "list", "table", "inet", "site"), /counter packets 0 /);
  });

  It("reports that Services are not ready if kube-proxy's rules are missing in the kernel", async () => {
    const { nodes, execOnNode, readNodeStatus } = getFixture();
    const jump = [
      "-t",
      "nat",
      "PREROUTING",
      "-m",
      "comment",
      "--comment",
      "kubernetes service portals",
      "-j",
      "KUBE-SERVICES",
    ];
    const iptables = (verb: "-D" | "-A" | "-C") =>
      execOnNode(nodes[0], "iptables", "-w", "5", ...jump.slice(0, 2), verb, ...jump.slice(2));
    const readServicesReady = async () =>
      (await readNodeStatus(nodes[0])).conditions.find(({ type }) => type === "ServicesReady") ?? {
        status: "",
        reason: "",
      };
    await Eventually("ServicesReady is True", readServicesReady, ({ status }) => status === "True", POLL);
    DeferCleanup(() => iptables("-C").catch(() => iptables("-A")));
    await Eventually(
      "ServicesReady is False while kube-proxy's jump is missing",
      async () => {
        // kube-proxy restores it in its next sync.
        await iptables("-D").catch(() => undefined);
        return readServicesReady();
      },
      ({ status, reason }) => status === "False" && reason === "NoServiceRules",
      POLL,
    );
    await iptables("-C").catch(() => iptables("-A"));
    await Eventually("ServicesReady is True again", readServicesReady, ({ status }) => status === "True", POLL);
  });
}
