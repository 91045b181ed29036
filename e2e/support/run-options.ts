import { z } from "zod";
import { type Environment } from "../../clusters/spec/environment.ts";
import { findEnvironment } from "../../clusters/environments/registry.ts";
import { type ExistingOptions, parseExistingOptions } from "../../clusters/existing/existing-options.ts";
import { isSkewSupported } from "../../clusters/spec/version-skew.ts";
import { INSTALLED_MODES, type KubeProxy, NO_KUBE_PROXY } from "../../clusters/spec/kube-proxy.ts";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { PROVIDER_NAMES, type ProviderName } from "../../clusters/spec/provider-name.ts";
import { listRerunOptions } from "./rerun-options.ts";
import type { Variables } from "./variables.ts";
import type { Variant } from "../cells/gate.ts";

/** kube-proxy before and after the change of v1.29, which leaves the INVALID rule out when the sysctl is set. */
const DEFAULT_KUBE_PROXIES = ["v1.28.15", "v1.29.15"] as const;

const wholeNumber = z.coerce.number().int().min(0);

/** Options of a run as text, by the names of the environment variables that carry them into another process. */
const variables = z.object({
  /** `v1.28.15,v1.29.15/nftables`; by default those of DEFAULT_KUBE_PROXIES that the control plane allows. */
  INTERLAY_KUBE_PROXY: z.string().optional(),
  /** `liberal,notrack` */
  INTERLAY_RETURN_PATH: z.string().default("liberal,notrack"),
  INTERLAY_NODES: z.coerce.number().int().min(1).default(DEFAULT_SPEC.workers),
  INTERLAY_PROVIDER: z.enum(PROVIDER_NAMES).default("kind"),
  INTERLAY_KUBERNETES: z
    .string()
    .regex(/^v1\.\d+\.\d+$/, "write it like v1.29.15")
    .default(DEFAULT_SPEC.kubernetes),
  INTERLAY_FAMILY: z.enum(["ipv4", "ipv6", "dual"]).default("ipv4"),
  INTERLAY_ENVIRONMENT: z.string().optional(),
  INTERLAY_CLUSTER: z.string().default(DEFAULT_SPEC.name),
  INTERLAY_KEEP: z.stringbool().default(false),
  INTERLAY_CELLS: z.string().default(""),
  INTERLAY_EVIDENCE: z.enum(["none", "failed", "all"]).default("failed"),
  INTERLAY_SNAPSHOT: z.stringbool().default(false),
  INTERLAY_SEED: wholeNumber.optional(),
  INTERLAY_MUTANTS: wholeNumber.optional(),
  INTERLAY_CHAOS_MINUTES: z.coerce.number().positive().default(2),
  INTERLAY_CHAOS_ONLY: z.string().optional(),
  INTERLAY_CHAOS_REPORT: z.string().optional(),
});

/** Options of one run. They are parsed once and passed to everything that the run calls. */
export interface RunOptions {
  readonly variants: readonly Variant[];
  /** Whether the kube-proxies of the variants were named; otherwise they are the default ones. */
  readonly kubeProxyChosen: boolean;
  readonly workers: number;
  readonly provider: ProviderName;
  /** Version of the control plane. */
  readonly kubernetes: string;
  /** Undefined: the suite's default cluster. */
  readonly environment: Environment | undefined;
  readonly family: "ipv4" | "ipv6" | "dual";
  /** Name of the cluster. */
  readonly name: string;
  /** Whether pods and cluster stay after the run, so that the next run starts at once. */
  readonly keep: boolean;
  /** Only cells whose id matches are probed. */
  readonly cells: RegExp;
  /** Cells whose packet paths are captured: none, those that fail or are blocked (they are probed again), all. */
  readonly evidence: "none" | "failed" | "all";
  /** Whether the bundle has a snapshot of nodes and pods also of a variant that passes. */
  readonly snapshot: boolean;
  /** Options of provider `existing`; undefined for every other provider. */
  readonly existing: ExistingOptions | undefined;
  /** Options of `npm run e2e` that the command for a rerun repeats, in addition to those of the variant. */
  readonly rerun: readonly string[];
  readonly mutants: MutantOptions;
  readonly chaos: ChaosOptions;
}

/** Options of suite `mutants`. */
export interface MutantOptions {
  /** Number of mutants; undefined: all. */
  readonly count: number | undefined;
  /** The same seed chooses the same mutants. */
  readonly seed: number;
}

/** Options of suite `chaos`. */
interface ChaosOptions {
  /** The same seed chooses the same actions. */
  readonly seed: number;
  readonly minutes: number;
  /** Only actions whose name matches; undefined: all. */
  readonly only: RegExp | undefined;
  /** File for the result of a run that passes; undefined: it is not recorded. */
  readonly report: string | undefined;
}

