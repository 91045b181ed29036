import { readFileSync } from "node:fs";
import { hrtime } from "node:process";
import { z } from "zod";
import { listProcesses } from "../../../clusters/lab/machines/processes.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";
import type { BenchPod } from "./bench-pod.ts";

/** Traffic that a link sent in some time. */
export interface SentTraffic {
  readonly bytes: number;
  readonly packets: number;
  readonly nanoseconds: number;
}

const routes = z.tuple([z.object({ dev: z.string() })]);

/**
 * Counts the traffic that a pod's link sends. It reads /proc of a process in the pod directly, as pods of a lab are processes of
 * this machine; starting a program for each sample would take too long.
 */
export class LinkCounter {
  readonly #file: string;
  readonly #device: string;

  private constructor(file: string, device: string) {
    this.#file = file;
    this.#device = device;
  }

  /** Creates a counter for the link by which the pod's address reaches another one. */
  static async create(cluster: Cluster, { node, netns, address }: BenchPod, to: string): Promise<LinkCounter> {
    const inPod = ["nsenter", `--net=${netns}`, "--"];
    const route = await runOnNode(cluster, node, [...inPod, "ip", "-j", "route", "get", to, "from", address]);
    const [{ dev: device }] = routes.parse(JSON.parse(route));
    const inode = (await runOnNode(cluster, node, ["stat", "--dereference", "--format=%i", netns])).trim();
    const [pid] = await listProcesses("net", new Set([`net:[${inode}]`]));
    if (pid === undefined) throw new Error(`no process of this machine is in ${netns} of ${node}`);
    return new LinkCounter(`/proc/${pid}/net/dev`, device);
  }

  /** Starts counting. @returns a function that returns the difference */
  startCounting(): () => SentTraffic {
    const earlier = this.#read();
    return () => {
      const current = this.#read();
      return {
        bytes: current.bytes - earlier.bytes,
        packets: current.packets - earlier.packets,
        nanoseconds: Number(current.at - earlier.at),
      };
    };
  }

  #read() {
    return { ...diffTraffic(this.#device, readFileSync(this.#file, "utf8")), at: hrtime.bigint() };
  }
}

/** Parses sent bytes and packets of a link in /proc/net/dev. @throws if the link is missing */
export function diffTraffic(device: string, file: string): Pick<SentTraffic, "bytes" | "packets"> {
  const [, numbers] =
    file
      .split("\n")
      .map((line) => line.split(":"))
      .find(([name]) => name?.trim() === device) ?? [];
  const [bytes, packets] = numbers?.trim().split(/\s+/).slice(8, 10).map(Number) ?? [];
  if (bytes === undefined || packets === undefined) throw new Error(`/proc/net/dev has no link ${device}`);
  return { bytes, packets };
}
