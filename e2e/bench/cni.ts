import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../clusters/components/interlay-executables.ts";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { TestAgent } from "../../plugin/testing/test-agent.ts";
import { TestNet } from "../../plugin/testing/node.ts";
import { splitLines } from "../../plugin/testing/restorable-state.ts";
import type { PluginName, TestNode, TestPod } from "../../plugin/testing/invocation.ts";
import { execLocally } from "../../plugin/testing/exec.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { type CallMode, KIB_PER_MIB, measureMemory, requireMode } from "./cni/call-measurements.ts";
import { Runtime } from "./cni/runtime.ts";
import pLimit from "p-limit";
import { roundToHundredth, median, computePercentile, roundToTenth } from "./measurement/statistics.ts";

const CALLS = 30;
const PARALLEL_ADDS = 200;
const PARALLEL = 20;
/** Warm-up calls of each kind before those that are measured. */
const WARM_UP = 20;
const GATEWAY = "10.7.168.72";
const UNDERLAY = "underlay";
const MULTI_NIC = "multi-NIC";

export const runCniBench: Bench = {
  name: "cni",
  description:
    "ADD, DEL and VERSION with a warm agent and standalone, compared with the reference macvlan plugin; 200 ADDs, 20 at a time; memory",
  parts: { components: ["cni-plugins"] },
  run: async (print) => {
    if (process.getuid?.() !== 0) throw new Error("network namespaces need root: run this as root");
    const progress = createPlainProgress();
    await ensureDebianPackages(["iproute2", "nftables", "procps", "util-linux"], progress);
    const components = await resolveComponents([{ name: "cni-plugins", version: VERSIONS["cni-plugins"] }], progress);
    const { launcher, full } = await buildInterlayExecutables(progress);
    const net = new TestNet({
      interlay: full,
      launcher,
      faulty: full,
      reference: components.path("cni-plugins"),
    }).open();
    const node = net.node("n1", "10.7.168.71");
    const agent = new TestAgent(node);
    const testPlace = { net, node, runtime: new Runtime(node) };
    try {
      await agent.start(full);
      for (const type of [UNDERLAY, MULTI_NIC]) await callInTurns(testPlace, type, "agent", WARM_UP);
      const measurements: Measurement[] = [];
      const report = (rows: readonly Measurement[]): void => {
        for (const { name, value, unit } of rows) print(`${name}: ${value} ${unit}`);
        measurements.push(...rows);
      };
      for (const mode of ["agent", "standalone"] as const) {
        if (mode === "standalone") await agent.kill("SIGTERM");
        report(await measureVersion(testPlace, mode));
        for (const type of [UNDERLAY, MULTI_NIC]) report(await measureAddAndDel(testPlace, type, mode));
        report(await measureParallelAdds(testPlace, mode));
        if (mode === "agent") report([measureAgentMemory(agent)]);
      }
      report([measureMemory(node)]);
      print(
        `${CALLS} calls of each, alternately; ${PARALLEL_ADDS} ADDs, ${PARALLEL} at a time; the agent has no API server`,
      );
      return measurements;
    } finally {
      testPlace.runtime.close();
      await agent.kill();
      net.close();
    }
  },
};

interface BenchPlace {
  readonly net: TestNet;
  readonly node: TestNode;
  /** Starts plugins on that node. */
  readonly runtime: Runtime;
}

/** Calls a plugin and measures the duration in ms. @throws if the call fails, because its duration has no meaning */
async function callPlugin(
  { net, node, runtime }: BenchPlace,
  plugin: PluginName,
  command: string,
  pod: TestPod,
  ifname: string,
  config: Readonly<Record<string, unknown>>,
): Promise<{ readonly milliseconds: number; readonly json: Readonly<Record<string, unknown>> }> {
  const { milliseconds, status, stdout } = await runtime.call(
    net.invocation(plugin, command, node, pod, ifname, config),
  );
  if (status !== 0) throw new Error(`${plugin} ${command} ended with ${status}: ${stdout}`);
  const json: unknown = stdout.trim() === "" ? {} : JSON.parse(stdout);
  return { milliseconds, json: json as Record<string, unknown> };
}

async function measureVersion(place: BenchPlace, mode: CallMode): Promise<readonly Measurement[]> {
  const pod = place.net.pod(`v-${mode}`);
  const samples: Record<"launcher" | "macvlan", number[]> = { launcher: [], macvlan: [] };
  for (let call = 0; call < CALLS; call++)
    for (const plugin of ["launcher", "macvlan"] as const)
      samples[plugin].push((await callPlugin(place, plugin, "VERSION", pod, "eth0", {})).milliseconds);
  const basis = `median of ${CALLS}, ${MODE_BASIS[mode]}`;
  return [
    { name: `VERSION, ${mode}`, value: roundToTenth(median(samples.launcher)), unit: "ms", limit: 10, basis },
    { name: `VERSION, macvlan with ${mode}`, value: roundToTenth(median(samples.macvlan)), unit: "ms", basis },
  ];
}

/** With `chrt -r 10 npm run bench -- cni`, other programs do not disturb the measurements; their basis names the priority. */
const PRIORITY = /SCHED_(RR|FIFO)/.test(execLocally(["chrt", "-p", String(process.pid)])) ? ", real-time priority" : "";
const MODE_BASIS: Record<CallMode, string> = {
  agent: `answered by a warm agent${PRIORITY}`,
  standalone: `no agent runs${PRIORITY}`,
};
/** Limits apply with an agent, as on a normal node. */
const LIMITS = { agent: { ADD: 0.6, DEL: 0.5 }, standalone: undefined } as const;

