import { z } from "zod";
import { buildProbe } from "../probe/build.ts";
import { createPlainProgress } from "../../clusters/progress-plain.ts";
import { type Cluster, type ClusterSpec, DEFAULT_SPEC, type KubeProxy } from "../../clusters/provider.ts";
import { PROVIDER_NAMES, type ProviderName } from "../../clusters/provider-name.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { isSkewSupported } from "../../clusters/kubernetes/version-skew.ts";
import { createDefaultSpec, setFamilies } from "../../clusters/spec.ts";
import type { Environment } from "../../clusters/environments/environment.ts";
import { DEFAULT_ENVIRONMENT, findEnvironment } from "../../clusters/environments/registry.ts";
import type { Variant } from "../matrix/gate.ts";

/** Of the gate at v1.29. */
const BOTH_SIDES = ["v1.28.15", "v1.29.15"] as const;

/** What a run is about, from the environment: so that one spec alone (`npx tsx e2e/specs/matrix.e2e.ts`) has it too. */
const variables = z.object({
  /** `v1.28.15,v1.29.15/nftables`; by default these two, one on each side of the gate, where the control plane allows them. */
  INTERLAY_KUBE_PROXY: z.string().optional(),
  /** `liberal,notrack` */
  INTERLAY_RETURN_PATH: z.string().default("liberal,notrack"),
  INTERLAY_NODES: z.coerce.number().int().min(1).default(DEFAULT_SPEC.workers),
  INTERLAY_PROVIDER: z.enum(PROVIDER_NAMES).default("kind"),
  /** The control plane's version. */
  INTERLAY_KUBERNETES: z
    .string()
    .regex(/^v1\.\d+\.\d+$/, "write it like v1.29.15")
    .default(DEFAULT_SPEC.kubernetes),
  INTERLAY_FAMILY: z.enum(["ipv4", "ipv6", "dual"]).default("ipv4"),
  /** Name of the environment; absent: the suite's own cluster. */
  INTERLAY_ENVIRONMENT: z.string().optional(),
  INTERLAY_CLUSTER: z.string().default(DEFAULT_SPEC.name),
  /** Leave the pods (and the cluster) as they are when the run ends: the next one starts at once. */
  INTERLAY_KEEP: z.stringbool().default(false),
  /** Regular expression over the cells' ids: only those are asked. */
  INTERLAY_CELLS: z.string().default(""),
  /** The packets' ways from captures: of no cell, of those that fail or are blocked (asked again), of all. */
  INTERLAY_EVIDENCE: z.enum(["none", "failed", "all"]).default("failed"),
  /** The state of nodes and pods of every variant into the bundle; of one that fails it always goes there. */
  INTERLAY_SNAPSHOT: z.stringbool().default(false),
});

export interface RunOptions {
  readonly variants: readonly Variant[];
  readonly workers: number;
  readonly provider: ProviderName;
  readonly kubernetes: string;
  /** Undefined: none was asked for, and the cluster is as it always was. */
  readonly environment: Environment | undefined;
  readonly family: "ipv4" | "ipv6" | "dual";
  readonly name: string;
  readonly keep: boolean;
  readonly cells: RegExp;
  readonly evidence: "none" | "failed" | "all";
  readonly snapshot: boolean;
}

/** `v1.29.15` or `v1.29.15/nftables`. Throws on what is neither. */
export function parseKubeProxy(text: string): KubeProxy {
  const [version = "", mode = "iptables"] = text.trim().split("/");
  if (!/^v1\.\d+\.\d+$/.test(version))
    throw new Error(`"${text}" is no kube-proxy version: write v1.29.15 or v1.29.15/nftables`);
  if (mode !== "iptables" && mode !== "nftables")
    throw new Error(`kube-proxy mode "${mode}" is neither iptables nor nftables`);
  return { version, mode };
}

export function parseReturnPath(text: string): Variant["returnPath"] {
  const mode = (["notrack", "liberal", "snat", "none"] as const).find((m) => m === text.trim());
  if (mode === undefined) throw new Error(`return path "${text}" is none of notrack, liberal, none`);
  return mode;
}

