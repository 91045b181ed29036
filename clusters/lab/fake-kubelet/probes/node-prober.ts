import type { V1Probe } from "@kubernetes/client-node";
import { z } from "zod";
import { createProgramStream } from "../../../external/program-stream.ts";
import type { ProgramStream } from "../../../provider/provider.ts";
import { buildMachineCommand } from "../../machines/nsenter.ts";

interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** HTTP path; undefined: a TCP connection is enough. */
  readonly path?: string;
  readonly timeoutMs: number;
}

const response = z.object({ id: z.number(), ok: z.boolean() });

/** Returns the target of a pod's probe; undefined for a kind of probe that no manifest of the project uses. */
export function parseProbeTarget(probe: V1Probe, podIP: string): ProbeTarget | undefined {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { httpGet, tcpSocket } = probe;
  if (tcpSocket !== undefined) return { host: tcpSocket.host ?? podIP, port: Number(tcpSocket.port), timeoutMs };
  if (httpGet === undefined) return undefined;
  const host = httpGet.host === "localhost" ? "127.0.0.1" : (httpGet.host ?? podIP);
  return { host, port: Number(httpGet.port), path: httpGet.path ?? "/", timeoutMs };
}

/** Probes pods from a machine's network namespace, by the program probe-worker.ts. */
export class NodeProber {
  readonly #stream: ProgramStream;
  readonly #pending = new Map<number, (ok: boolean) => void>();
  #lastId = 0;

  /** @param machine process id of the machine's first process */
  constructor(machine: number) {
    const argv = ["/programs/node", "--no-warnings", "/programs/probe-worker.ts"];
    this.#stream = createProgramStream(buildMachineCommand(machine, argv));
    this.#stream.onLine((line) => {
      const { id, ok } = response.parse(JSON.parse(line));
      this.#pending.get(id)?.(ok);
      this.#pending.delete(id);
    });
  }

  /** Returns whether the target answers. */
  probe(target: ProbeTarget): Promise<boolean> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#stream.write(JSON.stringify({ id, ...target }));
    });
  }

  /** Ends the program; pending probes fail. */
  async close(): Promise<void> {
    await this.#stream.close();
    for (const resolve of this.#pending.values()) resolve(false);
  }
}