async function measureAddAndDel(place: BenchPlace, type: string, mode: CallMode): Promise<readonly Measurement[]> {
  const samples = await callInTurns(place, type, mode, CALLS);
  const basis = `median of ${CALLS}, ${MODE_BASIS[mode]}`;
  return (["ADD", "DEL"] as const).flatMap((verb): readonly Measurement[] => {
    const [interlayMs, macvlanMs] = [
      median(samples[`launcher ${verb}`] ?? []),
      median(samples[`macvlan ${verb}`] ?? []),
    ];
    const limit = LIMITS[mode]?.[verb];
    const ratio = { value: roundToHundredth(interlayMs / macvlanMs), unit: "x", basis } as const;
    return [
      { name: `${verb} ${type}, ${mode}`, value: roundToTenth(interlayMs), unit: "ms", basis },
      { name: `${verb} ${type}, macvlan with ${mode}`, value: roundToTenth(macvlanMs), unit: "ms", basis },
      { name: `${verb} ${type}, ${mode} / macvlan`, ...ratio, ...(limit === undefined ? {} : { limit }) },
    ];
  });
}

/**
 * Calls macvlan ADD, interlay ADD, interlay DEL and macvlan DEL as a container runtime does, repeatedly, so that disturbances
 * affect both. Waits for the deferred work of a call before the next one.
 */
async function callInTurns(
  place: BenchPlace,
  type: string,
  mode: CallMode,
  calls: number,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const { net, node } = place;
  const ifname = type === UNDERLAY ? "eth0" : "net1";
  const macvlan = createMacvlanConfig("10.7.200.1", ifname);
  const samples: Record<string, number[]> = {};
  for (let call = 0; call < calls; call++) {
    const pod = net.pod(`${mode}-${ifname}-${calls}-${call}`);
    if (type === MULTI_NIC) net.overlay(node, pod, "10.233.64.5");
    const callAndSample = async (plugin: PluginName, command: string, config: object) => {
      const { milliseconds, json } = await callPlugin(place, plugin, command, pod, ifname, { ...config });
      (samples[`${plugin} ${command}`] ??= []).push(milliseconds);
      return json;
    };
    const prevResult = await callAndSample("macvlan", "ADD", macvlan);
    await callAndSample("launcher", "ADD", { prevResult });
    await callAndSample("launcher", "DEL", {});
    await callAndSample("macvlan", "DEL", macvlan);
    net.removePod(pod);
    await waitUntilClean(node);
  }
  requireMode(node, mode, calls);
  return samples;
}

const SETTLE_MS = 60;

/** Waits until the last pod's links and its teardown record are removed. */
async function waitUntilClean(node: TestNode): Promise<void> {
  const pending = join(node.stateDirectory, "pending-teardown");
  for (;;) {
    await sleep(SETTLE_MS);
    const links = splitLines(execLocally(["ip", "-n", node.name, "-o", "link"])).filter(
      (line) => !/ (lo|eth0)(@|:)/.test(line),
    );
    if (links.length === 0 && (await readdir(pending).catch(() => [])).length === 0) return;
  }
}

async function measureParallelAdds(
  { net, node, runtime }: BenchPlace,
  mode: CallMode,
): Promise<readonly Measurement[]> {
  const pods = Array.from({ length: PARALLEL_ADDS }, (_, index) => {
    const pod = net.pod(`c${index}-${mode}`);
    const address = `10.7.201.${index + 1}/16`;
    return { pod, prevResult: net.macvlan(node, pod, "eth0", [{ address, gateway: GATEWAY }]) };
  });
  const samples: number[] = [];
  let failures = 0;
  await pLimit(PARALLEL).map(pods, async ({ pod, prevResult }) => {
    const call = net.invocation("launcher", "ADD", node, pod, "eth0", { prevResult });
    const { status, milliseconds } = await runtime.call(call);
    if (status !== 0) failures++;
    samples.push(milliseconds);
  });
  requireMode(node, mode, PARALLEL_ADDS / 2);
  await pLimit(PARALLEL).map(pods, async ({ pod }) => {
    await runtime.call(net.invocation("launcher", "DEL", node, pod, "eth0", {}));
  });
  for (const { pod } of pods) net.removePod(pod);
  await waitUntilClean(node);
  const basis = `${PARALLEL_ADDS} ADDs, ${PARALLEL} at a time, ${MODE_BASIS[mode]}`;
  const [p50, p99] = [computePercentile(samples, 0.5), computePercentile(samples, 0.99)];
  return [
    { name: `ADDs at once that failed, ${mode}`, value: failures, unit: "failures", limit: 0, basis },
    { name: `ADDs at once, p50, ${mode}`, value: roundToTenth(p50), unit: "ms", basis },
    { name: `ADDs at once, p99, ${mode}`, value: roundToTenth(p99), unit: "ms", basis },
    { name: `ADDs at once, p99 / p50, ${mode}`, value: roundToHundredth(p99 / p50), unit: "x", limit: 5, basis },
  ];
}

/** Returns the agent's memory for comparison. */
function measureAgentMemory({ pid }: TestAgent): Measurement {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  const basis = "VmRSS after the calls of this run, without an API server";
  return { name: "memory of the agent", value: roundToTenth(Number(kibibytes) / KIB_PER_MIB), unit: "MiB", basis };
}

function createMacvlanConfig(address: string, ifname: string): Readonly<Record<string, unknown>> {
  const routes = ifname === "eth0" ? [{ dst: "0.0.0.0/0", gw: GATEWAY }] : [];
  return {
    master: "eth0",
    mode: "bridge",
    ipam: { type: "static", addresses: [{ address: `${address}/16`, gateway: GATEWAY }], routes },
  };
}
