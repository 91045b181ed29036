import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { listAgentProcesses, runOnNode, signalAgent } from "../../support/agent-process.ts";
import { readMemory, readStat, TICKS_A_SECOND } from "./process-state.ts";

const READY_URL = "http://127.0.0.1:9810/readyz";
const READY_DEADLINE_SECONDS = 60;
const FACTS = "/var/lib/interlay/facts.json";

/** The start of an agent: milliseconds until it was ready, and its CPU time until then. */
export interface AgentStart {
  readonly milliseconds: number;
  readonly cpu: number;
}

/** Returns the name of a cluster's first worker. */
export const findWorkerName = (cluster: Cluster): string =>
  cluster.nodes.find(({ role }) => role === "worker")?.name ?? "";

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
   *
   * @throws if no agent is ready in a minute
   */
  async restart(): Promise<AgentStart> {
    await signalAgent(this.#cluster, this.#node, "STOP"); // so that it does not write the facts again
    await runOnNode(this.#cluster, this.#node, ["rm", "--force", FACTS]);
    await signalAgent(this.#cluster, this.#node, "KILL");
    // One program on the node waits, so that the wait itself costs little and ends in time.
    const wait = `until curl --silent --fail --output /dev/null ${READY_URL}; do sleep 0.02; done; cat /proc/uptime`;
    const uptime = await runOnNode(this.#cluster, this.#node, [
      ...["timeout", String(READY_DEADLINE_SECONDS)],
      ...["sh", "-c", wait],
    ]);
    const fields = await this.#stat(await this.#pid());
    const toMilliseconds = (ticks: string | undefined): number => (1000 * Number(ticks)) / TICKS_A_SECOND;
    return {
      milliseconds: 1000 * Number(uptime.split(" ")[0]) - toMilliseconds(fields[19]),
      cpu: toMilliseconds(fields[11]) + toMilliseconds(fields[12]),
    };
  }

  async #ticks(): Promise<number> {
    const pid = await this.#pid();
    const children = (await this.#cluster.exec(this.#node, ["pgrep", "--parent", pid])).stdout.split("\n");
    let sum = 0;
    for (const processId of [pid, ...children.filter((text) => text !== "")]) {
      const fields = await this.#stat(processId).catch(() => []);
      // utime and stime; for the agent also those of its ended children
      sum += fields.slice(11, processId === pid ? 15 : 13).reduce((total, ticks) => total + Number(ticks), 0);
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
}
