import pRetry from "p-retry";
import { stringify } from "yaml";
import { type PoolOptions, renderInterlay } from "../../plugin/deploy/render-installation.ts";
import { applyCalicoSettings, calculateOverlayMtu, renderPool } from "../environments/calico-settings.ts";
import { listRacks, RACK_LABEL } from "../environments/rack-subnets.ts";
import { CALICO_IMAGES, FLANNEL_IMAGE, MULTUS_IMAGE, MULTUS_THICK_IMAGE } from "../images/pod-images.ts";
import { BRIDGE_CONFLIST } from "./plan-bridge.ts";
import { renderManifest } from "../manifests/render-manifest.ts";
import type { OverlaySettings } from "../spec/environment-spec.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { listFamilies, getGateway } from "../spec/address-ranges.ts";
import { findAdmissionVersion } from "../kubernetes/admission-version.ts";
import { applyWithDefinitions } from "../kubernetes/apply-manifest.ts";
import type { Kubectl } from "../kubernetes/kubectl.ts";

interface Addons {
  readonly spec: Pick<ClusterSpec, "overlayCidr" | "underlayCidr" | "nodeRange" | "podRange" | "ipv6" | "environment">;
  /** Image reference of Interlay. */
  readonly interlay: string;
  /** File of Calico's custom resource definitions. */
  readonly calicoCrds: string;
}

/** Directory of the network configurations to which Multus delegates. */
const DELEGATES = "/etc/cni/multus/net.d";
/** Directory in which the container runtime looks for its network configuration. */
const RUNTIME_DIRECTORY = "/etc/cni/net.d";

/**
 * Installs the pod network, Multus and Interlay, with the same manifests for every provider. A pod network of the plugin `bridge`
 * has no manifest; see installBridgeNetwork.
 */
export async function installAddons(kubectl: Kubectl, addons: Addons): Promise<void> {
  const { spec } = addons;
  const multus = installMultus(kubectl, spec);
  await Promise.all([multus, installPodNetwork(kubectl, addons), multus.then(() => installInterlay(kubectl, addons))]);
}

async function installPodNetwork(kubectl: Kubectl, addons: Addons): Promise<void> {
  const { overlay } = addons.spec.environment?.spec ?? {};
  if (overlay === undefined) await installCalico(kubectl, addons);
  else if (overlay.kind === "flannel")
    await kubectl.apply(
      await renderManifest("flannel", {
        OVERLAY_CIDR: addons.spec.overlayCidr,
        BACKEND: overlay.backend,
        IMAGE: FLANNEL_IMAGE,
      }),
    );
}

async function installCalico(kubectl: Kubectl, { spec, calicoCrds }: Addons): Promise<void> {
  await kubectl.applyFile(calicoCrds);
  const { calico, nodes, multus } = spec.environment?.spec ?? {};
  const manifest = await renderManifest("calico", {
    NODE_IMAGE: CALICO_IMAGES.node,
    CNI_IMAGE: CALICO_IMAGES.cni,
    KUBE_CONTROLLERS_IMAGE: CALICO_IMAGES.kubeControllers,
    MTU: String(calculateOverlayMtu(listFamilies(spec), nodes?.mtu)),
    DELEGATES: multus === "thick" ? RUNTIME_DIRECTORY : DELEGATES,
    ...listFamilyValues(spec),
  });
  await kubectl.apply(applyCalicoSettings(manifest, calico));
  const extraPools = calico?.extraPools ?? [];
  if (extraPools.length > 0) await waitForDefaultPools(kubectl, listFamilies(spec).length);
  for (const pool of extraPools) await kubectl.apply(stringify(renderPool(pool, spec.underlayCidr)));
}

/** Waits until calico-node has created its default pools, which it does only if no other pool exists. */
async function waitForDefaultPools(kubectl: Kubectl, count: number): Promise<void> {
  await pRetry(
    async () => {
      const pools = await kubectl.run(["get", "ippools.crd.projectcalico.org", "--output=name"]);
      if (pools.trim().split("\n").filter(Boolean).length < count)
        throw new Error("Calico has not created its default pools: see the logs of calico-node");
    },
    { retries: 120, factor: 1, minTimeout: 1000 },
  );
}

async function installMultus(kubectl: Kubectl, { environment }: Addons["spec"]): Promise<void> {
  const { multus, overlay } = environment?.spec ?? {};
  const manifest =
    multus === "thick"
      ? await renderManifest("multus-thick", { MULTUS_IMAGE: MULTUS_THICK_IMAGE })
      : await renderManifest("multus", { MULTUS_IMAGE, READINESS_FILE: findReadinessFile(overlay) });
  await applyWithDefinitions(kubectl, manifest);
}

/** Returns the file that Multus waits for on a node: the pod network's plugin works only after it exists. */
function findReadinessFile(overlay: OverlaySettings | undefined): string {
  if (overlay === undefined) return `${RUNTIME_DIRECTORY}/calico-kubeconfig`;
  return overlay.kind === "flannel" ? `${DELEGATES}/10-flannel.conflist` : BRIDGE_CONFLIST;
}

/** Installs Interlay. Requires Multus, whose manifest defines the kind NetworkAttachmentDefinition. */
export async function installInterlay(kubectl: Kubectl, { spec, interlay }: Omit<Addons, "calicoCrds">): Promise<void> {
  const { topology } = spec.environment?.spec ?? {};
  const manifest = renderInterlay({
    admission: await findAdmissionVersion((path) => kubectl.readPath(path)),
    image: interlay,
    returnPath: "notrack",
    pools: listPools(spec),
    ...(topology === "second-nic" ? { uplink: "eth1" } : {}),
  });
  await applyWithDefinitions(kubectl, manifest);
}

/** Returns the pools of a cluster: one for each rack if it has racks, else one for each address family. */
export function listPools(spec: Addons["spec"]): readonly PoolOptions[] {
  if (spec.environment?.spec.topology === "racks")
    return listRacks(spec.nodeRange).map(({ name, subnet, podRange, gateway }) => ({
      name: `underlay-${name}`,
      subnet,
      ranges: [podRange],
      gateway,
      nodeSelector: { matchLabels: { [RACK_LABEL]: name } },
    }));
  return [createPool("underlay", spec), ...(spec.ipv6 === undefined ? [] : [createPool("underlay-ipv6", spec.ipv6)])];
}

/** Returns the values of Calico's manifest that depend on the address families. */
function listFamilyValues(spec: Addons["spec"]): Readonly<Record<string, string>> {
  const families = listFamilies(spec);
  const [ipv4, ipv6] = [families.includes("ipv4"), families.includes("ipv6")];
  return {
    IPV4: String(ipv4),
    IPV6: String(ipv6),
    IPV4_AUTODETECTION: ipv4 ? "autodetect" : "none",
    IPV6_AUTODETECTION: ipv6 ? "autodetect" : "none",
    // A router id looks like an IPv4 address; without IPv4 it is a hash of the node's name.
    ROUTER_ID: ipv4 ? "" : "hash",
    OVERLAY_CIDR_IPV4: ipv4 ? spec.overlayCidr : "",
    OVERLAY_CIDR_IPV6: (ipv4 ? spec.ipv6?.overlayCidr : spec.overlayCidr) ?? "",
  };
}

function createPool(name: string, { underlayCidr: subnet, podRange }: Pick<ClusterSpec, "underlayCidr" | "podRange">) {
  return { name, subnet, ranges: [podRange], gateway: getGateway(subnet) };
}
