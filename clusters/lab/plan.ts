import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { EnvironmentSpec } from "../environments/environment-spec.ts";

const node = z.object({
  name: z.string(),
  role: z.enum(["control-plane", "worker"]),
  address: z.string(),
  address6: z.string().exactOptional(),
  rack: z.number().exactOptional(),
  management: z.string().exactOptional(),
});
const rack = z.object({
  name: z.string(),
  subnet: z.string(),
  gateway: z.string(),
  prefixLength: z.number(),
  podRange: z.string(),
});

/** What a lab is made from: written by the provider, read by the lab's daemon. A change in it is another lab. */
export const labPlan = z.object({
  kubernetes: z.string(),
  overlayCidr: z.string(),
  overlayCidr6: z.string().exactOptional(),
  serviceCidr: z.string(),
  serviceCidr6: z.string().exactOptional(),
  machines: z.object({
    nodes: z.array(node).readonly(),
    external: z.object({ name: z.string(), address: z.string(), address6: z.string().exactOptional() }),
    gateway: z.string(),
    gateway6: z.string().exactOptional(),
    prefixLength: z.number(),
    mtu: z.number().exactOptional(),
    racks: z.array(rack).readonly().exactOptional(),
    management: z.object({ gateway: z.string(), prefixLength: z.number() }).exactOptional(),
  }),
  /** What an environment changes; the daemon applies what concerns the machines. */
  environment: z.custom<EnvironmentSpec>((value) => typeof value === "object" && value !== null).exactOptional(),
  /** Programs that every machine has in /programs: name and path on this computer. */
  programs: z.record(z.string(), z.string()),
  /** Image references of our own two, which carry their content. */
  images: z.object({ interlay: z.string(), probe: z.string() }),
  /** Loopback port of this computer on which the API server answers. */
  port: z.number(),
});
export type LabPlan = z.infer<typeof labPlan>;

export async function readPlan(file: string): Promise<LabPlan> {
  return labPlan.parse(JSON.parse(await readFile(file, "utf8")));
}

/** What the daemon tells: process ids are those of the lab's own process namespace. */
export const labState = z.object({
  machines: z.record(z.string(), z.number()),
  /** `NAMESPACE/POD` to the container's first process and its environment. */
  pods: z.record(z.string(), z.object({ pid: z.number(), env: z.record(z.string(), z.string()) })),
});
export type LabState = z.infer<typeof labState>;

export async function readState(file: string): Promise<LabState> {
  return labState.parse(JSON.parse(await readFile(file, "utf8")));
}
