import { type Cidr, containsIp, getFamily, hostCidr, type Ip, parseCidr, parseIp } from "../../datapath/address.ts";
import { type Facts, FACTS_SCHEMA, parseProperCidr, type ReturnPath, RETURN_PATHS } from "../../datapath/facts.ts";
import { findSetting } from "./config-map-settings.ts";
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
import { refuseNetwork, type UnderlayTopology, parsePoolTopology } from "./refuse-networks.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

/** Facts, or for each fact that was not found a sentence with its remedy. */
type Discovery =
  { readonly facts: Facts; readonly disagreements: readonly string[] } | { readonly problems: readonly string[] };

interface Found<T> {
  readonly value: T;
  readonly source: string;
}

/** Value of `overlayCidrs` in a cluster without an overlay. */
const NO_NETWORK = "none";

/** Takes each fact from the first source that has it: settings, then the cluster's own objects. Pure. */
export function discoverFacts(o: Observations): Discovery {
  const problems: string[] = [];
  const need = <T>(found: Found<T> | undefined, problem: string): Found<T> | undefined => {
    if (found === undefined) problems.push(problem);
    return found;
  };
  const reported = new Set<string>();
  const report = (problem: string): void => void reported.add(problem);
  /** One invalid word invalidates its whole source. */
  const readable = <T>(
    source: string,
    texts: readonly string[],
    parsed: (text: string) => T,
    onInvalid: (problem: string) => void,
  ): Found<readonly T[]> | undefined => {
    try {
      return texts.length === 0 ? undefined : { value: texts.map(parsed), source };
    } catch (error) {
      onInvalid(`${source}: ${getErrorMessage(error)}; it is not used.`);
      return undefined;
    }
  };
  const override = <T>(key: string, parsed: (text: string) => T): Found<readonly T[]> | undefined => {
    const setting = findSetting(o.settings, o.nodeName, key);
    if (setting === undefined) return undefined;
    const source = `ConfigMap interlay-config ${setting.key}`;
    if (key === "overlayCidrs" && setting.value === NO_NETWORK) return { value: [], source };
    return readable(source, splitWords(setting.value), parsed, (problem) => problems.push(problem));
  };
  const candidates = (sources: readonly NetworkSource[]): readonly Found<readonly Cidr[]>[] =>
    sources.flatMap(([source, texts]) => {
      const found = readable(source, texts, parseProperCidr, report);
      if (found === undefined) return [];
      return [source === POD_CIDRS ? { source, value: mergeNetworks(found.value) } : found];
    });

  const addresses = need(
    override("nodeAddresses", parseIp) ??
      readable("Node.status.addresses InternalIP", o.nodeAddresses, parseIp, (problem) => problems.push(problem)),
    `Node ${o.nodeName} has no InternalIP (the kubelet has not reported it, or --node-ip is wrong): set ${o.nodeName}.nodeAddresses in ConfigMap interlay-config.`,
  );
  const overlaySources = candidates(listOverlaySources(o, report));
  const overlay = need(
    override("overlayCidrs", parseProperCidr) ?? overlaySources[0],
    `No overlay network was found (Calico IPPools, Cilium, flannel, kubeadm-config podSubnet, controller manager's --cluster-cidr, Node.spec.podCIDRs): set overlayCidrs in ConfigMap interlay-config; ${NO_NETWORK} if the cluster has no overlay.`,
  );
  const serviceSources = candidates(listServiceSources(o, report));
  const services = need(
    override("serviceCidrs", parseProperCidr) ?? serviceSources[0],
    "No Service network was found (ServiceCIDR objects, kubeadm-config, the control plane's --service-cluster-ip-range): set serviceCidrs in ConfigMap interlay-config.",
  );
  const uplink = need(
    findUplink(o, addresses?.value ?? []),
    `No link of node ${o.nodeName} has its InternalIP: set uplink in ConfigMap interlay-config.`,
  );
  const requestedPath = findSetting(o.settings, o.nodeName, "returnPath");
  const returnPath = parseReturnPath(requestedPath?.value);
  if (returnPath === undefined)
    problems.push(
      `${requestedPath?.key ?? "returnPath"} "${requestedPath?.value ?? ""}" in ConfigMap interlay-config is not a return path: use one of ${RETURN_PATHS.join(", ")}.`,
    );
  const hijacked = override("hijackCidrs", parseProperCidr);
  if (problems.length > 0 || !addresses || !overlay || !services || !uplink || !returnPath) return { problems };

  const own = classifyAddresses(o.links, addresses.value, listUnderlayLinks(o, addresses.value, uplink.value));
  const wire = buildTopology(o, addresses.value, own);
  const refusedNetworks: Facts["refusedNetworks"][number][] = [];
  const accept = ({ value, source }: Found<readonly Cidr[]>): readonly Cidr[] =>
    value.filter((network) => {
      const reason = refuseNetwork(network, wire);
      if (reason !== undefined) refusedNetworks.push({ network, source, reason });
      return reason === undefined;
    });
  const overlayCidrs = accept(overlay);
  const serviceCidrs = accept(services);
  const hijackCidrs = hijacked === undefined ? [] : accept(hijacked);
  const covered = [...overlayCidrs, ...serviceCidrs];
  return {
    facts: {
      schema: FACTS_SCHEMA,
      node: {
        name: o.nodeName,
        addresses: addresses.value,
        otherAddresses: excludeCovered(own.others, covered),
      },
      uplink: uplink.value,
      overlayCidrs,
      masqueradedCidrs: findMasqueradedNetworks(o),
      serviceCidrs,
      hijackCidrs,
      viaNode: findViaNode(o, own, wire, covered),
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
      ...reported,
      ...listDisagreements("Overlay networks", overlaySources, coversNetworks),
      ...listDisagreements("Service networks", serviceSources, areEqual),
    ],
  };
}

