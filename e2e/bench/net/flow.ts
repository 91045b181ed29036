import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider.ts";
import { execOrThrow } from "../../support/agent-process.ts";
import { Eventually } from "../../harness.ts";
import { median } from "../statistics.ts";
import { LinkCounter, type SentTraffic } from "./link-counter.ts";
import type { BenchPod } from "./pods.ts";
import { ONE_PROCESSOR } from "./cpu-pinning.ts";

/** How long one turn is, and each of its looks. Milliseconds. */
const TURN = 100;
const LOOK = 3;
/** Packets after which it has begun; sockperf warms up before. */
const BEGUN = 20_000;
/** Seconds that a client may live, longer than its turns: sockperf reserves memory for each question that might be. */
const LIFE = "90";

export const IPERF_PORT = 5201;
export const SOCKPERF_PORT = 11111;

interface FlowKind {
  readonly name: "stream" | "questions";
  readonly argv: (from: string, to: string) => readonly string[];
  /** What a look at the link says of it. */
  readonly value: (sent: SentTraffic) => number;
}

/** As fast as it can; in microseconds a megabit. cubic: a sender that paces itself (bbr) measures its own pace. */
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
    LIFE,
    "--congestion",
    "cubic",
    "--connect-timeout",
    "3000",
  ],
  value: ({ bytes, nanoseconds }) => (1000 * nanoseconds) / (8 * bytes),
};

/** Questions of 14 bytes, each after the answer to the one before, and so a packet each; in microseconds half a round trip. */
const QUESTIONS: FlowKind = {
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
    LIFE,
  ],
  value: ({ packets, nanoseconds }) => nanoseconds / packets / 2000,
};

export const FLOWS = [STREAM, QUESTIONS] as const;

/** One TCP connection. The same in every state, for between the same two pods it is up to 5 % faster or slower than the next. */
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

  /** Under way. */
  static async begin(cluster: Cluster, kind: FlowKind, from: BenchPod, address: string): Promise<Flow> {
    const flow = new Flow(cluster, kind, from, await LinkCounter.of(cluster, from, address));
    const begun = flow.#counter.from();
    await execOrThrow(cluster, from.node, [
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
      ...ONE_PROCESSOR,
      ...kind.argv(from.address, address),
    ]);
    await Eventually(
      `${kind.name} from ${from.address} to ${address}`,
      () => Promise.resolve(begun().packets),
      (packets) => packets > BEGUN,
    );
    return flow;
  }

  /** @returns the median of the looks: what disturbs some of them does not count */
  async turn(): Promise<number> {
    const looks: number[] = [];
    const turn = this.#counter.from();
    while (turn().nanoseconds < TURN * 1e6) {
      const look = this.#counter.from();
      await sleep(LOOK);
      const sent = look();
      if (sent.packets > 0) looks.push(this.#kind.value(sent));
    }
    return median(looks);
  }

  async end(): Promise<void> {
    const stop = ["start-stop-daemon", "--stop", "--signal", "KILL", "--remove-pidfile", "--pidfile", this.#pidfile];
    await execOrThrow(this.#cluster, this.#node, stop);
  }
}
