import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { sendProbe } from "./client.ts";
import { probeRequest, type Protocol } from "./protocol.ts";

/** A target that `probe reach` must reach. */
interface ReachTarget {
  readonly protocol: Protocol;
  /** Address or name. */
  readonly host: string;
  readonly port: number;
}

const TARGET = /^(?<protocol>tcp|udp):\/\/(?<host>\[[0-9a-fA-F:.]+\]|[^:/]+):(?<port>\d+)$/;
const TIMEOUT_MS = 2000;
const PAUSE_MS = 1000;

/**
 * Parses the arguments of `probe reach`.
 * @param argv `PROTOCOL://HOST:PORT`, at least one
 * @throws if an argument is invalid, or none is given
 */
export function parseTargets(argv: readonly string[]): readonly ReachTarget[] {
  if (argv.length === 0) throw new Error("probe reach: name at least one target, e.g. tcp://10.0.0.1:8080");
  return argv.map((text) => {
    const { protocol, host, port } = TARGET.exec(text)?.groups ?? {};
    if ((protocol !== "tcp" && protocol !== "udp") || host === undefined)
      throw new Error(`probe reach: invalid target "${text}": write tcp://HOST:PORT or udp://HOST:PORT`);
    return { protocol, host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  });
}

/**
 * Probes all targets, each until it answers or the time is over, and prints a line for each.
 * @param seconds time for all targets, which are probed at once
 * @returns whether all targets answered
 */
export async function reachTargets(targets: readonly ReachTarget[], seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  const reached = await Promise.all(
    targets.map(async ({ protocol, host, port }, id) => {
      for (;;) {
        const { ok, server, error } = await probeOnce({ protocol, host, port }, id);
        if (!ok && performance.now() < deadline) {
          await sleep(PAUSE_MS);
          continue;
        }
        const outcome = ok ? `answered by ${server ?? "?"}` : `no answer in ${seconds} s: ${error ?? ""}`;
        process.stdout.write(`${ok ? "pass" : "FAIL"} ${protocol}://${host}:${port} ${outcome}\n`);
        return ok;
      }
    }),
  );
  return reached.every((ok) => ok);
}

async function probeOnce({ protocol, host, port }: ReachTarget, id: number) {
  try {
    const { address } = await lookup(host);
    return await sendProbe(probeRequest.parse({ id, protocol, address, port, timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    return { ok: false, error: getErrorMessage(error), server: undefined };
  }
}
