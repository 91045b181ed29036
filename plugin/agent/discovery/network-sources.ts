import { parse } from "yaml";
import { z } from "zod";
import {
  type Cidr,
  containsIp,
  containsNetwork,
  removeNestedCidrs,
  parseCidr,
  parseIp,
} from "../../datapath/address.ts";
import { mergeNetworks } from "./merge-networks.ts";
import type { Observations } from "./observations.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/** A source that may name networks, and the texts that were found in it. */
export type NetworkSource = readonly [name: string, texts: readonly string[]];

/** Source with a network for each node: they are merged, else a pod would have a route for each node. */
export const POD_CIDRS = "Node.spec.podCIDRs";

/** Routes that a pod gets for the blocks of one disabled Calico pool, at most. */
const MAX_BLOCKS = 64;

/** Service network of k3s and RKE2 where their arguments name no other. */
const K3S_SERVICES = "10.43.0.0/16";

/**
 * Lists the sources of overlay networks by precedence.
 * @param report receives a sentence for each source that cannot be read
 */
export function listOverlaySources(o: Observations, report: (problem: string) => void): readonly NetworkSource[] {
  const kubeadm = readKubeadm(o, report);
  return [
    ["Calico IPPools", findCalicoNetworks(o)],
    ["Cilium's cluster pool", findCiliumNetworks(o.cilium)],
    ["flannel's net-conf.json", o.flannel.flatMap((text) => parseFlannelNetworks(text, report))],
    ["kubeadm-config podSubnet", splitWords(kubeadm.podSubnet)],
    ["kube-controller-manager --cluster-cidr", parseFlag(o.controlPlaneArguments, "cluster-cidr")],
    ["kube-proxy's clusterCIDR", readClusterCidr(o, report)],
    ["k3s's or RKE2's --cluster-cidr", parseFlag(listDistributionArguments(o), "cluster-cidr")],
    [POD_CIDRS, o.nodes.flatMap(({ podCidrs }) => podCidrs)],
  ];
}

/** Lists the sources of Service networks by precedence. */
export function listServiceSources(o: Observations, report: (problem: string) => void): readonly NetworkSource[] {
  return [
    ["ServiceCIDR objects", o.serviceCidrObjects ?? []],
    ["kubeadm-config serviceSubnet", splitWords(readKubeadm(o, report).serviceSubnet)],
    ["the control plane's --service-cluster-ip-range", parseFlag(o.controlPlaneArguments, "service-cluster-ip-range")],
    ["k3s's or RKE2's --service-cidr", parseFlag(listDistributionArguments(o), "service-cidr")],
    [`the default of k3s and RKE2`, usesK3sServices(o) ? [K3S_SERVICES] : []],
  ];
}

/** Lists the networks that Calico masquerades. Felix does so for disabled pools too. */
export function findMasqueradedNetworks({ calicoPools = [] }: Observations): readonly Cidr[] {
  return calicoPools.filter(({ natOutgoing }) => natOutgoing === true).flatMap(({ cidr }) => parseOrNothing(cidr));
}

/**
 * A disabled pool is often made to keep traffic to a network from being translated; of such a pool only the blocks count that no
 * enabled pool contains. A pool with very many blocks is one that was in use: it counts as a whole, to limit the pods' routes.
 */
function findCalicoNetworks({ calicoPools = [], calicoBlocks }: Observations): readonly string[] {
  const enabled = calicoPools.filter(({ disabled }) => !disabled).map(({ cidr }) => cidr);
  const disabled = calicoPools.filter((pool) => pool.disabled).flatMap(({ cidr }) => parseOrNothing(cidr));
  if (disabled.length === 0) return enabled;
  const blocks = mergeNetworks(calicoBlocks.flatMap(parseOrNothing));
  const isIn = (pools: readonly Cidr[], block: Cidr): boolean => pools.some((pool) => containsNetwork(pool, block));
  const enabledPools = enabled.flatMap(parseOrNothing);
  const left = blocks.filter((block) => !isIn(enabledPools, block));
  const used = disabled.flatMap((pool): readonly Cidr[] => {
    const inPool = left.filter((block) => containsNetwork(pool, block));
    return inPool.length > MAX_BLOCKS ? [pool] : inPool;
  });
  return [...enabled, ...removeNestedCidrs(used)];
}

