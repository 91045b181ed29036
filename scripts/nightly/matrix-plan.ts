import { z } from "zod";
import { ENVIRONMENTS } from "../../clusters/environments/registry.ts";
import { isSkewSupported, parseMinor } from "../../clusters/spec/version-skew.ts";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import type { VariantIdentity } from "../../results/title.ts";

/** kube-proxy has an nftables mode from v1.29 on. */
const FIRST_NFTABLES = 29;

/** A list of cluster configurations in which the matrix runs; the plans are in plans.json. */
export const matrixPlan = z.strictObject({
  providers: z.array(z.enum(["lab", "kind"])),
  /** Versions of the control plane. */
  kubernetes: z.array(z.string()),
  /** Versions of kube-proxy, each with the oldest supported control plane. Absent: the version of each control plane. */
  kubeProxies: z.array(z.string()).exactOptional(),
  modes: z.array(z.enum(["iptables", "nftables"])),
  families: z.array(z.enum(["ipv4", "ipv6", "dual"])),
  returnPaths: z.array(z.enum(["notrack", "liberal", "snat", "none"])),
  /** Cells whose packet paths are captured, as for `npm run e2e -- --evidence`. */
  evidence: z.enum(["failed", "all"]).default("failed"),
  /** Whether every provider also runs all environments that it supports. */
  environments: z.boolean().default(false),
});
export type MatrixPlan = z.infer<typeof matrixPlan>;

type KubeProxy = VariantIdentity["kubeProxy"];
type Provider = MatrixPlan["providers"][number];

/** One run of `npm run e2e` in a cluster of its own. */
export interface MatrixJob {
  /** Unique; also the name of the cluster and of the artifact in CI. */
  readonly name: string;
  readonly provider: Provider;
  readonly kubernetes: string;
  /** Arguments of `npm run e2e --`. */
  readonly args: readonly string[];
  /** Variants that the report must contain; none if the environments decide. */
  readonly variants: readonly VariantIdentity[];
}

/** Jobs of a plan. */
export interface PlannedJobs {
  readonly jobs: readonly MatrixJob[];
  /** One sentence for each kube-proxy that is not run, with the reason. */
  readonly skipped: readonly string[];
}

/**
 * Lists the jobs of a plan: a job for each provider, control plane and family, and for each mode unless the plan names
 * versions of kube-proxy.
 * @throws if a version is invalid
 */
export function planJobs(name: string, plan: MatrixPlan): PlannedJobs {
  const { groups, skipped } = plan.kubeProxies === undefined ? groupByMode(plan) : groupByControlPlane(plan);
  const jobs = plan.providers.flatMap((provider) =>
    groups.flatMap(({ suffix, kubernetes, kubeProxies }) =>
      plan.families.map((family): MatrixJob => {
        const job = `${name}-${provider}-${suffix}-${family}`;
        const versions = kubeProxies.map(({ version, mode }) => `${version}/${mode}`);
        return {
          name: job,
          provider,
          kubernetes,
          args: [
            ...createClusterArguments(provider, job, kubernetes),
            "--kube-proxy",
            versions.join(","),
            "--return-path",
            plan.returnPaths.join(","),
            "--family",
            family,
            ...(plan.evidence === "all" ? ["--evidence", "all"] : []),
          ],
          variants: kubeProxies.flatMap((kubeProxy) =>
            plan.returnPaths.map((returnPath) => ({ kubeProxy, returnPath })),
          ),
        };
      }),
    ),
  );
  const environments = plan.environments
    ? plan.providers.flatMap((provider) => planEnvironments(provider, `${name}-${provider}-env`))
    : [];
  return { jobs: [...jobs, ...environments], skipped };
}

interface JobGroup {
  readonly suffix: string;
  readonly kubernetes: string;
  readonly kubeProxies: readonly KubeProxy[];
}

function groupByMode({ kubernetes: versions, modes }: MatrixPlan) {
  const groups = versions.flatMap((version) =>
    modes.map((mode): JobGroup => ({
      suffix: `1-${parseMinor(version)}-${mode}`,
      kubernetes: version,
      kubeProxies: [{ version, mode }],
    })),
  );
  return { groups, skipped: [] };
}

function groupByControlPlane({ kubernetes: versions, kubeProxies = [], modes }: MatrixPlan) {
  const controlPlanes = versions.toSorted((a, b) => parseMinor(a) - parseMinor(b));
  const groups = new Map<string, KubeProxy[]>();
  const skipped: string[] = [];
  for (const version of kubeProxies)
    for (const mode of modes) {
      const controlPlane = controlPlanes.find((candidate) => isSkewSupported(version, candidate));
      if (mode === "nftables" && parseMinor(version) < FIRST_NFTABLES)
        skipped.push(`kube-proxy ${version} (${mode}): no nftables mode before v1.${FIRST_NFTABLES}`);
      else if (controlPlane === undefined)
        skipped.push(`kube-proxy ${version} (${mode}): the version skew policy allows none of ${versions.join(", ")}`);
      else groups.set(controlPlane, [...(groups.get(controlPlane) ?? []), { version, mode }]);
    }
  return {
    groups: [...groups].map(([kubernetes, group]): JobGroup => ({
      suffix: `1-${parseMinor(kubernetes)}`,
      kubernetes,
      kubeProxies: group,
    })),
    skipped,
  };
}

/** Maximum number of environments in a job, each in a cluster of its own: about 10 minutes. */
const MAX_ENVIRONMENTS = 8;

function planEnvironments(provider: Provider, name: string): readonly MatrixJob[] {
  const { kubernetes } = DEFAULT_SPEC;
  const supported = ENVIRONMENTS.filter(({ providers }) => providers.includes(provider));
  const size = Math.ceil(supported.length / Math.ceil(supported.length / MAX_ENVIRONMENTS));
  const starts = supported.map((_, index) => index).filter((index) => index % size === 0);
  return starts.map((start, index) => {
    const job = `${name}-${index + 1}`;
    const names = supported.slice(start, start + size).map((environment) => environment.name);
    return {
      name: job,
      provider,
      kubernetes,
      args: [...createClusterArguments(provider, job, kubernetes), "--environment", names.join(",")],
      variants: [],
    };
  });
}

/** Returns a name for the components that a job downloads and builds: jobs with the same name can share a cache. */
export function nameComponents({ provider, kubernetes, variants }: MatrixJob): string {
  const versions = new Set([kubernetes, ...variants.map(({ kubeProxy }) => kubeProxy.version)]);
  return [provider, ...(variants.length === 0 ? ["environments"] : []), ...[...versions].sort()].join("-");
}

function createClusterArguments(provider: string, name: string, kubernetes: string): readonly string[] {
  return ["--provider", provider, "--name", name, "--kubernetes", kubernetes];
}
