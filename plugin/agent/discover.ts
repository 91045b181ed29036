import { parse } from "yaml";
import { z } from "zod";
import { type Cidr, type Ip, parseCidr, parseIp } from "../datapath/address.ts";
import { type Facts, FACTS_SCHEMA, type ReturnPath, RETURN_PATHS } from "../datapath/facts.ts";

/** What was read, as it came; undefined is "this source is not there", which is not "empty". */
export interface Observations {
  readonly nodeName: string;
  readonly nodeAddresses: readonly string[];
  readonly calicoPools: readonly string[] | undefined;
  readonly calicoBlocks: readonly string[];
  readonly kubeadm: string | undefined;
  readonly serviceCidrObjects: readonly string[] | undefined;
  readonly apiServerArguments: readonly string[];
  /** Links and their addresses on this node. */
  readonly links: readonly { readonly name: string; readonly address: string }[];
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
  const addresses = need(
    nonEmpty(o.nodeAddresses.map(parseIp), "Node.status.addresses InternalIP"),
    `Node ${o.nodeName} has no InternalIP: the kubelet has not reported it, or --node-ip is wrong.`,
  );
  const overlay = need(
    override(o, "overlayCidrs") ??
      nonEmpty(cidrs(o.calicoPools ?? []), "Calico IPPools") ??
      nonEmpty(cidrs(kubeadmNetworking(o.kubeadm).podSubnet), "kubeadm-config podSubnet"),
    "No overlay network was found (Calico IPPools, kubeadm-config podSubnet): set overlayCidrs in ConfigMap interlay-config.",
  );
  const serviceSources = serviceCandidates(o);
  const services = need(
    override(o, "serviceCidrs") ?? serviceSources[0],
    "No Service network was found (ServiceCIDR objects, kubeadm-config, API server's flags): set serviceCidrs in ConfigMap interlay-config.",
  );
  const uplink = need(
    uplinkOf(o, addresses?.value ?? []),
    `No link of node ${o.nodeName} has its InternalIP: set uplink in ConfigMap interlay-config.`,
  );
  const returnPath = returnPathOf(o.settings["returnPath"]);
  if (returnPath === undefined)
    problems.push(
      `returnPath "${o.settings["returnPath"] ?? ""}" in ConfigMap interlay-config is none of ${RETURN_PATHS.join(", ")}.`,
    );
  if (!addresses || !overlay || !services || !uplink || !returnPath) return { problems };
  return {
    facts: {
      schema: FACTS_SCHEMA,
      node: { name: o.nodeName, addresses: addresses.value },
      uplink: uplink.value,
      overlayCidrs: overlay.value,
      localOverlayBlocks: cidrs(o.calicoBlocks),
      serviceCidrs: services.value,
      hijackCidrs: cidrs(words(o.settings["hijackCidrs"])),
      returnPath,
      sources: {
        nodeAddresses: addresses.source,
        overlayCidrs: overlay.source,
        serviceCidrs: services.source,
        uplink: uplink.source,
        returnPath: "ConfigMap interlay-config",
      },
    },
    disagreements: disagreements(serviceSources),
  };
}

function serviceCandidates(o: Observations): readonly Found<readonly Cidr[]>[] {
  const flag = o.apiServerArguments.find((a) => a.startsWith("--service-cluster-ip-range="))?.split("=")[1];
  return [
    nonEmpty(cidrs(o.serviceCidrObjects ?? []), "ServiceCIDR objects"),
    nonEmpty(cidrs(kubeadmNetworking(o.kubeadm).serviceSubnet), "kubeadm-config serviceSubnet"),
    nonEmpty(cidrs(words(flag)), "kube-apiserver --service-cluster-ip-range"),
  ].filter((found) => found !== undefined);
}

/** Two sources that say different things are told, not silently decided. */
function disagreements(sources: readonly Found<readonly Cidr[]>[]): readonly string[] {
  const [first, ...others] = sources;
  if (first === undefined) return [];
  const text = (found: Found<readonly Cidr[]>) => [...found.value].sort().join(",");
  return others
    .filter((other) => text(other) !== text(first))
    .map(
      (other) =>
        `Service networks: ${first.source} says ${text(first)}, ${other.source} says ${text(other)}; the first is used.`,
    );
}

function override(o: Observations, key: string): Found<readonly Cidr[]> | undefined {
  return nonEmpty(cidrs(words(o.settings[key])), `ConfigMap interlay-config ${key}`);
}

function uplinkOf(o: Observations, addresses: readonly Ip[]): Found<string> | undefined {
  const configured = o.settings["uplink"];
  if (configured !== undefined && configured !== "")
    return { value: configured, source: "ConfigMap interlay-config uplink" };
  const link = o.links.find(({ address }) => addresses.some((a) => a === address));
  return link && { value: link.name, source: `the link with ${link.address}` };
}

function returnPathOf(text = "notrack"): ReturnPath | undefined {
  return RETURN_PATHS.find((mode) => mode === text.trim());
}

const clusterConfiguration = z.object({
  networking: z.object({ podSubnet: z.string().optional(), serviceSubnet: z.string().optional() }).optional(),
});

function kubeadmNetworking(text: string | undefined): {
  readonly podSubnet: readonly string[];
  readonly serviceSubnet: readonly string[];
} {
  const parsed = clusterConfiguration.safeParse(text === undefined ? {} : parse(text));
  const networking = parsed.success ? parsed.data.networking : undefined;
  return { podSubnet: words(networking?.podSubnet), serviceSubnet: words(networking?.serviceSubnet) };
}

function words(text: string | undefined): readonly string[] {
  return (text ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

function cidrs(texts: readonly string[]): readonly Cidr[] {
  return texts.map(parseCidr);
}

function nonEmpty<T>(value: readonly T[], source: string): Found<readonly T[]> | undefined {
  return value.length === 0 ? undefined : { value, source };
}
