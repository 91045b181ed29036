import assert from "node:assert/strict";
import { getIpFamily } from "../../clusters/spec/address-ranges.ts";
import { By, DeferCleanup, Eventually, It, Skip } from "../harness.ts";
import { EXTERNAL } from "../cells/cell.ts";
import { buildHostPodName, podName } from "../pods/suite-pods.ts";
import { PROTOCOLS } from "../probe/protocol.ts";
import { findUnanswered } from "./http-probe.ts";
import { readLog } from "./call-log-specs.ts";
import { buildUnderlayAddresses, createPoolLabel, RANGES } from "./networks.ts";
import {
  createPluginPod,
  deletePods,
  waitForPluginPod,
  execOnNode,
  type PluginContext,
  getWorkerName,
} from "./plugin-context.ts";
import { RECORDS } from "../support/installed-paths.ts";

const NODE = 1;
const FILE = "/etc/cni/net.d/00-interlay-plugin.conflist";
const NETWORK = "plugin-runtime";
const BIN = "/opt/cni/bin";
const STALE = { name: "plugin-stale", netns: "/var/run/netns/plugin-stale", container: "plugin-stale" } as const;
/** Last number of the stale attachment's address. */
const LAST = 60;
/** Last number of the address of the pod that the runtime attaches. */
const DIRECT = 40;

/** Calls a plugin on the worker as a runtime does. */
async function callPlugin(
  context: PluginContext,
  verb: string,
  config: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const env = {
    ...settings,
    CNI_COMMAND: verb,
    CNI_CONTAINERID: STALE.container,
    CNI_NETNS: STALE.netns,
    CNI_IFNAME: "eth0",
    CNI_PATH: BIN,
    CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=nobody;K8S_POD_NAME=nobody;K8S_POD_UID=nobody",
  };
  const argv = [
    "env",
    ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
    `${BIN}/${String(config["type"])}`,
  ];
  const stdin = JSON.stringify({ cniVersion: "1.1.0", name: NETWORK, ...config });
  const { stdout } = await context.cluster.exec(getWorkerName(context.cluster, NODE), argv, { stdin });
  return stdout.trim() === "" ? {} : (JSON.parse(stdout) as Readonly<Record<string, unknown>>);
}

export function registerVerbSpecs(context: () => PluginContext): void {
  It(
    "a runtime of cniVersion 1.1.0 with macvlan and interlay as its network: ADD, CHECK, STATUS, GC and DEL",
    async () => {
      const { cluster, api, families, deployment } = context();
      if (cluster.provider !== "lab") Skip("only the lab's fake kubelet uses all five CNI commands");
      const conflist = {
        cniVersion: "1.1.0",
        name: NETWORK,
        plugins: [
          {
            type: "macvlan",
            mode: "bridge",
            ipam: { type: "interlay-ipam", pools: families.map((family) => `plugin-fixed-${family}`) },
          },
          { type: "interlay" },
        ],
      };
      DeferCleanup(() => execOnNode(context(), NODE, "rm", "-f", FILE));
      await cluster.exec(getWorkerName(cluster, NODE), ["tee", FILE], { stdin: JSON.stringify(conflist) });

      const name = "direct";
      const fixedIp = buildUnderlayAddresses(cluster.spec, RANGES.fixed, DIRECT).join(",");
      const labels = createPoolLabel("fixed");
      await createPluginPod(context(), { name, node: NODE, annotations: { "interlay.dev/ip": fixedIp }, labels });
      const { status, metadata } = await waitForPluginPod(context(), name);
      const addresses = (status?.podIPs ?? []).map(({ ip }) => ip);
      assert.deepEqual(addresses.map(getIpFamily), families);
      const clients = await Promise.all(
        [
          EXTERNAL,
          buildHostPodName(0),
          buildHostPodName(1),
          podName("overlay", 0, "a"),
          podName("underlay", 1, "a"),
        ].map((from) => deployment.getProber(from)),
      );
      const probes = clients.flatMap((from) =>
        addresses.flatMap((address) => PROTOCOLS.map((protocol) => ({ from, address, protocol, server: name }))),
      );
      assert.deepEqual(await findUnanswered(probes), []);

      const otherRecords = await listRecords();
      assert.ok(otherRecords.length > 1, "no other pod has a record");
      await By("an attachment of the same network that the runtime does not know", async () => {
        await execOnNode(context(), NODE, "ip", "netns", "add", STALE.name);
        DeferCleanup(() => cluster.exec(getWorkerName(cluster, NODE), ["ip", "netns", "delete", STALE.name]));
        const fixed = buildUnderlayAddresses(cluster.spec, RANGES.fixed, LAST).map((address) => ({
          address: `${address}/${address.includes(":") ? 64 : 16}`,
        }));
        const prevResult = await callPlugin(context(), "ADD", {
          type: "macvlan",
          mode: "bridge",
          ipam: { type: "static", addresses: fixed },
        });
        assert.ok(Array.isArray(prevResult["ips"]), JSON.stringify(prevResult));
        const added = await callPlugin(context(), "ADD", { type: "interlay", prevResult });
        assert.match(JSON.stringify(added["interfaces"]), /"veth0"/, JSON.stringify(added));
      });
      await By("the runtime's GC removes only this record", () =>
        Eventually("the records without the stale one", listRecords, (files) => files.join() === otherRecords.join(), {
          timeout: 60_000,
        }),
      );
      const route = await execOnNode(context(), NODE, "ip", "route", "show", "table", "all");
      for (const address of buildUnderlayAddresses(cluster.spec, RANGES.fixed, LAST))
        assert.ok(!route.includes(` ${address} `), route);
      assert.deepEqual(await findUnanswered(probes), [], "after GC");

      await By("the runtime calls STATUS too", () =>
        Eventually(
          "a STATUS of it in the log",
          () => readLog(context(), NODE),
          (calls) => calls.some(({ command, error }) => command === "STATUS" && error === undefined),
        ),
      );
      const node = await api.core.readNode({ name: getWorkerName(cluster, NODE) });
      assert.equal(
        node.status?.conditions?.find(({ type }) => type === "Ready")?.message,
        "the network's plugins can serve",
      );
      await deletePods(context(), [name]);
      const entries = (await readLog(context(), NODE)).filter(
        ({ pod, plugin }) => pod?.uid === metadata?.uid && plugin !== "interlay-ipam",
      );
      assert.deepEqual(
        entries.map(({ command, error }) => `${command}${error === undefined ? "" : `: ${error}`}`),
        ["ADD", "CHECK", "DEL"],
      );
    },
  );

  It("without the node's facts STATUS returns code 50 and ADD code 100, and nothing is created", async () => {
    const missingPaths = {
      INTERLAY_STATE_DIRECTORY: "/var/lib/interlay/nowhere",
      INTERLAY_CNI_SOCKET: "/var/lib/interlay/nowhere.sock",
    };
    assert.equal((await callPlugin(context(), "STATUS", { type: "interlay" }, missingPaths))["code"], 50);
    const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0", sandbox: STALE.netns }], ips: [] };
    assert.equal((await callPlugin(context(), "ADD", { type: "interlay", prevResult }, missingPaths))["code"], 100);
    assert.deepEqual(await callPlugin(context(), "STATUS", { type: "interlay" }), {});
  });

  const listRecords = async (): Promise<readonly string[]> =>
    (await execOnNode(context(), NODE, "ls", RECORDS))
      .split("\n")
      .filter((line) => line !== "")
      .sort();
}
