import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { listAgentProcesses, runOnNode, signalAgent } from "../../support/agent-process.ts";
import { readMemory, readStat, TICKS_A_SECOND } from "./process-state.ts";

const READY = [
  "curl",
  "--silent",
  "--output",
  "/dev/null",
  "--write-out",
  "%{http_code}",
  "http://127.0.0.1:9810/readyz",
];
const FACTS = "/var/lib/interlay/facts.json";

/** The process of a node's agent, measured through /proc. */
export class AgentProcess {
  readonly #cluster: Cluster;
  readonly #node: string;

  constructor(cluster: Cluster, node: string) {
    this.#cluster = cluster;
    this.#node = node;
  }

  async memory(): ReturnType<typeof readMemory> {
    return readMemory(this.#cluster, this.#node, await this.#pid());
  }

  /** Measures the CPU time of the agent and its child processes as a share of one processor. */
  async share(milliseconds: number): Promise<number> {
    const before = await this.#ticks();
    const started = performance.now();
    await sleep(milliseconds);
    const ticks = (await this.#ticks()) - before;
    return ticks / TICKS_A_SECOND / ((performance.now() - started) / 1000);
  }

  /**
   * Kills the agent, deletes its facts, and waits until the next one has discovered them and is ready.
   * @returns milliseconds from the start of the new process until it is ready, and its CPU time in them
   */
  async restart(): Promise<{ readonly milliseconds: number; readonly cpu: number }> {
    const old = await this.#pid();
    await signalAgent(this.#cluster, this.#node, "STOP"); // so that it does not write the facts again
    await runOnNode(this.#cluster, this.#node, ["rm", "--force", FACTS]);
    await signalAgent(this.#cluster, this.#node, "KILL");
    for (;;) {
      await sleep(20);
      const pid = await this.#pid().catch(() => old);
      if (pid === old || (await this.#cluster.exec(this.#node, READY)).stdout !== "200") continue;
      const [up = ""] = (await this.#read("/proc/uptime")).split(" ");
      const fields = await this.#stat(pid);
      const toMilliseconds = (ticks: string | undefined): number => (1000 * Number(ticks)) / TICKS_A_SECOND;
      return {
        milliseconds: 1000 * Number(up) - toMilliseconds(fields[19]),
        cpu: toMilliseconds(fields[11]) + toMilliseconds(fields[12]),
      };
    }
  }

  async #ticks(): Promise<number> {
    const pid = await this.#pid();
    const children = (await this.#cluster.exec(this.#node, ["pgrep", "--parent", pid])).stdout.split("\n");
    let sum = 0;
    for (const one of [pid, ...children.filter((text) => text !== "")]) {
      const fields = await this.#stat(one).catch(() => []);
      // utime and stime; for the agent also those of its ended children
      sum += fields.slice(11, one === pid ? 15 : 13).reduce((all, ticks) => all + Number(ticks), 0);
    }
    return sum;
  }

  #stat(pid: string): Promise<readonly string[]> {
    return readStat(this.#cluster, this.#node, pid);
  }

  async #pid(): Promise<string> {
    const [pid] = await listAgentProcesses(this.#cluster, this.#node);
    if (pid === undefined) throw new Error(`no agent runs on ${this.#node}`);
    return pid;
  }

  #read(file: string): Promise<string> {
    return runOnNode(this.#cluster, this.#node, ["cat", file]);
  }
}
