import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";
import { Eventually } from "../../harness.ts";
import { median } from "../measurement/statistics.ts";
import { LinkCounter, type SentTraffic } from "./link-counter.ts";
import { type BenchPod, IPERF_PORT, SOCKPERF_PORT } from "./bench-pod.ts";
import { ON_LAST_CPU } from "./cpu-pinning.ts";

/** Duration of a turn and of each of its samples. */
const TURN_MS = 100;
const SAMPLE_MS = 3;
/** Packets after which the measurement starts; sockperf warms up before. */
const STARTED_PACKETS = 20_000;
/** Lifetime of a client, longer than its turns: sockperf reserves memory for each possible request. */
const CLIENT_SECONDS = "90";

interface FlowKind {
  readonly name: "stream" | "questions";
  readonly argv: (from: string, to: string) => readonly string[];
  /** Computes the value of a sample from the sent traffic. */
  readonly value: (sent: SentTraffic) => number;
}

/** A connection at full speed, in microseconds per megabit. Uses cubic, because bbr would measure its own pacing. */
const STREAM: FlowKind = {
  name: "stream",
  argv: (from, to) => [
    "iperf3",
    "--client",
    to,
    "--port",
    String(IPERF_PORT),
    "--bind",
    from,
    "--time",
    CLIENT_SECONDS,
    "--congestion",
    "cubic",
    "--connect-timeout",
    "3000",
  ],
  value: ({ bytes, nanoseconds }) => (1000 * nanoseconds) / (8 * bytes),
};

/** Requests of 14 bytes, one packet each, after the previous response; half the round-trip time in microseconds. */
const REQUESTS: FlowKind = {
  name: "questions",
  argv: (from, to) => [
    "sockperf",
    "ping-pong",
    "--tcp",
    "-i",
    to,
    "-p",
    String(SOCKPERF_PORT),
    "--client_ip",
    from,
    "-t",
    CLIENT_SECONDS,
  ],
  value: ({ packets, nanoseconds }) => nanoseconds / packets / 2000,
};

export const FLOWS = [STREAM, REQUESTS] as const;

/** A TCP connection, used for every state: connections between the same pods differ in speed by up to 5 %. */
export class Flow {
  readonly #cluster: Cluster;
  readonly #kind: FlowKind;
  readonly #node: string;
  readonly #pidfile: string;
  readonly #counter: LinkCounter;

  private constructor(cluster: Cluster, kind: FlowKind, { node, address }: BenchPod, counter: LinkCounter) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#node = node;
    this.#pidfile = `/run/${kind.name}-${address}`;
    this.#counter = counter;
  }

  /** Starts a connection and waits until it transfers data. */
  static async begin(cluster: Cluster, kind: FlowKind, from: BenchPod, address: string): Promise<Flow> {
    const flow = new Flow(cluster, kind, from, await LinkCounter.create(cluster, from, address));
    const sent = flow.#counter.startCounting();
    await runOnNode(cluster, from.node, [
      "start-stop-daemon",
      "--start",
      "--background",
      "--make-pidfile",
      "--pidfile",
      flow.#pidfile,
      "--startas",
      "/usr/bin/nsenter",
      "--",
      `--net=${from.netns}`,
      "--",
      ...ON_LAST_CPU,
      ...kind.argv(from.address, address),
    ]);
    await Eventually(
      `${kind.name} from ${from.address} to ${address}`,
      () => Promise.resolve(sent().packets),
      (packets) => packets > STARTED_PACKETS,
    );
    return flow;
  }

  /** @returns the median of the samples, which ignores disturbances of some of them */
  async turn(): Promise<number> {
    const samples: number[] = [];
    const turn = this.#counter.startCounting();
    while (turn().nanoseconds < TURN_MS * 1e6) {
      const sample = this.#counter.startCounting();
      await sleep(SAMPLE_MS);
      const sent = sample();
      if (sent.packets > 0) samples.push(this.#kind.value(sent));
    }
    return median(samples);
  }

  async end(): Promise<void> {
    const stop = ["start-stop-daemon", "--stop", "--signal", "KILL", "--remove-pidfile", "--pidfile", this.#pidfile];
    await runOnNode(this.#cluster, this.#node, stop);
  }
}
