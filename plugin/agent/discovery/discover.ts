import { type Cidr, hostCidr, type Ip, parseIp } from "../../datapath/address.ts";
import { type Facts, FACTS_SCHEMA, parseProperCidr, type ReturnPath, RETURN_PATHS } from "../../datapath/facts.ts";
import { findSetting } from "./config-map-settings.ts";
import { buildTopology } from "./build-topology.ts";
import { areEqual, areRelated, listDisagreements, type Sourced } from "./list-disagreements.ts";
import { mergeNetworks } from "./merge-networks.ts";
import {
  findMasqueradedNetworks,
  listOverlaySources,
  listServiceSources,
  POD_CIDRS,
  type NetworkSource,
  splitWords,
} from "./network-sources.ts";
import { classifyAddresses, type NodeAddresses, excludeCovered } from "./node-addresses.ts";
import type { Observations } from "./observations.ts";
import { refuseNetwork, type UnderlayTopology } from "./refuse-networks.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/** The facts, or a sentence with the remedy for each missing fact. */
type Discovery =
  { readonly facts: Facts; readonly disagreements: readonly string[] } | { readonly problems: readonly string[] };

/** Value of `overlayCidrs` in a cluster without an overlay. */
const NO_NETWORK = "none";

/**
 * Takes each fact from the first source that has it: the settings, then objects of the cluster. Pure.
 *
 * @returns the facts, with a sentence for each unreadable source and for each source that disagrees with the used one
 */
export function discoverFacts(observations: Observations): Discovery {
  const { nodeName, links } = observations;
  const problems: string[] = [];
  const addProblem = (problem: string): void => void problems.push(problem);
  const warnings = new Set<string>();
  const addWarning = (warning: string): void => void warnings.add(warning);
  const requireFact = <T>(fact: Sourced<T> | undefined, problem: string): Sourced<T> | undefined => {
    if (fact === undefined) addProblem(problem);
    return fact;
  };
  const readSetting = <T>(key: string, parse: (text: string) => T): Sourced<readonly T[]> | undefined => {
    const setting = findSetting(observations.settings, nodeName, key);
    if (setting === undefined) return undefined;
    const source = `ConfigMap interlay-config ${setting.key}`;
    if (key === "overlayCidrs" && setting.value === NO_NETWORK) return { value: [], source };
    return parseTexts(source, splitWords(setting.value), parse, addProblem);
  };
  const readNetworks = (sources: readonly NetworkSource[]): readonly Sourced<readonly Cidr[]>[] =>
    sources.flatMap(([source, texts]) => {
      const networks = parseTexts(source, texts, parseProperCidr, addWarning);
      if (networks === undefined) return [];
      return [source === POD_CIDRS ? { source, value: mergeNetworks(networks.value) } : networks];
    });

  const addresses = requireFact(
    readSetting("nodeAddresses", parseIp) ??
      parseTexts("Node.status.addresses InternalIP", observations.nodeAddresses, parseIp, addProblem),
    `Node ${nodeName} has no InternalIP (the kubelet has not reported it, or --node-ip is wrong): set ${nodeName}.nodeAddresses in ConfigMap interlay-config.`,
  );
  const overlaySources = readNetworks(listOverlaySources(observations, addWarning));
  const overlay = requireFact(
    readSetting("overlayCidrs", parseProperCidr) ?? overlaySources[0],
    `No overlay network was found (Calico IPPools, Cilium, flannel, kubeadm-config podSubnet, controller manager's --cluster-cidr, Node.spec.podCIDRs): set overlayCidrs in ConfigMap interlay-config; ${NO_NETWORK} if the cluster has no overlay.`,
  );
  const serviceSources = readNetworks(listServiceSources(observations, addWarning));
  const services = requireFact(
    readSetting("serviceCidrs", parseProperCidr) ?? serviceSources[0],
    "No Service network was found (ServiceCIDR objects, kubeadm-config, the control plane's --service-cluster-ip-range): set serviceCidrs in ConfigMap interlay-config.",
  );
  const uplink = requireFact(
    findUplink(observations, addresses?.value ?? []),
    `No link of node ${nodeName} has its InternalIP: set uplink in ConfigMap interlay-config.`,
  );
  const requestedPath = findSetting(observations.settings, nodeName, "returnPath");
  const returnPath = parseReturnPath(requestedPath?.value);
  if (returnPath === undefined)
    problems.push(
      `${requestedPath?.key ?? "returnPath"} "${requestedPath?.value ?? ""}" in ConfigMap interlay-config is not a return path: use one of ${RETURN_PATHS.join(", ")}.`,
    );
  const hijacked = readSetting("hijackCidrs", parseProperCidr);
  if (problems.length > 0 || !addresses || !overlay || !services || !uplink || !returnPath) return { problems };

  const nodeAddresses = classifyAddresses(
    links,
    addresses.value,
    listUnderlayLinks(observations, addresses.value, uplink.value),
  );
  const topology = buildTopology(observations, addresses.value, nodeAddresses);
  const refusedNetworks: Facts["refusedNetworks"][number][] = [];
  const removeRefused = ({ value, source }: Sourced<readonly Cidr[]>): readonly Cidr[] =>
    value.filter((network) => {
      const reason = refuseNetwork(network, topology);
      if (reason !== undefined) refusedNetworks.push({ network, source, reason });
      return reason === undefined;
    });
  const overlayCidrs = removeRefused(overlay);
  const serviceCidrs = removeRefused(services);
  const hijackCidrs = hijacked === undefined ? [] : removeRefused(hijacked);
  const covered = [...overlayCidrs, ...serviceCidrs];
  return {
    facts: {
      schema: FACTS_SCHEMA,
      node: {
        name: nodeName,
        addresses: addresses.value,
        otherAddresses: excludeCovered(nodeAddresses.others, covered),
      },
      uplink: uplink.value,
      overlayCidrs,
      masqueradedCidrs: findMasqueradedNetworks(observations),
      serviceCidrs,
      hijackCidrs,
      viaNode: findViaNode(observations, nodeAddresses, topology, covered),
      refusedNetworks,
      returnPath,
      sources: {
        nodeAddresses: addresses.source,
        overlayCidrs: overlay.source,
        serviceCidrs: services.source,
        uplink: uplink.source,
        returnPath: requestedPath === undefined ? "default" : `ConfigMap interlay-config ${requestedPath.key}`,
      },
    },
    disagreements: [
      ...warnings,
      ...listDisagreements("Overlay networks", overlaySources, areRelated),
      ...listDisagreements("Service networks", serviceSources, areEqual),
    ],
  };
}

