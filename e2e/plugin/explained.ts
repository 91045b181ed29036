import assert from "node:assert/strict";
import { signalAgent } from "../support/agent-process.ts";
import { listFindings } from "../doctor/causes.ts";
import { runDoctorCommand } from "../doctor/doctor.ts";
import { By, DeferCleanup, It } from "../harness.ts";
import { NAMESPACE as PEERS, podName } from "../pods/suite-pods.ts";
import { findNetns } from "../agent/streams.ts";
import { execOnNode, type PluginContext, getWorkerName } from "./plugin-context.ts";
import { INSTALLED_EXECUTABLE } from "../support/installed-paths.ts";

/** Rows of the tables "Datapath contract" in docs/architecture.md. */
const ROWS = /^(pod, links|pod, main table|pod, rules|pod, neighbours|node, routes|node, sysctls)$/;

/** One plan item as `explain` prints it. */
interface Explained {
  readonly line: string;
  readonly reason: string;
  readonly row: string;
}

/** Parses the output of `interlay explain`: each item, and below it its reason and its row of the contract. */
function parseExplained(text: string): readonly Explained[] {
  return [...text.matchAll(/^(\S.*)\n {4}(.+)\n {4}contract: (.+)$/gm)].map(([, line = "", reason = "", row = ""]) => ({
    line,
    reason,
    row,
  }));
}

export function registerExplainSpecs(context: () => PluginContext): void {
  const explain = (type: "overlay" | "underlay" | "multi-nic") =>
    context().cluster.exec(getWorkerName(context().cluster, 0), [
      INSTALLED_EXECUTABLE,
      "explain",
      "--pod",
      `${PEERS}/${podName(type, 0, "a")}`,
    ]);

  for (const type of ["underlay", "multi-nic"] as const)
    It(
      `explain prints the plan of an ${type} pod, each item with its reason and its row of the datapath contract`,
      async () => {
        const { exitCode, stdout, stderr } = await explain(type);
        assert.equal(exitCode, 0, stderr);
        assert.doesNotMatch(stdout, /MISSING/);
        const lines = parseExplained(stdout);
        assert.ok(lines.length > 10, stdout);
        for (const { line, reason, row } of lines) {
          assert.ok(reason.length > 10, `"${line}" has no reason`);
          assert.match(row, ROWS, `"${line}"`);
        }
        const { deployment, cluster } = context();
        const device = type === "underlay" ? "veth0" : "eth0";
        const podAddress = deployment.getAddress(podName(type, 0, "a"), "main");
        const node = deployment.getAddress("node-1", "main");
        for (const cidr of [cluster.spec.overlayCidr, cluster.spec.serviceCidr])
          assert.ok(
            lines.some(({ line }) => line === `pod: route ${cidr} via ${node} dev ${device} src ${podAddress}`),
            `no line for ${cidr}:\n${stdout}`,
          );
      },
    );

  It(
    "explain reports for an overlay pod that Interlay has not attached it on this node, with the code of the CNI specification",
    async () => {
      const { exitCode, stdout, stderr } = await explain("overlay");
      assert.notEqual(exitCode, 0, stdout);
      assert.match(stderr, /pod interlay-e2e\/overlay-1-a is not attached on this node/);
    },
  );

  It("explain, CHECK, the doctor and the report name the same missing items", async () => {
    const { deployment, cluster } = context();
    const pod = podName("underlay", 0, "a");
    const address = deployment.getAddress(pod, "main");
    const netns = await findNetns(cluster, getWorkerName(cluster, 0), address);
    await signalAgent(cluster, getWorkerName(cluster, 0), "STOP");
    DeferCleanup(() => signalAgent(cluster, getWorkerName(cluster, 0), "CONT"));
    await execOnNode(context(), 0, "nsenter", `--net=${netns}`, "ip", "route", "delete", cluster.spec.serviceCidr);
    const { stdout } = await explain("underlay");
    const missing = parseExplained(stdout).filter(({ line }) => line.includes("MISSING"));
    assert.deepEqual(
      missing.map(({ line }) =>
        line
          .replace(/ {2}MISSING.*/, "")
          .split(" ")
          .slice(0, 3)
          .join(" "),
      ),
      [`pod: route ${cluster.spec.serviceCidr}`],
    );
    const [{ line, reason } = { line: "", reason: "" }] = missing;
    const plain = line.replace(/ {2}MISSING.*/, "");
    const findings = await By("the doctor", () =>
      cluster.provider === "lab" ? listFindings(cluster) : runDoctorCommand(cluster.kubeconfig),
    );
    const messages = findings.map(({ message }) => message);
    assert.ok(
      messages.some((message) => message.includes(`lacks "${plain}" (${reason})`)),
      `the doctor reports something else: ${messages.join("\n")}`,
    );
  });
}
