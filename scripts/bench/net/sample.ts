import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider.ts";
import { must } from "../../../e2e/agent-process.ts";
import { Eventually } from "../../../e2e/harness.ts";
import type { Place } from "./pods.ts";

export const IPERF_PORT = 5201;

/** What was taken of a way in one state. */
export interface Sample {
  /** Gbit/s of one TCP connection, a short transfer each. */
  readonly throughput: readonly number[];
  /** Microseconds: median of half a round trip of 14 bytes over TCP, of each set of connections. */
  readonly p50: readonly number[];
}

/**
 * Who asks and who answers share the last processor, before all else that would run there. On two, half of a round trip is
 * a virtual machine's processor that wakes up: 26 µs here, of which two runs of the same were 5 % apart; on one it is 7 µs
 * of work alone, within 0.3 %.
 */
export const ONE_PROCESSOR = ["chrt", "--rr", "20", "taskset", "--cpu-list", String(availableParallelism() - 1)];

/** Some tens of milliseconds: a connection is faster or slower than the next, so many tell more than long ones. */
const BYTES = "128M";
/** With a window that the kernel finds, two runs of the same are 16 or 32 Gbit/s. */
const WINDOW = "1M";
const transferred = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });

/** Gbit/s. cubic: a sender that paces itself (bbr) measures its own pace. */
export async function transfer(cluster: Cluster, from: Place, address: string): Promise<number> {
  const said = await must(cluster, from.node, [
    ...["nsenter", `--net=${from.netns}`, "--", ...ONE_PROCESSOR, "iperf3", "--client", address],
    ...["--port", String(IPERF_PORT), "--bind", from.address],
    ...["--bytes", BYTES, "--window", WINDOW, "--congestion", "cubic", "--connect-timeout", "3000", "--json"],
  ]);
  return transferred.parse(JSON.parse(said)).end.sum_received.bits_per_second / 1e9;
}

/** Before its questions count, sockperf waits for 2 s, says that it starts, and warms up. Milliseconds. */
const WARM_UP = 500;
/** How long one turn is. Milliseconds. */
const TURN = 100;
/** Seconds that a client may live: longer than its turns, and it reserves memory for each question that might be. */
const LIFE = 60;

/** A connection of its own by which questions are asked, while it is its turn and at no other time. */
export class Questions {
  readonly #cluster: Cluster;
  readonly #node: string;
  /** Its pidfile and what it said, on its node, without their endings. */
  readonly #file: string;

  private constructor(cluster: Cluster, node: string, file: string) {
    this.#cluster = cluster;
    this.#node = node;
    this.#file = file;
  }

  /** Connected and warm, and held. A daemon: a stopped program holds the nsenter that waits for it, too. */
  static async begin(cluster: Cluster, from: Place, address: string, port: number): Promise<Questions> {
    const questions = new Questions(cluster, from.node, `/run/questions-${from.address}-${address}-${port}`);
    await must(cluster, from.node, [
      ...["start-stop-daemon", "--start", "--background", "--make-pidfile", "--pidfile", `${questions.#file}.pid`],
      ...["--output", `${questions.#file}.said`, "--startas", "/usr/bin/nsenter", "--", `--net=${from.netns}`, "--"],
      ...[...ONE_PROCESSOR, "stdbuf", "--output=L", "sockperf", "ping-pong", "--tcp"],
      ...["-i", address, "-p", String(port), "--client_ip", from.address, "-t", String(LIFE)],
    ]);
    await Eventually("sockperf starts", questions.#said, (said) => said.includes("Starting test"));
    await sleep(WARM_UP);
    await questions.#signal("STOP");
    return questions;
  }

  async turn(): Promise<void> {
    await this.#signal("CONT");
    await sleep(TURN);
    await this.#signal("STOP");
  }

  /** @returns the median, in microseconds */
  async end(): Promise<number> {
    await this.#signal("INT");
    await this.#signal("CONT");
    const p50 = await Eventually("sockperf's median", async () => medianOf(await this.#said()), Number.isFinite);
    await must(this.#cluster, this.#node, ["rm", `${this.#file}.pid`, `${this.#file}.said`]);
    return p50;
  }

  readonly #said = (): Promise<string> => must(this.#cluster, this.#node, ["cat", `${this.#file}.said`]);

  #signal(signal: "STOP" | "CONT" | "INT"): Promise<string> {
    return must(this.#cluster, this.#node, [
      ...["start-stop-daemon", "--stop", "--signal", signal, "--pidfile", `${this.#file}.pid`],
    ]);
  }
}

/** `sockperf: ---> percentile 50.000 =    2.409`, in microseconds. Throws on what has none. */
export function medianOf(said: string): number {
  const found = /percentile 50\.000 =\s*([\d.]+)/.exec(said)?.[1];
  if (found === undefined) throw new Error(`sockperf says no median: ${said.trim().split("\n").at(-1) ?? ""}`);
  return Number(found);
}
