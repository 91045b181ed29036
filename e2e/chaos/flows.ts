import { setTimeout as sleep } from "node:timers/promises";
import type { ProgramStream } from "../../clusters/provider/provider.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { flowEvent, type FlowRequest, parseProbeLine } from "../probe/protocol.ts";
import type { FlowPath } from "./flow-paths.ts";
import type { LostState } from "./chaos-context.ts";

const CLIENT = ["/usr/local/bin/probe", "flow"];
/** A flow sends every second; longer silences are reported. */
const SILENT_MS = 3000;
/** Time for an answer after the invariants hold again. TCP retransmits late: up to twice the time of the interruption. */
const ANSWERED_MS = { udp: 10_000, tcp: 60_000 } as const;
/** Time in which each flow sends two requests. */
const TWO_REQUESTS_MS = 2500;
const POLL_MS = 100;

/** State of a flow; times by performance.now(). */
export interface ProbeFlow {
  readonly way: FlowPath;
  readonly node: string;
  /** Id of its events: a new one for each start, so that late events of the earlier one are ignored. */
  id: number | undefined;
  readonly silences: { readonly during: string; readonly milliseconds: number }[];
  answered: number;
  lastAnswer: number;
  longestSilenceMs: number;
  /** Number of restarts, because lost state of a node may end it. */
  begunAgain: number;
  ended: string | undefined;
}

/** Long-lived flows, each with one checked request a second; one program in each client pod. */
export class ProbeFlows {
  readonly flows: readonly ProbeFlow[];
  readonly #programs = new Map<string, ProgramStream>();
  #lastId = 0;
  readonly #actions: { readonly since: number; readonly what: string }[] = [];

  private constructor(flows: readonly ProbeFlow[]) {
    this.flows = flows;
  }

  /** Starts the flows' programs and the flows. @param findNode returns a pod's node */
  static async start(
    api: ClusterApi,
    ways: readonly FlowPath[],
    findNode: (pod: string) => string,
  ): Promise<ProbeFlows> {
    const initialState = {
      id: undefined,
      answered: 0,
      begunAgain: 0,
      ended: undefined,
      lastAnswer: performance.now(),
      longestSilenceMs: 0,
    };
    const probeFlows = new ProbeFlows(
      ways.map((way) => ({ ...initialState, way, node: findNode(way.from), silences: [] })),
    );
    probeFlows.recordAction("before anything happens");
    for (const pod of new Set(ways.map(({ from }) => from))) {
      const program = await api.attach(NAMESPACE, pod, CLIENT);
      probeFlows.#programs.set(pod, program);
      program.onLine((line) => {
        probeFlows.#readLine(line);
      });
    }
    for (const flow of probeFlows.flows) probeFlows.#startFlow(flow);
    return probeFlows;
  }

  /** Records the start of an action, which the report names for flows that are silent during it. */
  recordAction(what: string): void {
    this.#actions.push({ since: performance.now(), what });
  }

  /**
   * Waits until each flow has had an answer since the call.
   * @param lost state that nodes have lost: a flow that they translate may end once, and is then restarted
   * @throws an error with a flow that has no answer in time, or that has ended
   */
  async waitUntilAnswered(lost: LostState): Promise<void> {
    const since = performance.now();
    /** Time of each restart. */
    const restarts = new Map<ProbeFlow, number>();
    const mayEnd = (flow: ProbeFlow) => !restarts.has(flow) && canEnd(lost, flow);
    const nothingIsLost = lost.conntrack.size + lost.routes.size === 0;
    for (;;) {
      const now = performance.now();
      const waitingFlows = this.flows.filter(({ ended, lastAnswer }) => ended !== undefined || lastAnswer <= since);
      // A connection reports its end at its next request.
      if (waitingFlows.length === 0 && (nothingIsLost || now - since > TWO_REQUESTS_MS)) return;
      const getWaitedMs = (flow: ProbeFlow) => now - (restarts.get(flow) ?? since);
      const getTimeout = (flow: ProbeFlow) => (mayEnd(flow) ? ANSWERED_MS.udp : ANSWERED_MS[flow.way.protocol]);
      const overdue = waitingFlows.filter((flow) => flow.ended !== undefined || getWaitedMs(flow) > getTimeout(flow));
      const broken = overdue.filter((flow) => !mayEnd(flow)).map((flow) => describeLoss(flow, getWaitedMs(flow)));
      if (broken.length > 0) throw new Error(broken.join("; "));
      for (const flow of overdue) {
        flow.begunAgain += 1;
        restarts.set(flow, now);
        this.#startFlow(flow);
      }
      await sleep(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#programs.values()].map((program) => program.close()));
  }

  #startFlow(flow: ProbeFlow): void {
    const { from, protocol, address, port } = flow.way;
    const instead = flow.id;
    this.#lastId += 1;
    flow.id = this.#lastId;
    flow.ended = undefined;
    const request = { id: flow.id, instead, protocol, address, port } satisfies FlowRequest;
    this.#programs.get(from)?.write(JSON.stringify(request));
  }

  #readLine(line: string): void {
    const event = flowEvent.safeParse(parseProbeLine(line)).data;
    const flow = event && this.flows.find(({ id }) => id === event.id);
    if (event === undefined || flow === undefined) return; // another line of the program or the container runtime
    if ("ended" in event) {
      flow.ended = event.ended;
      return;
    }
    const now = performance.now();
    const milliseconds = Math.round(now - flow.lastAnswer);
    const during = this.#actions.findLast(({ since }) => since <= flow.lastAnswer)?.what ?? "before anything happens";
    flow.longestSilenceMs = Math.max(flow.longestSilenceMs, milliseconds);
    if (milliseconds > SILENT_MS) flow.silences.push({ during, milliseconds });
    flow.answered += 1;
    flow.lastAnswer = now;
  }
}

function canEnd({ conntrack, routes }: LostState, { way, node }: ProbeFlow): boolean {
  return way.translated && (conntrack.has(node) || (way.local && routes.has(node)));
}

function describeLoss({ way, ended, answered, lastAnswer }: ProbeFlow, waitedMs: number): string {
  const reason = ended ?? `no answer for ${Math.round((performance.now() - lastAnswer) / 1000)} s`;
  return `${way.what} (${way.from} to ${way.address}) after ${answered} answers: ${reason}, ${Math.round(waitedMs / 1000)} s after the invariants held`;
}
