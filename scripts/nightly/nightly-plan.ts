import { ENVIRONMENTS } from "../../clusters/environments/registry.ts";
import type { KubeProxyMode } from "../../clusters/provider.ts";

type Family = "ipv4" | "dual";

/** One run of `npm run e2e`, in a cluster of its own. */
export interface NightlyJob {
  /** Unique; also the cluster's and the artifact's name. */
  readonly name: string;
  readonly provider: "kind" | "lab";
  readonly kubernetes: string;
  readonly mode: KubeProxyMode;
  readonly family: Family;
  /** Environments by name; undefined: the suite's own cluster. */
  readonly environments?: readonly string[];
}

const PROVIDERS = ["lab", "kind"] as const;
const MODES = ["iptables", "nftables"] as const;
const FAMILIES = ["ipv4", "dual"] as const;

/** One job for every provider: all environments that it can make, each in a cluster of its own. Pure. */
export function environmentJobs(kubernetes: string): readonly NightlyJob[] {
  return PROVIDERS.map((provider) => ({
    ...{ name: `nightly-${provider}-env`, provider, kubernetes, mode: "iptables", family: "ipv4" },
    environments: ENVIRONMENTS.filter(({ providers }) => providers.includes(provider)).map(({ name }) => name),
  }));
}

/** {Kubernetes} × {mode} × {family} × {provider}: every one of them. Pure. Throws on what is no version. */
export function planNightly(versions: readonly string[]): readonly NightlyJob[] {
  return PROVIDERS.flatMap((provider) =>
    versions.flatMap((kubernetes) =>
      MODES.flatMap((mode) =>
        FAMILIES.map((family): NightlyJob => {
          const minor = /^v(\d+\.\d+)\.\d+$/.exec(kubernetes)?.[1];
          if (minor === undefined) throw new Error(`"${kubernetes}" is no version: write v1.29.15.`);
          const name = `nightly-${provider}-${minor.replace(".", "-")}-${mode}-${family}`;
          return { name, provider, kubernetes, mode, family };
        }),
      ),
    ),
  );
}

/** What `npm run e2e --` gets. */
export function toArguments({ name, provider, kubernetes, mode, family, environments }: NightlyJob): readonly string[] {
  if (environments !== undefined)
    return [
      ...["--provider", provider, "--name", name, "--kubernetes", kubernetes],
      ...["--environment", environments.join(",")],
    ];
  return [
    ...["--provider", provider, "--name", name, "--kubernetes", kubernetes],
    ...["--kube-proxy", `${kubernetes}/${mode}`, "--return-path", "liberal,notrack", "--family", family],
  ];
}
