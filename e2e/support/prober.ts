import type { ProgramStream } from "../../clusters/provider/provider.ts";
import { withAbort } from "../harness.ts";
import {
  type InjectRequest,
  parseProbeLine,
  type ProbeAnswer,
  probeAnswer,
  type ProbeRequest,
  TCP_PORT,
} from "../probe/protocol.ts";

/** Time that an answer may take after the probe's own timeout, on a busy machine. */
const GRACE_MS = 5000;
/** Time that a program may take to start in a pod, on a machine that starts dozens at once. */
const START_TIMEOUT_MS = 30_000;

/** Controls a `probe client` that runs in a pod: many probes at once, each answered or timed out. */
export class Prober {
  readonly name: string;
  readonly #stream: ProgramStream;
  readonly #waiting = new Map<number, (answer: ProbeAnswer) => void>();
  #lastId = 0;

  constructor(name: string, stream: ProgramStream) {
    this.name = name;
    this.#stream = stream;
    stream.onLine((line) => {
      const answer = probeAnswer.safeParse(parseProbeLine(line)).data;
      if (answer === undefined) return; // stderr of the program, or of kubelet
      const resolve = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      resolve?.(answer);
    });
  }

  /** Waits until the program has started, by a probe of its own pod, so that the first real probe does not measure the start. */
  async waitUntilStarted(): Promise<this> {
    await this.probe({
      protocol: "tcp",
      address: "127.0.0.1",
      port: TCP_PORT,
      connectOnly: true,
      timeoutMs: START_TIMEOUT_MS,
    });
    return this;
  }

  probe(request: Omit<ProbeRequest, "id">): Promise<ProbeAnswer> {
    return withAbort(this.#request(request, request.timeoutMs));
  }

  /** Makes the pod send datagrams with the given headers. */
  inject(request: Omit<InjectRequest, "id" | "kind">): Promise<ProbeAnswer> {
    return this.#request({ kind: "inject", ...request }, 0);
  }

  #request(request: object, timeoutMs: number): Promise<ProbeAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve({ id, ok: false, latencyMs: timeoutMs, error: `the probe client in ${this.name} did not answer` });
      }, timeoutMs + GRACE_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#stream.write(JSON.stringify({ id, ...request }));
    });
  }

  close(): Promise<void> {
    return this.#stream.close();
  }
}
