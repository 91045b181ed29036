import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { plainProgress } from "../../clusters/progress-plain.ts";
import { buildInterlay } from "../../plugin/deploy/build.ts";
import { type PluginName, TestNet, type TestNode, type TestPod } from "../../plugin/testing/node.ts";
import type { Bench, Figure } from "./figure.ts";
import { invoke } from "./invoke.ts";
import { hundredth, median, percentile, tenth } from "./statistics.ts";

const CALLS = 40;
const CROWD = 200;
const AT_ONCE = 20;
const KIB_PER_MIB = 1024;

export const cniBench: Bench = {
  name: "cni",
  about: "ADD, DEL and VERSION against the reference macvlan plugin, 200 ADDs 20 at a time, memory",
  run: async (say) => {
    if (process.getuid?.() !== 0) throw new Error("network namespaces need root: run this as root.");
    const progress = plainProgress();
    await ensureDebianPackages(["iproute2", "nftables", "procps", "util-linux"], progress);
    const components = await resolveComponents([{ name: "cni-plugins", version: VERSIONS["cni-plugins"] }], progress);
    const { door, whole } = await buildInterlay();
    const net = new TestNet({ interlay: whole, door, faulty: whole, reference: components.path("cni-plugins") });
    try {
      const node = net.node("n1", "10.7.168.71");
      const figures = [
        ...(await version(net, node, net.pod("v"))),
        ...(await pairs(net, node, "underlay", net.pod("u"))),
        ...(await pairs(net, node, "multi-NIC", net.pod("m"))),
        ...(await crowd(net, node)),
      ];
      say(`${CALLS} calls of each, in turns; ${CROWD} ADDs, ${AT_ONCE} at a time`);
      return [...figures, memory(node)];
    } finally {
      net.close();
    }
  },
};

/** Duration in ms; a call that fails ends the run, for its time says nothing. */
async function timed(
  net: TestNet,
  ...[plugin, command, node, ...rest]: Parameters<TestNet["invocation"]>
): Promise<{ readonly milliseconds: number; readonly json: Readonly<Record<string, unknown>> }> {
  const inNode = command === "VERSION" ? undefined : node;
  const { milliseconds, status, stdout } = await invoke(net.invocation(plugin, command, node, ...rest), inNode);
  if (status !== 0) throw new Error(`${plugin} ${command} ended with ${status}: ${stdout}`);
  const json: unknown = stdout.trim() === "" ? {} : JSON.parse(stdout);
  return { milliseconds, json: json as Record<string, unknown> };
}

async function version(net: TestNet, node: TestNode, pod: TestPod): Promise<readonly Figure[]> {
  const samples: Record<"interlay" | "macvlan", number[]> = { interlay: [], macvlan: [] };
  for (let call = 0; call < CALLS; call++)
    for (const plugin of ["interlay", "macvlan"] as const)
      samples[plugin].push((await timed(net, plugin, "VERSION", node, pod, "eth0", {})).milliseconds);
  return [
    { name: "VERSION", value: tenth(median(samples.interlay)), unit: "ms", limit: 10, basis: `median of ${CALLS}` },
    { name: "VERSION, macvlan", value: tenth(median(samples.macvlan)), unit: "ms", basis: `median of ${CALLS}` },
  ];
}

/** macvlan, then interlay behind it, then both gone, again and again: what disturbs one disturbs the other. */
async function pairs(net: TestNet, node: TestNode, type: string, pod: TestPod): Promise<readonly Figure[]> {
  const ifname = type === "underlay" ? "eth0" : "net1";
  if (type === "multi-NIC") net.overlay(node, pod, "10.233.64.5");
  const macvlan = macvlanConfig("10.7.200.1", ifname);
  const samples = { add: [] as number[], del: [] as number[], macvlanAdd: [] as number[], macvlanDel: [] as number[] };
  const take = async (into: number[], plugin: PluginName, command: string, config: object) => {
    const { milliseconds, json } = await timed(net, plugin, command, node, pod, ifname, { ...config });
    into.push(milliseconds);
    return json;
  };
  for (let call = 0; call < CALLS; call++) {
    const prevResult = await take(samples.macvlanAdd, "macvlan", "ADD", macvlan);
    await take(samples.add, "interlay", "ADD", { prevResult });
    await take(samples.del, "interlay", "DEL", {});
    await take(samples.macvlanDel, "macvlan", "DEL", macvlan);
  }
  const [add, del, addOf, delOf] = [samples.add, samples.del, samples.macvlanAdd, samples.macvlanDel].map(median);
  const basis = `median of ${CALLS}`;
  const line = (name: string, ours = 0, theirs = 0, limit = 0): readonly Figure[] => [
    { name: `${name} ${type}`, value: tenth(ours), unit: "ms", basis },
    { name: `${name} ${type}, macvlan`, value: tenth(theirs), unit: "ms", basis },
    { name: `${name} ${type} / macvlan's`, value: hundredth(ours / theirs), unit: "x", limit, basis },
  ];
  return [...line("ADD", add, addOf, 0.6), ...line("DEL", del, delOf, 0.5)];
}

async function crowd(net: TestNet, node: TestNode): Promise<readonly Figure[]> {
  const pods = Array.from({ length: CROWD }, (_, index) => {
    const pod = net.pod(`c${index}`);
    const address = `10.7.201.${index + 1}/16`;
    return { pod, prevResult: net.macvlan(node, pod, "eth0", [{ address, gateway: "10.7.168.72" }]) };
  });
  const waiting = [...pods];
  const samples: number[] = [];
  let failures = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { pod, prevResult } = next;
      const { status, milliseconds } = await invoke(
        net.invocation("interlay", "ADD", node, pod, "eth0", { prevResult }),
        node,
      );
      if (status !== 0) failures++;
      samples.push(milliseconds);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const basis = `${CROWD} ADDs, ${AT_ONCE} at a time`;
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return [
    { name: "ADDs at once that failed", value: failures, unit: "failures", limit: 0, basis },
    { name: "ADDs at once, p50", value: tenth(p50), unit: "ms", basis },
    { name: "ADDs at once, p99", value: tenth(p99), unit: "ms", basis },
    { name: "ADDs at once, p99 / p50", value: hundredth(p99 / p50), unit: "x", limit: 5, basis },
  ];
}

/** The most that any call of this run had, by what each writes into its log line. */
function memory(node: TestNode): Figure {
  const peaks = readFileSync(join(node.stateDirectory, "cni.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { peakMemoryKiB?: number }).peakMemoryKiB)
    .filter((peak) => peak !== undefined);
  const most = tenth(percentile(peaks, 1) / KIB_PER_MIB);
  return { name: "peak memory", value: most, unit: "MiB", limit: 80, basis: `VmHWM, most of ${peaks.length} calls` };
}

function macvlanConfig(address: string, ifname: string): Readonly<Record<string, unknown>> {
  const gateway = "10.7.168.72";
  const routes = ifname === "eth0" ? [{ dst: "0.0.0.0/0", gw: gateway }] : [];
  return {
    master: "eth0",
    mode: "bridge",
    ipam: { type: "static", addresses: [{ address: `${address}/16`, gateway }], routes },
  };
}
