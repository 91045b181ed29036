import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider.ts";
import { must } from "../../../e2e/agent-process.ts";
import type { Place } from "./pods.ts";

export const IPERF_PORT = 5201;
export const SOCKPERF_PORT = 11111;

/** What one look at a way gives. */
export interface Sample {
  /** Gbit/s of one TCP connection, each of a short transfer. */
  readonly throughput: readonly number[];
  /** Microseconds: median of half a round trip of 14 bytes over TCP. */
  readonly p50: number;
}

/** sockperf's client connects, waits for 2 s and only then asks: meanwhile there is time for transfers. Milliseconds. */
const BEFORE_QUESTIONS = { connected: 400, lastTransfer: 1300 } as const;
/** Some hundred milliseconds on two cores. */
const BYTES = "128M";

const transferred = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });

/** Transfers, then questions and answers for a second, from a pod to an address. */
export async function sample(cluster: Cluster, from: Place, address: string): Promise<Sample> {
  const inPod = ["nsenter", `--net=${from.netns}`, "--"];
  const started = performance.now();
  const asked = must(cluster, from.node, [
    ...[...inPod, "sockperf", "ping-pong", "--tcp", "-i", address, "-p", String(SOCKPERF_PORT), "-t", "1"],
    ...(from.address === "" ? [] : ["--client_ip", from.address]),
  ]);
  asked.catch(() => undefined); // told below, not while a transfer is waited for
  await sleep(BEFORE_QUESTIONS.connected);
  const throughput: number[] = [];
  do throughput.push(await transfer(cluster, from, inPod, address));
  while (performance.now() - started < BEFORE_QUESTIONS.lastTransfer);
  return { throughput, p50: medianOf(await asked) };
}

/** cubic everywhere: a sender that paces itself (bbr) measures its own pace. */
async function transfer(cluster: Cluster, from: Place, inPod: readonly string[], address: string): Promise<number> {
  const said = await must(cluster, from.node, [
    ...[...inPod, "iperf3", "--client", address, "--port", String(IPERF_PORT), "--bind", from.address],
    ...["--bytes", BYTES, "--congestion", "cubic", "--connect-timeout", "3000", "--json"],
  ]);
  return transferred.parse(JSON.parse(said)).end.sum_received.bits_per_second / 1e9;
}

/** `sockperf: ---> percentile 50.000 =    2.409`, in microseconds. Throws on what has none. */
export function medianOf(said: string): number {
  const found = /percentile 50\.000 =\s*([\d.]+)/.exec(said)?.[1];
  if (found === undefined) throw new Error(`sockperf says no median: ${said.trim().split("\n").at(-1) ?? ""}`);
  return Number(found);
}