/** Lists links that belong to the underlay whatever their kind. */
function listUnderlayLinks(o: Observations, addresses: readonly Ip[], uplink: string): ReadonlySet<string> {
  const named = o.links.filter(({ address }) => addresses.some((own) => own === address)).map(({ name }) => name);
  return new Set([uplink, ...o.defaultLinks, ...named]);
}

function buildTopology(o: Observations, addresses: readonly Ip[], own: NodeAddresses): UnderlayTopology {
  const pools = o.underlayPools.flatMap((pool) => {
    try {
      return [{ ...pool, network: parseCidr(pool.subnet) }];
    } catch {
      return []; // IPAM reports it
    }
  });
  const parts = pools.map(parsePoolTopology);
  const nodes = o.nodes
    .filter(({ name }) => name !== o.nodeName)
    .flatMap(({ name, addresses: all }) =>
      all.flatMap((text) => {
        try {
          return [{ address: parseIp(text), name: `node ${name}`, own: false }];
        } catch {
          return []; // a host name
        }
      }),
    );
  return {
    subnets: [
      ...pools.map(({ name, network }) => ({ network, name: `UnderlayPool ${name}` })),
      ...own.wireNetworks.map(({ network, link }) => ({ network, name: `${link} of node ${o.nodeName}` })),
    ],
    addresses: [
      ...[...addresses, ...own.wireAddresses].map((address) => ({ address, name: `node ${o.nodeName}`, own: true })),
      ...nodes,
      ...parts.flatMap((part) => part.addresses),
    ],
    ranges: parts.flatMap((part) => part.ranges),
  };
}

/** Finds destinations on or behind the node that no overlay network, Service network or setting names. */
function findViaNode(
  o: Observations,
  own: NodeAddresses,
  wire: UnderlayTopology,
  covered: readonly Cidr[],
): Facts["viaNode"] {
  const services = o.serviceAddresses.flatMap(({ address, reason }) => {
    try {
      return [{ address: parseIp(address), reason }];
    } catch {
      return []; // a host name
    }
  });
  const usable = new Set(
    excludeCovered(
      services.map(({ address }) => address),
      covered,
    ),
  );
  return [
    ...own.linkLocal.map(({ address, link }) => ({
      destination: hostCidr(address),
      reason: `a link-local address that the node has on ${link}, as NodeLocal DNSCache's`,
    })),
    ...services
      // Another node's own address is reached by the wire, and translated there.
      .filter(({ address }) => usable.has(address) && refuseNetwork(hostCidr(address), wire) === undefined)
      .map(({ address, reason }) => ({ destination: hostCidr(address), reason })),
  ];
}

/** Lists sources that disagree with the one that is used. */
function listDisagreements(
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

const areEqual = (a: readonly Cidr[], b: readonly Cidr[]): boolean => [...a].sort().join() === [...b].sort().join();

/** Reports whether the used networks cover the configured ones: Calico may use one part of them, or several. */
function coversNetworks(used: readonly Cidr[], configured: readonly Cidr[]): boolean {
  const base = (cidr: Cidr): Ip => parseIp(cidr.slice(0, cidr.indexOf("/")));
  return configured.every((wide) => {
    const same = used.filter((cidr) => getFamily(cidr) === getFamily(wide));
    return same.length === 0 || same.some((cidr) => containsIp(wide, base(cidr)) || containsIp(cidr, base(wide)));
  });
}

function findUplink(o: Observations, addresses: readonly Ip[]): Found<string> | undefined {
  const configured = findSetting(o.settings, o.nodeName, "uplink");
  if (configured !== undefined)
    return { value: configured.value, source: `ConfigMap interlay-config ${configured.key}` };
  const link = o.links.find(({ address }) => addresses.some((a) => a === address));
  if (link !== undefined) return { value: link.name, source: `the link with ${link.address}` };
  const [byRoute] = o.defaultLinks;
  return byRoute === undefined ? undefined : { value: byRoute, source: "the default route's link" };
}

function parseReturnPath(text = "notrack"): ReturnPath | undefined {
  // The agent chooses: choose-return-path.ts.
  if (text.trim() === "auto") return "notrack";
  return RETURN_PATHS.find((mode) => mode === text.trim());
}
