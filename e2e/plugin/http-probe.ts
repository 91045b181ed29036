import { setTimeout as sleep } from "node:timers/promises";
import type { Prober } from "../support/prober.ts";
import { type Protocol, TCP_PORT } from "../probe/protocol.ts";

/** A probe with the pod that must answer. */
export interface HttpProbe {
  readonly from: Prober;
  readonly address: string;
  readonly protocol: Protocol;
  /** The name of the pod that must answer; pings return no name. */
  readonly server: string;
  /** The source address that it must see; undefined if it may be translated. */
  readonly seen?: string;
}

const TIMEOUT_MS = 2000;
/** Attempts: a busy machine loses single packets, a broken path loses all. */
const TRIES = 3;

/** Sends all probes at once. @returns a line for each probe with a wrong or missing answer */
export async function findUnanswered(probes: readonly HttpProbe[]): Promise<readonly string[]> {
  const lines = await Promise.all(probes.map(probeOnce));
  return lines.filter((line) => line !== undefined);
}

async function probeOnce({ from, address, protocol, server, seen }: HttpProbe): Promise<string | undefined> {
  let problem = "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = protocol === "icmp" ? 0 : TCP_PORT;
    const answer = await from.probe({ protocol, address, port, timeoutMs: TIMEOUT_MS });
    if (answer.ok && (protocol === "icmp" || (answer.server === server && (seen ?? answer.seen) === answer.seen)))
      return undefined;
    problem = answer.ok
      ? `answered by ${answer.server ?? "nobody with a name"}, who saw ${answer.seen ?? "nothing"}, not by ${server}${seen === undefined ? "" : ` who saw ${seen}`}`
      : (answer.error ?? "no answer");
    await sleep(200);
  }
  return `${from.name} -> ${address} (${protocol}): ${problem}`;
}
