import type { V1Probe } from "@kubernetes/client-node";
import { z } from "zod";
import { createProgramStream } from "../../external/program-stream.ts";
import type { ProgramStream } from "../../provider.ts";
import { buildMachineCommand } from "../nsenter.ts";

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  readonly timeoutMs: number;
}

const answer = z.object({ id: z.number(), ok: z.boolean() });

/** What a pod's probe asks, of those kinds that the project's manifests use. */
export function parseProbeTarget(probe: V1Probe, podIP: string): ProbeTarget | undefined {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { httpGet, tcpSocket } = probe;
  if (tcpSocket !== undefined) return { host: tcpSocket.host ?? podIP, port: Number(tcpSocket.port), timeoutMs };
  if (httpGet === undefined) return undefined;
  const host = httpGet.host === "localhost" ? "127.0.0.1" : (httpGet.host ?? podIP);
  return { host, port: Number(httpGet.port), path: httpGet.path ?? "/", timeoutMs };
}

/** Probes from one machine. */
export class NodeProber {
  readonly #stream: ProgramStream;
  readonly #waiting = new Map<number, (ok: boolean) => void>();
  #last = 0;

  constructor(machine: number) {
    this.#stream = createProgramStream(
      buildMachineCommand(machine, ["/programs/node", "--no-warnings", "/programs/prober.ts"]),
    );
    this.#stream.onLine((line) => {
      const { id, ok } = answer.parse(JSON.parse(line));
      this.#waiting.get(id)?.(ok);
      this.#waiting.delete(id);
    });
  }

  ask(target: ProbeTarget): Promise<boolean> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#stream.write(JSON.stringify({ id, ...target }));
    });
  }

  async close(): Promise<void> {
    await this.#stream.close();
    for (const answer of this.#waiting.values()) answer(false);
  }
}
