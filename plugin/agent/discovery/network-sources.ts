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

/** A source of networks, and the CIDR texts that it contains. */
export type NetworkSource = readonly [name: string, texts: readonly string[]];

/** Source with a network for each node. Its networks are merged; otherwise a pod would have a route for each node. */
export const POD_CIDRS = "Node.spec.podCIDRs";

/** Greatest number of routes that a pod gets for the blocks of one disabled Calico pool. */
const MAX_BLOCKS = 64;

/** Default Service network of k3s and RKE2. */
const K3S_SERVICES = "10.43.0.0/16";

/**
 * Lists the sources of overlay networks by precedence.
 * @param report receives a sentence for each source that cannot be read
 */
export function listOverlaySources(
  observations: Observations,
  report: (problem: string) => void,
): readonly NetworkSource[] {
  const kubeadm = readKubeadm(observations, report);
  return [
    ["Calico IPPools", findCalicoNetworks(observations)],
    ["Cilium's cluster pool", findCiliumNetworks(observations.cilium)],
    ["flannel's net-conf.json", observations.flannel.flatMap((text) => parseFlannelNetworks(text, report))],
    ["kubeadm-config podSubnet", splitWords(kubeadm.podSubnet)],
    ["kube-controller-manager --cluster-cidr", parseFlag(observations.controlPlaneArguments, "cluster-cidr")],
    ["kube-proxy's clusterCIDR", readClusterCidr(observations, report)],
    ["k3s's or RKE2's --cluster-cidr", parseFlag(listDistributionArguments(observations), "cluster-cidr")],
    [POD_CIDRS, observations.nodes.flatMap(({ podCidrs }) => podCidrs)],
  ];
}

/**
 * Lists the sources of Service networks by precedence.
 * @param report receives a sentence for each source that cannot be read
 */
export function listServiceSources(
  observations: Observations,
  report: (problem: string) => void,
): readonly NetworkSource[] {
  return [
    ["ServiceCIDR objects", observations.serviceCidrObjects ?? []],
    ["kubeadm-config serviceSubnet", splitWords(readKubeadm(observations, report).serviceSubnet)],
    [
      "the control plane's --service-cluster-ip-range",
      parseFlag(observations.controlPlaneArguments, "service-cluster-ip-range"),
    ],
    ["k3s's or RKE2's --service-cidr", parseFlag(listDistributionArguments(observations), "service-cidr")],
    [`the default of k3s and RKE2`, usesK3sServices(observations) ? [K3S_SERVICES] : []],
  ];
}

/** Lists the networks that Calico masquerades. Felix does so for disabled pools too. */
export function findMasqueradedNetworks({ calicoPools = [] }: Observations): readonly Cidr[] {
  return calicoPools.filter(({ natOutgoing }) => natOutgoing === true).flatMap(({ cidr }) => parseCidrIfValid(cidr));
}

/**
 * A disabled pool often only exempts traffic to a network from translation, so of a disabled pool only the blocks count that no
 * enabled pool contains. A pool with more than MAX_BLOCKS of them was in use: it counts as a whole, to limit the pods' routes.
 */
function findCalicoNetworks({ calicoPools = [], calicoBlocks }: Observations): readonly string[] {
  const enabled = calicoPools.filter(({ disabled }) => !disabled).map(({ cidr }) => cidr);
  const disabled = calicoPools.filter((pool) => pool.disabled).flatMap(({ cidr }) => parseCidrIfValid(cidr));
  if (disabled.length === 0) return enabled;
  const blocks = mergeNetworks(calicoBlocks.flatMap(parseCidrIfValid));
  const isIn = (pools: readonly Cidr[], block: Cidr): boolean => pools.some((pool) => containsNetwork(pool, block));
  const enabledPools = enabled.flatMap(parseCidrIfValid);
  const uncoveredBlocks = blocks.filter((block) => !isIn(enabledPools, block));
  const used = disabled.flatMap((pool): readonly Cidr[] => {
    const inPool = uncoveredBlocks.filter((block) => containsNetwork(pool, block));
    return inPool.length > MAX_BLOCKS ? [pool] : inPool;
  });
  return [...enabled, ...removeNestedCidrs(used)];
}

/** Returns an empty list for an invalid CIDR: discovery reports it. */
function parseCidrIfValid(cidr: string): readonly Cidr[] {
  try {
    return [parseCidr(cidr)];
  } catch {
    return [];
  }
}

/** With `ipam: kubernetes` the ConfigMap may still have the keys of the cluster pool, which is not used then. */
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

/** Cache of the last parsed text per source: the text changes seldom, but is read whenever a pod starts or stops. */
const parsedYaml = new Map<string, { readonly text: string; readonly value: unknown }>();

/**
 * Parses the YAML text of a source.
 * @param report receives a sentence if the text is invalid
 * @returns an empty object if the text is missing or invalid
 */
export function readYaml(source: string, text: string | undefined, report: (problem: string) => void): unknown {
  if (text === undefined) return {};
  const cached = parsedYaml.get(source);
  if (cached?.text === text) return cached.value;
  try {
    const value: unknown = parse(text);
    parsedYaml.set(source, { text, value });
    return value;
  } catch (error) {
    report(`${source}: ${firstLine(error).replace(/:$/, "")}; it is not used.`);
    return {};
  }
}

function listDistributionArguments(observations: Observations): readonly string[] {
  return [observations.distributionArguments, ...observations.nodes.map((node) => node.distributionArguments)].flat();
}

/** The servers' arguments omit default values: the address of the API server's Service shows whether the default is used. */
function usesK3sServices({ kubeletVersion, apiServerAddresses }: Observations): boolean {
  const isDefault = apiServerAddresses.some((address) => containsIp(parseCidr(K3S_SERVICES), parseIp(address)));
  return /\+(k3s|rke2)/.test(kubeletVersion) && isDefault;
}

/** Parses the networks in `--NAME=VALUE`, or in VALUE as a separate argument. */
function parseFlag(programArguments: readonly string[], name: string): readonly string[] {
  const index = programArguments.findIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  const argument = programArguments[index];
  return splitWords(argument === `--${name}` ? programArguments[index + 1] : argument?.slice(name.length + 3));
}

/** Splits a text at blanks and commas; empty if the text is undefined. */
export function splitWords(text: string | undefined): readonly string[] {
  return (text ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

function firstLine(error: unknown): string {
  return getErrorMessage(error).split("\n")[0] ?? "";
}
