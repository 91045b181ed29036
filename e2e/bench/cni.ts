import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { buildInterlayExecutables } from "../../clusters/components/interlay.ts";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import { createPlainProgress } from "../../clusters/progress-plain.ts";
import { TestAgent } from "../../plugin/testing/agent.ts";
import {
  splitLines,
  execOrThrow,
  type PluginName,
  TestNet,
  type TestNode,
  type TestPod,
} from "../../plugin/testing/node.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { Runtime } from "./cni/runtime.ts";
import { roundToHundredth, median, percentile, roundToTenth } from "./statistics.ts";

const CALLS = 30;
const CROWD = 200;
const AT_ONCE = 20;
const KIB_PER_MIB = 1024;
/** Warm-up calls of each kind before those that are measured. */
const WARM_UP = 20;
const GATEWAY = "10.7.168.72";
const UNDERLAY = "underlay";
const MULTI_NIC = "multi-NIC";

/** How a call of `launcher` is executed: by the agent, or, without an agent, `interlay-full` is started. */
type ExecMode = "agent" | "standalone";

export const runCniBench: Bench = {
  name: "cni",
  about:
    "ADD, DEL and VERSION, answered by a warm agent and standalone, against the reference macvlan plugin; 200 ADDs 20 at a time; memory",
  takingPart: { components: ["cni-plugins"] },
  run: async (say) => {
    if (process.getuid?.() !== 0) throw new Error("network namespaces need root: run this as root.");
    const progress = createPlainProgress();
    await ensureDebianPackages(["iproute2", "nftables", "procps", "util-linux"], progress);
    const components = await resolveComponents([{ name: "cni-plugins", version: VERSIONS["cni-plugins"] }], progress);
    const { launcher, full } = await buildInterlayExecutables(progress);
    const net = new TestNet({ interlay: full, launcher, faulty: full, reference: components.path("cni-plugins") });
    const node = net.node("n1", "10.7.168.71");
    const agent = new TestAgent(node);
    const place = { net, node, runtime: new Runtime(node) };
    try {
      await agent.start(full);
      for (const type of [UNDERLAY, MULTI_NIC]) await rounds(place, type, "agent", WARM_UP);
      const figures: Measurement[] = [];
      const tell = (more: readonly Measurement[]): void => {
        for (const { name, value, unit } of more) say(`${name}: ${value} ${unit}`);
        figures.push(...more);
      };
      for (const mode of ["agent", "standalone"] as const) {
        if (mode === "standalone") await agent.kill("SIGTERM");
        tell(await version(place, mode));
        for (const type of [UNDERLAY, MULTI_NIC]) tell(await pairs(place, type, mode));
        tell(await crowd(place, mode));
        if (mode === "agent") tell([agentMemory(agent)]);
      }
      tell([memory(node)]);
      say(`${CALLS} calls of each, in turns; ${CROWD} ADDs, ${AT_ONCE} at a time; the agent's API server is away`);
      return figures;
    } finally {
      place.runtime.close();
      await agent.kill();
      net.close();
    }
  },
};

interface BenchPlace {
  readonly net: TestNet;
  readonly node: TestNode;
  /** On that node. */
  readonly runtime: Runtime;
}

