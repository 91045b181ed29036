import { GROUP_VERSION, SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";
import type { Cluster, ExternalHost } from "../../clusters/provider/provider.ts";
import {
  type IpFamily,
  listFamilies,
  getIpFamily,
  getGateway,
  toIpv6Address,
} from "../../clusters/spec/address-ranges.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import { findInFamily } from "./find-in-family.ts";

/** Label of the suite's pods: names the pool of the pod's network, which selects no other pod. */
const POOL_LABEL = "interlay.dev/suite-pool";
/** Networks of the suite that name pools, with the kind of the pools. */
const POOL_KINDS: Readonly<Record<string, keyof typeof RANGES>> = {
  fixed: "fixed",
  careful: "fixed",
  silent: "silent",
  beyond: "beyond",
};
/**
 * Destinations that only the node has, by a local route instead of an address of a link: agents discover addresses of links and
 * route every pod to them, without an option.
 */
export const ON_NODE: Readonly<Record<IpFamily, string>> = { ipv4: "192.0.2.66", ipv6: "2001:db8:66::1" };
export const PLUGIN_BRIDGE = "plugin0";
/** Last number of an address without a host, near the end of the node range, which is allocated from its beginning. */
export const SILENT_GATEWAY = 122;

/** Third number of the pools' addresses, by the pools' kind. */
export const RANGES = { fixed: 201, silent: 202, beyond: 203 } as const;

/** An object that the suite applies. */
export interface NetworkObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: unknown;
}

export const createPoolLabel = (kind: keyof typeof RANGES): Readonly<Record<string, string>> => ({
  [POOL_LABEL]: kind,
});

/** Returns the label by which the pools select a pod whose annotations name a network of the suite. */
export function createNetworkLabels(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const names = Object.values(annotations).flatMap((text) => text.split(","));
  const kind = Object.entries(POOL_KINDS).find(([network]) => names.includes(findNetworkName(network)))?.[1];
  return kind === undefined ? {} : createPoolLabel(kind);
}

type Spec = Pick<Cluster["spec"], "underlayCidr" | "ipv6" | "overlayCidr">;

/** Returns an underlay address in each family of the cluster: 10.7.201.9 and fd00:10:7::201:9. */
export function buildUnderlayAddresses(spec: Spec, third: number, fourth: number): readonly string[] {
  return listUnderlayCidrs(spec).map((cidr) => {
    if (cidr.includes(":")) return toIpv6Address(cidr, `0.0.${third}.${fourth}`);
    const [a, b] = cidr.split(".");
    return `${a ?? ""}.${b ?? ""}.${third}.${fourth}`;
  });
}

function listUnderlayCidrs({ underlayCidr, ipv6 }: Spec): readonly string[] {
  return [underlayCidr, ...(ipv6 === undefined ? [] : [ipv6.underlayCidr])];
}

/** Returns the name of a network for Multus's annotations. */
export const findNetworkName = (name: string): string => `${SYSTEM_NAMESPACE}/plugin-${name}`;

const formatPoolName = (kind: keyof typeof RANGES, family: IpFamily): string => `plugin-${kind}-${family}`;