/** Skips invalid CIDRs: they are reported where they are used. */
function parseOrNothing(cidr: string): readonly Cidr[] {
  try {
    return [parseCidr(cidr)];
  } catch {
    return [];
  }
}

/** The keys of the cluster pool stay in the ConfigMap where Kubernetes gives the nodes their CIDRs. */
function findCiliumNetworks(cilium: Observations["cilium"]): readonly string[] {
  if (cilium === undefined || cilium["ipam"] === "kubernetes") return [];
  return [cilium["cluster-pool-ipv4-cidr"], cilium["cluster-pool-ipv6-cidr"]].flatMap(splitWords);
}

const netConf = z.object({
  Network: z.string().optional(),
  IPv6Network: z.string().optional(),
  EnableIPv4: z.boolean().default(true),
  EnableIPv6: z.boolean().default(false),
});

function parseFlannelNetworks(text: string, report: (problem: string) => void): readonly string[] {
  try {
    const { Network, IPv6Network, EnableIPv4, EnableIPv6 } = netConf.parse(JSON.parse(text));
    return [...(EnableIPv4 ? splitWords(Network) : []), ...(EnableIPv6 ? splitWords(IPv6Network) : [])];
  } catch (error) {
    report(`flannel's net-conf.json: ${firstLine(error)}; it is not used.`);
    return [];
  }
}

const clusterConfiguration = z.object({
  networking: z.object({ podSubnet: z.string().optional(), serviceSubnet: z.string().optional() }).optional(),
});

function readKubeadm(
  { kubeadm }: Observations,
  report: (problem: string) => void,
): { readonly podSubnet?: string | undefined; readonly serviceSubnet?: string | undefined } {
  const parsed = clusterConfiguration.safeParse(readYaml("kubeadm-config", kubeadm, report));
  return parsed.data?.networking ?? {};
}

function readClusterCidr({ kubeProxyConfig }: Observations, report: (problem: string) => void): readonly string[] {
  const yaml = readYaml("kube-proxy's config.conf", kubeProxyConfig, report);
  return splitWords(z.object({ clusterCIDR: z.string().optional() }).safeParse(yaml).data?.clusterCIDR);
}

/** Cache of the last parsed text per source: it changes seldom, and is read whenever a pod starts or stops. */
const parsedYaml = new Map<string, { readonly text: string; readonly value: unknown }>();

export function readYaml(source: string, text: string | undefined, report: (problem: string) => void): unknown {
  if (text === undefined) return {};
  const known = parsedYaml.get(source);
  if (known?.text === text) return known.value;
  try {
    const value: unknown = parse(text);
    parsedYaml.set(source, { text, value });
    return value;
  } catch (error) {
    report(`${source}: ${firstLine(error).replace(/:$/, "")}; it is not used.`);
    return {};
  }
}

function listDistributionArguments(o: Observations): readonly string[] {
  return [o.distributionArguments, ...o.nodes.map((node) => node.distributionArguments)].flat();
}

/** Their servers' arguments name only what differs from the default: the API server's own Service says whether it holds. */
function usesK3sServices({ kubeletVersion, apiServerAddresses }: Observations): boolean {
  const isDefault = apiServerAddresses.some((address) => containsIp(parseCidr(K3S_SERVICES), parseIp(address)));
  return /\+(k3s|rke2)/.test(kubeletVersion) && isDefault;
}

/** Reads `--NAME=VALUE`, or VALUE as a separate argument. */
function parseFlag(all: readonly string[], name: string): readonly string[] {
  const index = all.findIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  const argument = all[index];
  return splitWords(argument === `--${name}` ? all[index + 1] : argument?.slice(name.length + 3));
}

export function splitWords(text: string | undefined): readonly string[] {
  return (text ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

function firstLine(error: unknown): string {
  return getErrorMessage(error).split("\n")[0] ?? "";
}
