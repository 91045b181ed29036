import assert from "node:assert/strict";
import { signalAgent } from "../support/agent-process.ts";
import { Eventually, It } from "../harness.ts";
import { PROBE_OPTIONS } from "./duplicate-address.ts";
import {
  execInPluginPod,
  readMac,
  findPodNic,
  execOnNode,
  getWorkerName,
  type PluginContext,
} from "./plugin-context.ts";

const PAIR = /^\d+: (vethil[0-9a-f]{9})@\S+ .* mtu (\d+) .* qlen (\d+)/;

export function registerLinkSpecs(context: () => PluginContext): void {
  It(
    "mtu and txQueueLen apply to both ends of the pair; macPrefix and the first address give the NIC's MAC",
    async () => {
      const [underlay, multiNic] = PROBE_OPTIONS.map(({ name }) => name) as [string, string];
      const { addresses, mac } = await findPodNic(context(), underlay, "eth0");
      const [firstAddress = ""] = addresses;
      const podLink = await execInPluginPod(context(), underlay, "ip", "-o", "link", "show", "veth0");
      assert.match(podLink, / mtu 1400 .* qlen 321\b/);
      const route = await execOnNode(context(), 0, "ip", "-o", "route", "get", firstAddress);
      const link = / dev (vethil\S+)/.exec(route)?.[1] ?? "";
      assert.match(await execOnNode(context(), 0, "ip", "-o", "link", "show", link), / mtu 1400 .* qlen 321\b/);
      for (const [pod, nic] of [
        [underlay, "eth0"],
        [multiNic, "net1"],
      ] as const) {
        const podNic = await findPodNic(context(), pod, nic);
        assert.equal(await readMac(context(), pod, nic), buildMac(podNic.addresses[0] ?? ""), `${nic} of ${pod}`);
      }
      assert.equal(mac, buildMac(firstAddress), "in Multus's status, which has it from the plugin's result");
    },
  );

  It("the configured table and priorities are used in pod and node", async () => {
    const [underlay, multiNic] = PROBE_OPTIONS.map(({ name }) => name) as [string, string];
    const family = ((await findPodNic(context(), multiNic, "net1")).addresses[0] ?? "").includes(":") ? "-6" : "-4";
    assert.match(await execOnNode(context(), 0, "ip", family, "rule"), /^1777:\s+from all lookup 777/m);
    assert.match(await execOnNode(context(), 0, "ip", family, "route", "show", "table", "777"), / dev cali/);
    assert.match(
      await execInPluginPod(context(), underlay, "ip", family, "rule"),
      /^1777:\s+from all fwmark 0x20000000\/0x20000000 lookup 500/m,
    );
    assert.match(await execInPluginPod(context(), multiNic, "ip", family, "rule"), /^2777:\s+from \S+ lookup 10\d+/m);
  });

  It("names, MACs and indices of the pairs stay when the agent is killed and restarts", async () => {
    const listPairs = async () =>
      (await execOnNode(context(), 0, "ip", "-o", "link"))
        .split("\n")
        .filter((line) => PAIR.test(line))
        .sort();
    const before = await listPairs();
    assert.ok(before.length > 1, "no pair exists");
    await signalAgent(context().cluster, getWorkerName(context().cluster, 0), "KILL");
    await Eventually(
      "the agent is ready again",
      () => execOnNode(context(), 0, "curl", "--silent", "--max-time", "2", "http://127.0.0.1:9810/readyz"),
      (answer) => answer.includes("ok"),
      { timeout: 110_000 },
    );
    assert.deepEqual(await listPairs(), before);
  });
}

/** Returns 0a:1b and the last four bytes of the address. */
function buildMac(address: string): string {
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  if (!address.includes(":")) return ["0a:1b", ...address.split(".").map((part) => hex(Number(part)))].join(":");
  const groups = address
    .split(":")
    .slice(-2)
    .map((group) => group.padStart(4, "0"));
  return ["0a:1b", ...groups.flatMap((group) => [group.slice(0, 2), group.slice(2)])].join(":");
}