/** Parses the texts of a source. One invalid text invalidates the whole source. @returns undefined without valid texts */
function parseTexts<T>(
  source: string,
  texts: readonly string[],
  parse: (text: string) => T,
  onInvalid: (problem: string) => void,
): Sourced<readonly T[]> | undefined {
  try {
    return texts.length === 0 ? undefined : { value: texts.map(parse), source };
  } catch (error) {
    onInvalid(`${source}: ${getErrorMessage(error)}; it is not used.`);
    return undefined;
  }
}

/** Lists the links of the underlay, whatever their kind: the uplink, links of default routes, links with an InternalIP. */
function listUnderlayLinks(
  { links, defaultLinks }: Observations,
  internalIps: readonly Ip[],
  uplink: string,
): ReadonlySet<string> {
  const withInternalIp = links.filter(({ address }) => internalIps.some((ip) => ip === address));
  return new Set([uplink, ...defaultLinks, ...withInternalIp.map(({ name }) => name)]);
}

/**
 * Finds further destinations that pods reach through their node: link-local addresses of the node, and external addresses of
 * Services.
 *
 * @param covered overlay and Service networks, which pods reach through their node anyway
 */
function findViaNode(
  { serviceAddresses }: Observations,
  { linkLocal }: NodeAddresses,
  topology: UnderlayTopology,
  covered: readonly Cidr[],
): Facts["viaNode"] {
  const services = serviceAddresses.flatMap(({ address, reason }) => {
    try {
      return [{ address: parseIp(address), reason }];
    } catch {
      return []; // a host name
    }
  });
  const uncovered = new Set(
    excludeCovered(
      services.map(({ address }) => address),
      covered,
    ),
  );
  return [
    ...linkLocal.map(({ address, link }) => ({
      destination: hostCidr(address),
      reason: `a link-local address that the node has on ${link}, as NodeLocal DNSCache's`,
    })),
    ...services
      // An address of another node is reached through the underlay, and translated on that node.
      .filter(({ address }) => uncovered.has(address) && refuseNetwork(hostCidr(address), topology) === undefined)
      .map(({ address, reason }) => ({ destination: hostCidr(address), reason })),
  ];
}

/** Returns the uplink: the configured link, else the link with an InternalIP, else the link of the default route. */
function findUplink(
  { settings, nodeName, links, defaultLinks }: Observations,
  internalIps: readonly Ip[],
): Sourced<string> | undefined {
  const configured = findSetting(settings, nodeName, "uplink");
  if (configured !== undefined)
    return { value: configured.value, source: `ConfigMap interlay-config ${configured.key}` };
  const link = links.find(({ address }) => internalIps.some((ip) => ip === address));
  if (link !== undefined) return { value: link.name, source: `the link with ${link.address}` };
  const [defaultLink] = defaultLinks;
  return defaultLink === undefined ? undefined : { value: defaultLink, source: "the default route's link" };
}

/** Parses the setting `returnPath`. @returns undefined if it is invalid */
function parseReturnPath(text = "notrack"): ReturnPath | undefined {
  // With auto, the agent later replaces this default: choose-return-path.ts.
  if (text.trim() === "auto") return "notrack";
  return RETURN_PATHS.find((mode) => mode === text.trim());
}
