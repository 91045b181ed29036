import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { ClusterApi } from "../../support/cluster-api.ts";
import { reserveTokens } from "../../deployment/run-cells.ts";
import { formatToken } from "../../probe/protocol.ts";
import { Prober } from "../../support/prober.ts";
import { SCALE_NAMESPACE } from "./scale-pods.ts";
import pLimit from "p-limit";
import type { ScaleProbe } from "./probes.ts";
import { describeCapture } from "./captures.ts";

const CLIENT = ["/usr/local/bin/probe", "client"];
const TIMEOUT_MS = 5000;
/** Parallel probes; with two processors, more would delay each other and look like network errors. */
const PARALLEL = 6;
/** Pauses before the second and the third attempt, after which a temporary load is over. */
const PAUSES_MS = [5000, 20_000] as const;
/** Number of failed cells whose packets are captured. */
const CAPTURED_PROBES = 12;

interface ProbeResults {
  /** Number of probes that passed at first. */
  readonly first: number;
  /** Probes that passed later, with their first error. */
  readonly later: readonly string[];
  /** Probes that never passed, with their error and where the packets were captured. */
  readonly never: readonly string[];
}

interface UnansweredProbe {
  readonly probe: ScaleProbe;
  readonly problem: string;
}

/** Runs every probe; failed ones again after a pause, and a third time with captures. */
export async function probeAll(
  cluster: Cluster,
  api: ClusterApi,
  probes: readonly ScaleProbe[],
  print: (line: string) => void,
): Promise<ProbeResults> {
  const probers = await attachAll(api, probes);
  try {
    let unanswered = await probeEach(probers, probes);
    const first = probes.length - unanswered.length;
    const later: string[] = [];
    const recordPassed = (before: readonly UnansweredProbe[], after: readonly UnansweredProbe[]): void => {
      const stillUnanswered = new Set(after.map(({ probe }) => probe));
      for (const { probe, problem } of before)
        if (!stillUnanswered.has(probe)) later.push(`${probe.text}: passed later; first error: ${problem}`);
    };
    if (unanswered.length > 0) {
      print(`${unanswered.length} of ${probes.length} probes failed; trying again`);
      await sleep(PAUSES_MS[0]);
      const failed = await probeEach(
        probers,
        unanswered.map(({ probe }) => probe),
      );
      recordPassed(unanswered, failed);
      unanswered = failed;
    }
    if (unanswered.length > 0) {
      print(`${unanswered.length} failed the second time; trying again, one by one`);
      await sleep(PAUSES_MS[1]);
      const lastUnanswered: UnansweredProbe[] = [];
      for (const { probe } of unanswered) {
        const isCaptured = lastUnanswered.length < CAPTURED_PROBES;
        const problem = isCaptured
          ? await describeCapture(cluster, probe, (token) => probeCell(probers, probe, token))
          : await probeCell(probers, probe, formatToken(reserveTokens(1)));
        if (problem !== undefined) lastUnanswered.push({ probe, problem });
      }
      recordPassed(unanswered, lastUnanswered);
      unanswered = lastUnanswered;
    }
    return { first, later, never: unanswered.map(({ probe, problem }) => `${probe.text}: ${problem}`) };
  } finally {
    await Promise.all([...probers.values()].map((prober) => prober.close()));
  }
}

type Probers = ReadonlyMap<string, Prober>;

/** Starts a client in each source pod before the first probe, because starting them takes CPU time. */
async function attachAll(api: ClusterApi, probes: readonly ScaleProbe[]): Promise<Probers> {
  const probers = new Map<string, Prober>();
  const names = [...new Set(probes.map(({ source }) => source.name))];
  await pLimit(PARALLEL).map(names, async (name) => {
    probers.set(name, await new Prober(name, await api.attach(SCALE_NAMESPACE, name, CLIENT)).waitUntilStarted());
  });
  return probers;
}

async function probeEach(probers: Probers, probes: readonly ScaleProbe[]): Promise<readonly UnansweredProbe[]> {
  const unanswered: UnansweredProbe[] = [];
  const token = reserveTokens(probes.length);
  await pLimit(PARALLEL).map([...probes.entries()], async ([index, probe]) => {
    const problem = await probeCell(probers, probe, formatToken(token + index));
    if (problem !== undefined) unanswered.push({ probe, problem });
  });
  return unanswered;
}

/** Runs a probe. @returns the problem; undefined if it passed */
async function probeCell(probers: Probers, probe: ScaleProbe, token: string): Promise<string | undefined> {
  const { source, protocol, address, port, servers } = probe;
  const prober = probers.get(source.name);
  if (prober === undefined) throw new Error(`no prober in ${source.name}`);
  const answer = await prober.probe({ protocol, address, port, token, timeoutMs: TIMEOUT_MS });
  if (!answer.ok) return answer.error ?? "no answer";
  if (protocol === "icmp" || servers.has(answer.server ?? "")) return undefined;
  return `answered by ${answer.server ?? "nobody"}`;
}