/** Modes of a kube-proxy; the suite runs those of INSTALLED_MODES itself. */
const KNOWN_MODES = [...INSTALLED_MODES, "ipvs"] as const;

/** Parses `v1.29.15`, `v1.29.15/nftables` or `none`. @throws an error for any other text */
export function parseKubeProxy(text: string): KubeProxy {
  const [version = "", mode = "iptables"] = text.trim().split("/");
  if (version === NO_KUBE_PROXY.version) return NO_KUBE_PROXY;
  if (!/^v1\.\d+\.\d+$/.test(version))
    throw new Error(`invalid kube-proxy version "${text}": write v1.29.15 or v1.29.15/nftables`);
  const validMode = KNOWN_MODES.find((knownMode) => knownMode === mode);
  if (validMode === undefined) throw new Error(`invalid kube-proxy mode "${mode}": write ${KNOWN_MODES.join(", ")}`);
  return { version, mode: validMode };
}

/** Parses the name of a return path. @throws an error for any other text */
export function parseReturnPath(text: string): Variant["returnPath"] {
  const mode = (["notrack", "liberal", "snat", "none"] as const).find((candidate) => candidate === text.trim());
  if (mode === undefined) throw new Error(`invalid return path "${text}": write notrack, liberal, snat or none`);
  return mode;
}

/**
 * Parses the options of a run.
 * @throws an error for an invalid option, and for a kube-proxy that the control plane of a new cluster does not allow
 */
export function parseRunOptions(from: Variables): RunOptions {
  const values = variables.parse(from);
  const { INTERLAY_PROVIDER: provider, INTERLAY_KUBERNETES: kubernetes } = values;
  const environment =
    values.INTERLAY_ENVIRONMENT === undefined ? undefined : findEnvironment(values.INTERLAY_ENVIRONMENT);
  const kubeProxies = (values.INTERLAY_KUBE_PROXY ?? listDefaultKubeProxies(kubernetes))
    .split(",")
    .map(parseKubeProxy)
    .map((kubeProxy) => ({ ...kubeProxy, mode: environment?.spec.kubeProxy?.mode ?? kubeProxy.mode }));
  // Only a new cluster gets this control plane and these kube-proxies.
  if (hasCapability(provider, "create-clusters"))
    for (const kubeProxy of kubeProxies) assertInstallable(kubeProxy, kubernetes);
  const chosen = environment?.spec.chosenReturnPath;
  const returnPaths = chosen === undefined ? values.INTERLAY_RETURN_PATH.split(",").map(parseReturnPath) : [chosen];
  return {
    variants: kubeProxies.flatMap((kubeProxy) =>
      returnPaths.map((returnPath) => ({
        kubeProxy,
        returnPath,
        ...(environment === undefined ? {} : { environment: environment.name }),
      })),
    ),
    kubeProxyChosen: values.INTERLAY_KUBE_PROXY !== undefined,
    workers: values.INTERLAY_NODES,
    provider,
    kubernetes,
    environment,
    family: values.INTERLAY_FAMILY,
    name: values.INTERLAY_CLUSTER,
    keep: values.INTERLAY_KEEP,
    cells: new RegExp(values.INTERLAY_CELLS),
    evidence: values.INTERLAY_EVIDENCE,
    snapshot: values.INTERLAY_SNAPSHOT,
    existing: provider === "existing" ? parseExistingOptions(from) : undefined,
    rerun: listRerunOptions(from, provider),
    mutants: { count: values.INTERLAY_MUTANTS, seed: values.INTERLAY_SEED ?? 1 },
    chaos: {
      seed: values.INTERLAY_SEED ?? Date.now() % 1_000_000,
      minutes: values.INTERLAY_CHAOS_MINUTES,
      only: values.INTERLAY_CHAOS_ONLY === undefined ? undefined : new RegExp(values.INTERLAY_CHAOS_ONLY),
      report: values.INTERLAY_CHAOS_REPORT,
    },
  };
}

/** Checks that the suite can run a kube-proxy with a control plane. @throws an error if it cannot */
function assertInstallable({ version, mode }: KubeProxy, kubernetes: string): void {
  if (!INSTALLED_MODES.some((installedMode) => installedMode === mode))
    throw new Error(`kube-proxy ${version}/${mode}: the suite runs only ${INSTALLED_MODES.join(" and ")} itself.`);
  if (!isSkewSupported(version, kubernetes))
    throw new Error(
      `kube-proxy ${version} may not run with a control plane of ${kubernetes} (version skew policy: not newer, at most three minors older): choose another with --kubernetes.`,
    );
}

function listDefaultKubeProxies(kubernetes: string): string {
  const allowed = DEFAULT_KUBE_PROXIES.filter((version) => isSkewSupported(version, kubernetes));
  return allowed.length === 0 ? kubernetes : allowed.join(",");
}