/** Duration in ms; a call that fails ends the run, for its time says nothing. */
async function timed(
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

async function version(place: BenchPlace, mode: ExecMode): Promise<readonly Measurement[]> {
  const pod = place.net.pod(`v-${mode}`);
  const samples: Record<"launcher" | "macvlan", number[]> = { launcher: [], macvlan: [] };
  for (let call = 0; call < CALLS; call++)
    for (const plugin of ["launcher", "macvlan"] as const)
      samples[plugin].push((await timed(place, plugin, "VERSION", pod, "eth0", {})).milliseconds);
  const basis = `median of ${CALLS}, ${MODE_BASIS[mode]}`;
  return [
    { name: `VERSION, ${mode}`, value: roundToTenth(median(samples.launcher)), unit: "ms", limit: 10, basis },
    { name: `VERSION, macvlan next to ${mode}`, value: roundToTenth(median(samples.macvlan)), unit: "ms", basis },
  ];
}

/** `chrt -r 10 npm run bench -- cni` keeps other programs' work out of both plugins' times; the basis of the figures says so. */
const PRIORITY = /SCHED_(RR|FIFO)/.test(execOrThrow(["chrt", "-p", String(process.pid)])) ? ", real-time priority" : "";
const MODE_BASIS: Record<ExecMode, string> = {
  agent: `answered by a warm agent${PRIORITY}`,
  standalone: `no agent runs${PRIORITY}`,
};
/** The limits are those of a node as it is: with its agent. */
const LIMITS = { agent: { ADD: 0.6, DEL: 0.5 }, standalone: undefined } as const;

async function pairs(place: BenchPlace, type: string, mode: ExecMode): Promise<readonly Measurement[]> {
  const samples = await rounds(place, type, mode, CALLS);
  const basis = `median of ${CALLS}, ${MODE_BASIS[mode]}`;
  return (["ADD", "DEL"] as const).flatMap((verb): readonly Measurement[] => {
    const [ours, theirs] = [median(samples[`launcher ${verb}`] ?? []), median(samples[`macvlan ${verb}`] ?? [])];
    const limit = LIMITS[mode]?.[verb];
    const ratio = { value: roundToHundredth(ours / theirs), unit: "x", basis } as const;
    return [
      { name: `${verb} ${type}, ${mode}`, value: roundToTenth(ours), unit: "ms", basis },
      { name: `${verb} ${type}, macvlan next to ${mode}`, value: roundToTenth(theirs), unit: "ms", basis },
      { name: `${verb} ${type}, ${mode} / macvlan's`, ...ratio, ...(limit === undefined ? {} : { limit }) },
    ];
  });
}

/**
 * macvlan, then interlay behind it, then both gone, and the pod's namespace with them, as a runtime does it: again and
 * again, what disturbs one disturbs the other. What is left to do behind an answer is done before the next call is timed.
 */
async function rounds(
  place: BenchPlace,
  type: string,
  mode: ExecMode,
  calls: number,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const { net, node } = place;
  const ifname = type === UNDERLAY ? "eth0" : "net1";
  const macvlan = macvlanConfig("10.7.200.1", ifname);
  const samples: Record<string, number[]> = {};
  for (let call = 0; call < calls; call++) {
    const pod = net.pod(`${mode}-${ifname}-${calls}-${call}`);
    if (type === MULTI_NIC) net.overlay(node, pod, "10.233.64.5");
    const take = async (plugin: PluginName, command: string, config: object) => {
      const { milliseconds, json } = await timed(place, plugin, command, pod, ifname, { ...config });
      (samples[`${plugin} ${command}`] ??= []).push(milliseconds);
      return json;
    };
    const prevResult = await take("macvlan", "ADD", macvlan);
    await take("launcher", "ADD", { prevResult });
    await take("launcher", "DEL", {});
    await take("macvlan", "DEL", macvlan);
    net.removePod(pod);
    await settled(node);
  }
  checkMode(node, mode, calls);
  return samples;
}

const SETTLE_MS = 60;

/** What the last pod left is gone: links in the kernel's own time, the record with the agent's next pass. */
async function settled(node: TestNode): Promise<void> {
  const pending = join(node.stateDirectory, "pending-teardown");
  for (;;) {
    await sleep(SETTLE_MS);
    const links = splitLines(execOrThrow(["ip", "-n", node.name, "-o", "link"])).filter(
      (line) => !/ (lo|eth0)(@|:)/.test(line),
    );
    if (links.length === 0 && (await readdir(pending).catch(() => [])).length === 0) return;
  }
}

interface LogLine {
  readonly command?: string;
  readonly mode: ExecMode;
  readonly peakMemoryKiB?: number;
}

function logOf(node: TestNode): readonly LogLine[] {
  return readFileSync(join(node.stateDirectory, "cni.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LogLine);
}

/** Throws if a call was executed in another mode than the one that is measured. */
function checkMode(node: TestNode, mode: ExecMode, calls: number): void {
  const other = logOf(node)
    .slice(-2 * calls)
    .filter((line) => line.mode !== mode);
  if (other.length > 0)
    throw new Error(`${other.length} of ${2 * calls} calls that were measured as "${mode}" were not`);
}

async function crowd({ net, node, runtime }: BenchPlace, mode: ExecMode): Promise<readonly Measurement[]> {
  const pods = Array.from({ length: CROWD }, (_, index) => {
    const pod = net.pod(`c${index}-${mode}`);
    const address = `10.7.201.${index + 1}/16`;
    return { pod, prevResult: net.macvlan(node, pod, "eth0", [{ address, gateway: GATEWAY }]) };
  });
  const samples: number[] = [];
  let failures = 0;
  await atOnce(pods, async ({ pod, prevResult }) => {
    const call = net.invocation("launcher", "ADD", node, pod, "eth0", { prevResult });
    const { status, milliseconds } = await runtime.call(call);
    if (status !== 0) failures++;
    samples.push(milliseconds);
  });
  checkMode(node, mode, CROWD / 2);
  await atOnce(pods, async ({ pod }) => {
    await runtime.call(net.invocation("launcher", "DEL", node, pod, "eth0", {}));
  });
  for (const { pod } of pods) net.removePod(pod);
  await settled(node);
  const basis = `${CROWD} ADDs, ${AT_ONCE} at a time, ${MODE_BASIS[mode]}`;
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return [
    { name: `ADDs at once that failed, ${mode}`, value: failures, unit: "failures", limit: 0, basis },
    { name: `ADDs at once, p50, ${mode}`, value: roundToTenth(p50), unit: "ms", basis },
    { name: `ADDs at once, p99, ${mode}`, value: roundToTenth(p99), unit: "ms", basis },
    { name: `ADDs at once, p99 / p50, ${mode}`, value: roundToHundredth(p99 / p50), unit: "x", limit: 5, basis },
  ];
}

async function atOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The most that any call of this run had in a process of its own, by what each writes into its log line. */
function memory(node: TestNode): Measurement {
  const peaks = logOf(node).flatMap(({ peakMemoryKiB }) => (peakMemoryKiB === undefined ? [] : [peakMemoryKiB]));
  const most = roundToTenth(percentile(peaks, 1) / KIB_PER_MIB);
  const basis = `VmHWM, most of ${peaks.length} calls`;
  return { name: "peak memory of a call, standalone", value: most, unit: "MiB", limit: 80, basis };
}

/** The agent's own, for comparison: it is there anyway. */
function agentMemory({ pid }: TestAgent): Measurement {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  const basis = "VmRSS after the calls of this run; its API server is away";
  return { name: "memory of the agent", value: roundToTenth(Number(kibibytes) / KIB_PER_MIB), unit: "MiB", basis };
}

function macvlanConfig(address: string, ifname: string): Readonly<Record<string, unknown>> {
  const routes = ifname === "eth0" ? [{ dst: "0.0.0.0/0", gw: GATEWAY }] : [];
  return {
    master: "eth0",
    mode: "bridge",
    ipam: { type: "static", addresses: [{ address: `${address}/16`, gateway: GATEWAY }], routes },
  };
}