/** Returns UnderlayPools and UnderlayNetworks of the suite, and networks whose first NIC another plugin creates. */
export function listNetworkObjects(
  spec: Spec,
  external: Pick<ExternalHost, "address" | "address6">,
): readonly NetworkObject[] {
  const families = listFamilies(spec);
  const gateways: Readonly<Record<keyof typeof RANGES, readonly string[]>> = {
    fixed: listUnderlayCidrs(spec).map(getGateway),
    silent: buildUnderlayAddresses(spec, 168, SILENT_GATEWAY),
    beyond: [external.address, external.address6 ?? ""].filter((address) => address !== ""),
  };
  const pools = Object.entries(RANGES).flatMap(([kind, third]) =>
    buildUnderlayAddresses(spec, third, 0).map((firstAddress, index) =>
      buildInterlayObject("UnderlayPool", formatPoolName(kind as keyof typeof RANGES, getIpFamily(firstAddress)), {
        subnet: listUnderlayCidrs(spec)[index],
        ranges: [`${firstAddress}/${firstAddress.includes(":") ? 120 : 26}`],
        gateway: findInFamily(gateways[kind as keyof typeof RANGES], getIpFamily(firstAddress)),
        podSelector: { matchLabels: createPoolLabel(kind as keyof typeof RANGES) },
      }),
    ),
  );
  const namePools = (kind: keyof typeof RANGES) => families.map((family) => formatPoolName(kind, family));
  const networks = [
    buildInterlayObject("UnderlayNetwork", "plugin-fixed", { pools: namePools("fixed") }),
    buildInterlayObject("UnderlayNetwork", "plugin-careful", {
      pools: namePools("fixed"),
      options: { conflictDetection: true, gatewayDetection: true },
    }),
    buildInterlayObject("UnderlayNetwork", "plugin-silent", {
      pools: namePools("silent"),
      options: { gatewayDetection: true, probeAttempts: 2 },
    }),
    buildInterlayObject("UnderlayNetwork", "plugin-beyond", { pools: namePools("beyond") }),
    buildInterlayObject("UnderlayNetwork", "plugin-hijack", { options: { hijackCIDRs: families.map(findHostCidr) } }),
    buildInterlayObject("UnderlayNetwork", "plugin-options", {
      options: {
        mtu: 1400,
        txQueueLen: 321,
        macPrefix: "0a:1b",
        hostRouteTable: 777,
        hostRulePriority: 1777,
        podRulePriority: 2777,
        podMarkPriority: 1777,
      },
    }),
  ];
  return [...pools, ...networks, buildChainedNetwork("ptp", families), buildChainedNetwork("bridge", families)];
}

export const findHostCidr = (family: IpFamily): string => `${ON_NODE[family]}/${family === "ipv6" ? 128 : 32}`;

/** Returns a network in which another plugin creates the pod's first NIC and Interlay is chained after it. */
function buildChainedNetwork(type: "ptp" | "bridge", families: readonly IpFamily[]): NetworkObject {
  const subnets = {
    ptp: { ipv4: "10.98.0.0/24", ipv6: "fd98::/64" },
    bridge: { ipv4: "10.97.0.0/24", ipv6: "fd97::/64" },
  };
  const ipam = {
    type: "host-local",
    ranges: families.map((family) => [{ subnet: subnets[type][family] }]),
    routes: families.map((family) => ({ dst: family === "ipv4" ? "0.0.0.0/0" : "::/0" })),
  };
  const main = { type, ipMasq: true, ...(type === "bridge" ? { bridge: PLUGIN_BRIDGE, isGateway: true } : {}), ipam };
  const config = { cniVersion: "1.0.0", name: `plugin-${type}`, plugins: [main, { type: "interlay" }] };
  return {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { name: `plugin-${type}`, namespace: SYSTEM_NAMESPACE },
    spec: { config: JSON.stringify(config) },
  };
}

function buildInterlayObject(kind: string, name: string, spec: unknown): NetworkObject {
  return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec };
}

/** Creates the objects, and waits until the agent has written the networks' NetworkAttachmentDefinitions. */
export async function installNetworks(api: ClusterApi, objects: readonly NetworkObject[]): Promise<void> {
  await Promise.all(objects.map((object) => ensureObject(api, object)));
  const networkNames = objects.flatMap(({ kind, metadata }) => (kind === "UnderlayNetwork" ? [metadata.name] : []));
  await Eventually(
    "a NetworkAttachmentDefinition for every UnderlayNetwork",
    () => listDefinitions(api),
    (defined) => networkNames.every((name) => defined.includes(name)),
  );
}

/** Deletes the objects, and waits until their definitions are deleted too. */
export async function removeNetworks(api: ClusterApi, objects: readonly NetworkObject[]): Promise<void> {
  await Promise.all(
    objects.map((object) =>
      retryOnServerError(() => api.objects.delete(object)).catch((error: unknown) => {
        if (getStatusCode(error) !== 404) throw error;
      }),
    ),
  );
  const names = objects.map(({ metadata }) => metadata.name);
  await Eventually(
    "the networks' NetworkAttachmentDefinitions are deleted",
    () => listDefinitions(api),
    (defined) => !defined.some((name) => names.includes(name)),
    { timeout: 60_000 },
  );
}

async function listDefinitions(api: ClusterApi): Promise<readonly string[]> {
  const { items } = await retryOnServerError(() =>
    api.objects.list("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", SYSTEM_NAMESPACE),
  );
  return items.map(({ metadata }) => metadata?.name ?? "");
}
