import { stringify } from "yaml";
import { type PoolOptions, renderInterlay } from "../../plugin/deploy/render.ts";
import { applyCalicoSettings, calculateOverlayMtu, renderPool } from "../environments/calico-settings.ts";
import { CALICO_IMAGES, MULTUS_IMAGE } from "../images/pod-images.ts";
import { renderManifest } from "../manifests/render.ts";
import type { ClusterSpec } from "../provider.ts";
import { familiesOf, gatewayOf } from "../spec.ts";
import { applyWithDefinitions } from "./apply.ts";
import type { Kubectl } from "./kubectl.ts";

export interface Addons {
  readonly spec: Pick<ClusterSpec, "overlayCidr" | "underlayCidr" | "podRange" | "ipv6" | "environment">;
  /** Image reference of Interlay. */
  readonly interlay: string;
  /** File of Calico's custom resource definitions. */
  readonly calicoCrds: string;
}

/** Calico, Multus and Interlay: the same manifests wherever the cluster comes from. */
export async function installAddons(kubectl: Kubectl, addons: Addons): Promise<void> {
  const multus = installMultus(kubectl);
  await Promise.all([multus, installCalico(kubectl, addons), multus.then(() => installInterlay(kubectl, addons))]);
}

async function installCalico(kubectl: Kubectl, { spec, calicoCrds }: Addons): Promise<void> {
  await kubectl.applyFile(calicoCrds);
  const { calico, nodes } = spec.environment?.spec ?? {};
  const manifest = await renderManifest("calico", {
    NODE_IMAGE: CALICO_IMAGES.node,
    CNI_IMAGE: CALICO_IMAGES.cni,
    KUBE_CONTROLLERS_IMAGE: CALICO_IMAGES.kubeControllers,
    MTU: String(calculateOverlayMtu(nodes?.mtu)),
    ...familyValues(spec),
  });
  await kubectl.apply(applyCalicoSettings(manifest, calico));
  for (const pool of calico?.extraPools ?? []) await kubectl.apply(stringify(renderPool(pool, spec.underlayCidr)));
}

async function installMultus(kubectl: Kubectl): Promise<void> {
  await applyWithDefinitions(kubectl, await renderManifest("multus", { MULTUS_IMAGE }));
}

/** Its network attachment is of Multus's kind. */
export async function installInterlay(kubectl: Kubectl, { spec, interlay }: Omit<Addons, "calicoCrds">): Promise<void> {
  const manifest = renderInterlay({ image: interlay, returnPath: "notrack", pools: poolsFor(spec) });
  await applyWithDefinitions(kubectl, manifest);
}

/** A family each. */
export function poolsFor(spec: Addons["spec"]): readonly PoolOptions[] {
  return [pool("underlay", spec), ...(spec.ipv6 === undefined ? [] : [pool("underlay-ipv6", spec.ipv6)])];
}

/** Calico's words for the families. */
function familyValues(spec: Addons["spec"]): Readonly<Record<string, string>> {
  const families = familiesOf(spec);
  const [ipv4, ipv6] = [families.includes("ipv4"), families.includes("ipv6")];
  return {
    IPV4: String(ipv4),
    IPV6: String(ipv6),
    IPV4_AUTODETECTION: ipv4 ? "autodetect" : "none",
    IPV6_AUTODETECTION: ipv6 ? "autodetect" : "none",
    // A router id is an IPv4 address; where there is none it is made from the node's name.
    ROUTER_ID: ipv4 ? "" : "hash",
    OVERLAY_CIDR_IPV4: ipv4 ? spec.overlayCidr : "",
    OVERLAY_CIDR_IPV6: (ipv4 ? spec.ipv6?.overlayCidr : spec.overlayCidr) ?? "",
  };
}

function pool(name: string, { underlayCidr: subnet, podRange }: Pick<ClusterSpec, "underlayCidr" | "podRange">) {
  return { name, subnet, ranges: [podRange], gateway: gatewayOf(subnet) };
}
