import type { ProgramStream } from "../../clusters/provider.ts";
import { withAbort } from "../harness.ts";
import {
  type InjectRequest,
  parseJson,
  type ProbeAnswer,
  probeAnswer,
  type ProbeRequest,
  TCP_PORT,
} from "../probe/protocol.ts";

/** How long an answer may take beyond the probe's own timeout: a busy machine is no broken network. */
const GRACE_MS = 5000;
/** How long a program may take to begin in a pod of a machine that begins dozens at once. */
const BEGIN_MS = 30_000;

/** The other end of a long-lived `probe client` in a pod: many probes at once, each answered or timed out. */
export class Prober {
  readonly name: string;
  readonly #stream: ProgramStream;
  readonly #waiting = new Map<number, (answer: ProbeAnswer) => void>();
  #lastId = 0;

  constructor(name: string, stream: ProgramStream) {
    this.name = name;
    this.#stream = stream;
    stream.onLine((line) => {
      const answer = probeAnswer.safeParse(parseJson(line)).data;
      if (answer === undefined) return; // stderr of the program, or of kubelet
      const settle = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      settle?.(answer);
    });
  }

  /** Until its program has begun: what a first question took, or missed, would be that. Its own pod answers, or refuses. */
  async awake(): Promise<this> {
    await this.probe({
      ...{ protocol: "tcp", address: "127.0.0.1", port: TCP_PORT },
      ...{ connectOnly: true, timeoutMs: BEGIN_MS },
    });
    return this;
  }

  probe(request: Omit<ProbeRequest, "id">): Promise<ProbeAnswer> {
    return withAbort(this.#ask(request, request.timeoutMs));
  }

  /** Has the pod send datagrams whose headers are given. */
  inject(request: Omit<InjectRequest, "id" | "kind">): Promise<ProbeAnswer> {
    return this.#ask({ kind: "inject", ...request }, 0);
  }

  #ask(request: object, timeoutMs: number): Promise<ProbeAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        resolve({ id, ok: false, latencyMs: timeoutMs, error: `the probe client in ${this.name} said nothing` });
      }, timeoutMs + GRACE_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      this.#stream.write(JSON.stringify({ id, ...request }));
    });
  }

  close(): Promise<void> {
    return this.#stream.close();
  }
}