function defaultsFor(kubernetes: string): string {
  const allowed = BOTH_SIDES.filter((version) => isSkewSupported(version, kubernetes));
  return allowed.length === 0 ? kubernetes : allowed.join(",");
}

export function runOptions(env: NodeJS.ProcessEnv = process.env): RunOptions {
  const values = variables.parse(env);
  const environment =
    values.INTERLAY_ENVIRONMENT === undefined ? undefined : findEnvironment(values.INTERLAY_ENVIRONMENT);
  const asked = values.INTERLAY_RETURN_PATH.split(",").map(parseReturnPath);
  const chosen = environment?.spec.chosenReturnPath;
  const returnPaths = chosen === undefined ? asked : [chosen];
  const kubeProxies = (values.INTERLAY_KUBE_PROXY ?? defaultsFor(values.INTERLAY_KUBERNETES))
    .split(",")
    .map(parseKubeProxy)
    .map((kubeProxy) => ({ ...kubeProxy, mode: environment?.spec.kubeProxy?.mode ?? kubeProxy.mode }));
  const apart = kubeProxies.find(({ version }) => !isSkewSupported(version, values.INTERLAY_KUBERNETES));
  // A cluster that is there already has a control plane and a kube-proxy of its own.
  if (apart !== undefined && values.INTERLAY_PROVIDER !== "existing")
    throw new Error(
      `kube-proxy ${apart.version} may not run with a control plane of ${values.INTERLAY_KUBERNETES} (version skew policy: not newer, at most three minors older): choose another with --kubernetes.`,
    );
  return {
    variants: kubeProxies.flatMap((kubeProxy) =>
      returnPaths.map((returnPath) => ({
        ...{ kubeProxy, returnPath },
        ...(environment === undefined ? {} : { environment: environment.name }),
      })),
    ),
    workers: values.INTERLAY_NODES,
    provider: values.INTERLAY_PROVIDER,
    kubernetes: values.INTERLAY_KUBERNETES,
    environment,
    family: values.INTERLAY_FAMILY,
    name: values.INTERLAY_CLUSTER,
    keep: values.INTERLAY_KEEP,
    cells: new RegExp(values.INTERLAY_CELLS),
    evidence: values.INTERLAY_EVIDENCE,
    snapshot: values.INTERLAY_SNAPSHOT,
  };
}

let cluster: Promise<Cluster> | undefined;

/** The run's cluster, brought up on first use. */
export function theCluster(): Promise<Cluster> {
  cluster ??= bringUp(runOptions());
  return cluster;
}

/** A cluster that the caller has brought up already. */
export function useCluster(given: Cluster): void {
  cluster = Promise.resolve(given);
}

/** Node names are made from it, by appending `-control-plane`, and host names have at most 64 characters. */
const CLUSTER_NAME = /^[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?$/;

/** The cluster that a run of these options wants; builds the probe. */
export async function specFor({
  variants,
  workers,
  name,
  kubernetes,
  family,
  environment,
}: RunOptions): Promise<ClusterSpec> {
  if (!CLUSTER_NAME.test(name))
    throw new Error(
      `invalid cluster name "${name}": use at most 48 lower case letters, digits and hyphens, with a letter or digit at both ends`,
    );
  const [first] = variants;
  return {
    ...setFamilies(createDefaultSpec(), family),
    name,
    kubernetes,
    workers,
    kubeProxy: first?.kubeProxy ?? DEFAULT_SPEC.kubeProxy,
    kubeProxies: variants.map((v) => v.kubeProxy),
    // the suite's own cluster is the same with and without its name
    ...(environment === undefined || environment === DEFAULT_ENVIRONMENT ? {} : { environment }),
    probe: await buildProbe(),
  };
}

async function bringUp(options: RunOptions): Promise<Cluster> {
  return (await loadProvider(options.provider)).up(await specFor(options), createPlainProgress());
}
