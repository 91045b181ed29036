import type { KubeProxyMode } from "../clusters/provider.ts";

type Family = "ipv4" | "dual";

/** One run of `npm run e2e`, in a cluster of its own. */
export interface Job {
  /** Unique; also the cluster's and the artifact's name. */
  readonly name: string;
  readonly provider: "kind" | "lab";
  readonly kubernetes: string;
  readonly mode: KubeProxyMode;
  readonly family: Family;
}

export interface NightlyPlan {
  readonly jobs: readonly Job[];
  readonly leftOut: readonly (Job & { readonly reason: string })[];
}

const PROVIDERS = ["lab", "kind"] as const;
const MODES = ["iptables", "nftables"] as const;
const FAMILIES = ["ipv4", "dual"] as const;
/** Kubernetes versions that kind's nodes are built and shown for. */
const ON_KIND: ReadonlySet<string> = new Set(["v1.29.15", "v1.34.1"]);

/** {Kubernetes} × {mode} × {family} × {provider}; what cannot run yet is left out with its reason. Pure. */
export function nightlyPlan(versions: readonly string[]): NightlyPlan {
  const all = PROVIDERS.flatMap((provider) =>
    versions.flatMap((kubernetes) =>
      MODES.flatMap((mode) =>
        FAMILIES.map((family): Job => {
          const minor = /^v(\d+\.\d+)\.\d+$/.exec(kubernetes)?.[1];
          if (minor === undefined) throw new Error(`"${kubernetes}" is no version: write v1.29.15.`);
          const name = `nightly-${provider}-${minor.replace(".", "-")}-${mode}-${family}`;
          return { name, provider, kubernetes, mode, family };
        }),
      ),
    ),
  );
  const judged = all.map((job) => ({ job, reason: reasonAgainst(job) }));
  return {
    jobs: judged.flatMap(({ job, reason }) => (reason === undefined ? [job] : [])),
    leftOut: judged.flatMap(({ job, reason }) => (reason === undefined ? [] : [{ ...job, reason }])),
  };
}

function reasonAgainst({ provider, kubernetes }: Job): string | undefined {
  if (provider === "kind" && !ON_KIND.has(kubernetes)) return "kind's nodes are shown for v1.29.15 and v1.34.1 so far";
  return undefined;
}

/** What `npm run e2e --` gets. */
export function argumentsOf({ name, provider, kubernetes, mode, family }: Job): readonly string[] {
  return [
    ...["--provider", provider, "--name", name, "--kubernetes", kubernetes],
    ...["--kube-proxy", `${kubernetes}/${mode}`, "--return-path", "liberal,notrack", "--family", family],
  ];
}
