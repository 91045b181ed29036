import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { EnvironmentSpec } from "../../spec/environment-spec.ts";

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

/** The plan of a lab: the provider writes it, and the lab's daemon reads it. `up` recreates a lab whose plan has changed. */
const labPlan = z.object({
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
  /** The environment; the daemon applies the settings of machines and control plane. */
  environment: z.custom<EnvironmentSpec>((value) => typeof value === "object" && value !== null).exactOptional(),
  /** Programs that every machine has in /programs: host path by name. */
  programs: z.record(z.string(), z.string()),
  /** Image references of Interlay and the probe; their tags are hashes of the programs. */
  images: z.object({ interlay: z.string(), probe: z.string() }),
  /** Loopback port of the host for the API server. */
  port: z.number(),
});
export type LabPlan = z.infer<typeof labPlan>;

/** Reads the plan of a lab. @throws if the file is missing or invalid */
export async function readPlan(file: string): Promise<LabPlan> {
  return labPlan.parse(JSON.parse(await readFile(file, "utf8")));
}

/**
 * Whether a run can use an existing lab. The lab may have more programs: a run with one kube-proxy uses the lab of a run with
 * several. Pure.
 */
export function isReusable(current: LabPlan, desired: LabPlan): boolean {
  const describe = ({ programs: _, ...otherFields }: LabPlan): string => JSON.stringify({ ...otherFields, port: 0 });
  return (
    describe(current) === describe(desired) &&
    Object.entries(desired.programs).every(([name, path]) => current.programs[name] === path)
  );
}

/** The state of a lab, which the daemon writes. Process ids are those of the lab's process namespace. */
const labState = z.object({
  /** First process of a machine, by its name. */
  machines: z.record(z.string(), z.number()),
  /** Process and environment of a pod's first container, by `NAMESPACE/POD`. */
  pods: z.record(z.string(), z.object({ pid: z.number(), env: z.record(z.string(), z.string()) })),
});
export type LabState = z.infer<typeof labState>;

/** Reads the state of a lab that is up. @throws if the file is missing or invalid */
export async function readState(file: string): Promise<LabState> {
  return labState.parse(JSON.parse(await readFile(file, "utf8")));
}
