import { parse } from "yaml";
import { z } from "zod";
import { type Cidr, contains, familyOf, type Ip, parseIp } from "../../datapath/address.ts";
import { type Facts, FACTS_SCHEMA, parsePartOfAll, type ReturnPath, RETURN_PATHS } from "../../datapath/facts.ts";
import { nodeSetting } from "../settings.ts";

/** What was read, as it came; undefined is "this source is not there", which is not "empty". */
export interface Observations {
  readonly nodeName: string;
  readonly nodeAddresses: readonly string[];
  readonly calicoPools: readonly string[] | undefined;
  readonly calicoBlocks: readonly string[];
  /** Data of ConfigMap kube-system/cilium-config. */
  readonly cilium: Readonly<Record<string, string>> | undefined;
  /** kubeadm's ClusterConfiguration, YAML. */
  readonly kubeadm: string | undefined;
  /** kube-proxy's KubeProxyConfiguration, YAML. */
  readonly kubeProxyConfig: string | undefined;
  readonly serviceCidrObjects: readonly string[] | undefined;
  /** Arguments of the API server's and controller manager's static pods. */
  readonly controlPlaneArguments: readonly string[];
  /** Links and their addresses on this node. */
  readonly links: readonly { readonly name: string; readonly address: string }[];
  /** Links of the main table's default routes. */
  readonly defaultLinks: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** Facts, or each lack in one sentence with its remedy. */
export type Discovery =
  { readonly facts: Facts; readonly disagreements: readonly string[] } | { readonly problems: readonly string[] };

interface Found<T> {
  readonly value: T;
  readonly source: string;
}

/** Chooses per fact the first source that has it: settings, then the cluster's own objects. Pure. */
export function discover(o: Observations): Discovery {
  const problems: string[] = [];
  const need = <T>(found: Found<T> | undefined, problem: string): Found<T> | undefined => {
    if (found === undefined) problems.push(problem);
    return found;
  };
  const told: string[] = [];
  /** Where one word makes no sense, the others of its source are not believed either. */
  const readable = <T>(source: string, texts: readonly string[], parsed: (text: string) => T, tell: string[]) => {
    try {
      return nonEmpty(texts.map(parsed), source);
    } catch (error) {
      tell.push(`${source}: ${error instanceof Error ? error.message : String(error)}; it is not used.`);
      return undefined;
    }
  };
  const yaml = (source: string, text: string | undefined): unknown => {
    try {
      return text === undefined ? {} : parse(text);
    } catch (error) {
      const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
      told.push(`${source}: ${why.replace(/:$/, "")}; it is not used.`);
      return {};
    }
  };
  const override = <T>(key: string, parsed: (text: string) => T): Found<readonly T[]> | undefined => {
    const setting = nodeSetting(o.settings, o.nodeName, key);
    return setting && readable(`ConfigMap interlay-config ${setting.key}`, words(setting.value), parsed, problems);
  };
  const candidates = (sources: readonly Source[]): readonly Found<readonly Cidr[]>[] =>
    sources.flatMap(([source, texts]) => readable(source, texts, parsePartOfAll, told) ?? []);
  const addresses = need(
    override("nodeAddresses", parseIp) ??
      readable("Node.status.addresses InternalIP", o.nodeAddresses, parseIp, problems),
    `Node ${o.nodeName} has no InternalIP (the kubelet has not reported it, or --node-ip is wrong): set ${o.nodeName}.nodeAddresses in ConfigMap interlay-config.`,
  );
  const kubeadm = kubeadmNetworking(yaml("kubeadm-config", o.kubeadm));
  const clusterCidr = clusterCidrOf(yaml("kube-proxy's config.conf", o.kubeProxyConfig));
  const overlaySources = candidates(overlayCandidates(o, kubeadm.podSubnet, clusterCidr));
  const overlay = need(
    override("overlayCidrs", parsePartOfAll) ?? overlaySources[0],
    "No overlay network was found (Calico IPPools, Cilium, kubeadm-config podSubnet, controller manager's --cluster-cidr): set overlayCidrs in ConfigMap interlay-config.",
  );
  const serviceSources = candidates(serviceCandidates(o, kubeadm.serviceSubnet));
  const services = need(
    override("serviceCidrs", parsePartOfAll) ?? serviceSources[0],
    "No Service network was found (ServiceCIDR objects, kubeadm-config, the control plane's --service-cluster-ip-range): set serviceCidrs in ConfigMap interlay-config.",
  );
  const uplink = need(
    uplinkOf(o, addresses?.value ?? []),
    `No link of node ${o.nodeName} has its InternalIP: set uplink in ConfigMap interlay-config.`,
  );
  const wanted = nodeSetting(o.settings, o.nodeName, "returnPath");
  const returnPath = returnPathOf(wanted?.value);
  if (returnPath === undefined)
    problems.push(
      `${wanted?.key ?? "returnPath"} "${wanted?.value ?? ""}" in ConfigMap interlay-config is none of ${RETURN_PATHS.join(", ")}.`,
    );
  const hijacked = override("hijackCidrs", parsePartOfAll);
  if (problems.length > 0 || !addresses || !overlay || !services || !uplink || !returnPath) return { problems };
  return {
    facts: {
      schema: FACTS_SCHEMA,
      node: { name: o.nodeName, addresses: addresses.value, otherAddresses: [] },
      uplink: uplink.value,
      overlayCidrs: overlay.value,
      serviceCidrs: services.value,
      hijackCidrs: hijacked?.value ?? [],
      viaNode: [],
      refusedNetworks: [],
      returnPath,
      sources: {
        nodeAddresses: addresses.source,
        overlayCidrs: overlay.source,
        serviceCidrs: services.source,
        uplink: uplink.source,
        returnPath: wanted === undefined ? "default" : `ConfigMap interlay-config ${wanted.key}`,
      },
    },
    disagreements: [
      ...told,
      ...disagreements("Overlay networks", overlaySources, covers),
      ...disagreements("Service networks", serviceSources, equal),
    ],
  };
}

/** Where something may be said, and what is said there. */
type Source = readonly [name: string, texts: readonly string[]];

function overlayCandidates(
  o: Observations,
  podSubnet: readonly string[],
  clusterCidr: readonly string[],
): readonly Source[] {
  return [
    ["Calico IPPools", o.calicoPools ?? []],
    [
      "Cilium's cluster pool",
      [o.cilium?.["cluster-pool-ipv4-cidr"], o.cilium?.["cluster-pool-ipv6-cidr"]].flatMap(words),
    ],
    ["kubeadm-config podSubnet", podSubnet],
    ["kube-controller-manager --cluster-cidr", flag(o, "cluster-cidr")],
    ["kube-proxy's clusterCIDR", clusterCidr],
  ];
}

function serviceCandidates(o: Observations, serviceSubnet: readonly string[]): readonly Source[] {
  return [
    ["ServiceCIDR objects", o.serviceCidrObjects ?? []],
    ["kubeadm-config serviceSubnet", serviceSubnet],
    ["the control plane's --service-cluster-ip-range", flag(o, "service-cluster-ip-range")],
  ];
}

/** `--NAME=VALUE`, or VALUE as an argument of its own. */
function flag({ controlPlaneArguments: all }: Observations, name: string): readonly string[] {
  const at = all.findIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  const argument = all[at];
  return words(argument === `--${name}` ? all[at + 1] : argument?.slice(name.length + 3));
}

/** Two sources that say different things are told, not silently decided. */
function disagreements(
  what: string,
  sources: readonly Found<readonly Cidr[]>[],
  agree: (first: readonly Cidr[], other: readonly Cidr[]) => boolean,
): readonly string[] {
  const [first, ...others] = sources;
  if (first === undefined) return [];
  return others
    .filter((other) => !agree(first.value, other.value))
    .map(
      (other) =>
        `${what}: ${first.source} says ${first.value.join(", ")}, ${other.source} says ${other.value.join(", ")}; the first is used.`,
    );
}

const equal = (a: readonly Cidr[], b: readonly Cidr[]): boolean => [...a].sort().join() === [...b].sort().join();

/** Calico may use a part of what the cluster was told, or more than one part. */
function covers(used: readonly Cidr[], told: readonly Cidr[]): boolean {
  const base = (cidr: Cidr): Ip => parseIp(cidr.slice(0, cidr.indexOf("/")));
  return told.every((wide) => {
    const same = used.filter((cidr) => familyOf(cidr) === familyOf(wide));
    return same.length === 0 || same.some((cidr) => contains(wide, base(cidr)) || contains(cidr, base(wide)));
  });
}

function uplinkOf(o: Observations, addresses: readonly Ip[]): Found<string> | undefined {
  const configured = nodeSetting(o.settings, o.nodeName, "uplink");
  if (configured !== undefined)
    return { value: configured.value, source: `ConfigMap interlay-config ${configured.key}` };
  const link = o.links.find(({ address }) => addresses.some((a) => a === address));
  if (link !== undefined) return { value: link.name, source: `the link with ${link.address}` };
  const [byRoute] = o.defaultLinks;
  return byRoute === undefined ? undefined : { value: byRoute, source: "the default route's link" };
}

function returnPathOf(text = "notrack"): ReturnPath | undefined {
  return RETURN_PATHS.find((mode) => mode === text.trim());
}

const clusterConfiguration = z.object({
  networking: z.object({ podSubnet: z.string().optional(), serviceSubnet: z.string().optional() }).optional(),
});

function kubeadmNetworking(yaml: unknown): {
  readonly podSubnet: readonly string[];
  readonly serviceSubnet: readonly string[];
} {
  const parsed = clusterConfiguration.safeParse(yaml);
  const networking = parsed.success ? parsed.data.networking : undefined;
  return { podSubnet: words(networking?.podSubnet), serviceSubnet: words(networking?.serviceSubnet) };
}

function clusterCidrOf(yaml: unknown): readonly string[] {
  const parsed = z.object({ clusterCIDR: z.string().optional() }).safeParse(yaml);
  return words(parsed.success ? parsed.data.clusterCIDR : undefined);
}

function words(text: string | undefined): readonly string[] {
  return (text ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

function nonEmpty<T>(value: readonly T[], source: string): Found<readonly T[]> | undefined {
  return value.length === 0 ? undefined : { value, source };
}
