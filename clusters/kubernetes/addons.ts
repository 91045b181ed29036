import { renderInterlay } from "../../plugin/deploy/render.ts";
import { CALICO_IMAGES, MULTUS_IMAGE } from "../images/pod-images.ts";
import { renderManifest } from "../manifests/render.ts";
import type { ClusterSpec } from "../provider.ts";
import { gatewayOf } from "../spec.ts";
import { applyWithDefinitions } from "./apply.ts";
import type { Kubectl } from "./kubectl.ts";

/** The underlay has 1500 bytes; VXLAN takes 50 of them. */
const OVERLAY_MTU = "1450";

export interface Addons {
  readonly spec: Pick<ClusterSpec, "overlayCidr" | "underlayCidr" | "podRange" | "ipv6">;
  /** Image reference of Interlay. */
  readonly interlay: string;
  /** File of Calico's custom resource definitions. */
  readonly calicoCrds: string;
}

/** Calico, Multus and Interlay: the same manifests wherever the cluster comes from. */
export async function installAddons(kubectl: Kubectl, addons: Addons): Promise<void> {
  const multus = installMultus(kubectl);
  await Promise.all([
    multus,
    installCalico(kubectl, addons),
    multus.then(() => installInterlay(kubectl, addons)), // its network attachment is of Multus's kind
  ]);
}

async function installCalico(kubectl: Kubectl, { spec, calicoCrds }: Addons): Promise<void> {
  await kubectl.applyFile(calicoCrds);
  await kubectl.apply(
    await renderManifest("calico", {
      NODE_IMAGE: CALICO_IMAGES.node,
      CNI_IMAGE: CALICO_IMAGES.cni,
      KUBE_CONTROLLERS_IMAGE: CALICO_IMAGES.kubeControllers,
      OVERLAY_CIDR: spec.overlayCidr,
      MTU: OVERLAY_MTU,
      IPV6: String(spec.ipv6 !== undefined),
      IPV6_AUTODETECTION: spec.ipv6 === undefined ? "none" : "autodetect",
      OVERLAY_CIDR_IPV6: spec.ipv6?.overlayCidr ?? "",
    }),
  );
}

async function installMultus(kubectl: Kubectl): Promise<void> {
  await applyWithDefinitions(kubectl, await renderManifest("multus", { MULTUS_IMAGE }));
}

async function installInterlay(kubectl: Kubectl, { spec, interlay }: Addons): Promise<void> {
  const manifest = renderInterlay({
    image: interlay,
    returnPath: "notrack",
    pools: [pool("underlay", spec), ...(spec.ipv6 === undefined ? [] : [pool("underlay-ipv6", spec.ipv6)])],
  });
  await applyWithDefinitions(kubectl, manifest);
}

function pool(name: string, { underlayCidr: subnet, podRange }: Pick<ClusterSpec, "underlayCidr" | "podRange">) {
  return { name, subnet, ranges: [podRange], gateway: gatewayOf(subnet) };
}
