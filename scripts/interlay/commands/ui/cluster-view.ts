import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import type { PodType } from "../../../../results/schema.ts";
import { type InstallationStatus, judgeInstallation } from "../status/installation-status.ts";
import { observeInstallation } from "../status/observation.ts";

const NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status";
const networks = z.array(z.object({ interface: z.string().default(""), ips: z.array(z.string()).default([]) }));

/** A running pod on the page of a cluster. */
interface PodView {
  /** `NAMESPACE/NAME` */
  readonly name: string;
  readonly node: string;
  readonly type: PodType;
  /** Link and addresses of each NIC, like `eth0 10.233.64.9`. */
  readonly nics: readonly string[];
}

/** Content of the page of a cluster. */
export interface ClusterView {
  readonly status: InstallationStatus;
  readonly pods: readonly PodView[];
}

/** The fields of a Pod that are shown. */
interface ListedPod {
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

/** Reads the status of Interlay, and the running pods with networks of their own. Changes nothing. */
export async function readClusterView(config: KubeConfig): Promise<ClusterView> {
  const [observation, { items }] = await Promise.all([
    observeInstallation(config),
    config.makeApiClient(CoreV1Api).listPodForAllNamespaces(),
  ]);
  return { status: judgeInstallation(observation), pods: items.flatMap((pod) => describePod(pod) ?? []) };
}

/** Describes a pod. Pure. @returns undefined for a pod that does not run, or uses its node's network */
export function describePod({ metadata, spec, status }: ListedPod): PodView | undefined {
  if (spec?.hostNetwork === true || status?.phase !== "Running") return undefined;
  const annotations = metadata?.annotations ?? {};
  return {
    name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
    node: spec?.nodeName ?? "",
    type: findPodType(annotations),
    nics: listNics(annotations[NETWORK_STATUS]) ?? [`eth0 ${status.podIP ?? ""}`],
  };
}

function findPodType(annotations: Readonly<Record<string, string>>): PodType {
  if (annotations["v1.multus-cni.io/default-network"] !== undefined) return "underlay";
  return annotations["k8s.v1.cni.cncf.io/networks"] === undefined ? "overlay" : "multi-nic";
}

/** Parses Multus' annotation. @returns undefined if it is missing or invalid */
function listNics(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  try {
    // Multus gives the default network's link no name.
    return networks.parse(JSON.parse(text)).map((nic) => `${nic.interface || "eth0"} ${nic.ips.join(" ")}`);
  } catch {
    return undefined;
  }
}
