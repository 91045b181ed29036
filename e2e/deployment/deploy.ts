import type { Cluster, ExternalHost } from "../../clusters/provider/provider.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { listFamilies, type IpFamily } from "../../clusters/spec/address-ranges.ts";
import { Prober } from "../support/prober.ts";
import { EXTERNAL } from "../cells/cell.ts";
import type { Features } from "../cells/features.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import { AddressBook } from "./address-book.ts";
import { type DeployedPod, removeForeignPods, waitUntilPodsReady } from "./deployed-pods.ts";
import { findFeatures } from "./detect-features.ts";
import { groupByFamily } from "../pods/pod-addresses.ts";
import { readOverlayAddresses } from "../pods/overlay-addresses.ts";
import { createManifests, NAMESPACE } from "../pods/suite-pods.ts";
import { readServices, waitForVirtualAddresses } from "./services.ts";

/** Command that starts a prober in a pod. */
export const CLIENT = ["/usr/local/bin/probe", "client"];
const READY_TIMEOUT_MS = 120_000;

/** The running pods of the three types, with everything that cells need. */
export interface Deployment extends Pick<AddressBook, "getAddress" | "locate" | "findSources"> {
  /** Namespace of the pods and Services. */
  readonly namespace: string;
  /** Pods that run but are not ready, each with its node: the cells show the cause. */
  readonly notReady: readonly string[];
  readonly workers: readonly string[];
  /** Families of the addresses of every pod and Service. */
  readonly families: readonly IpFamily[];
  readonly pods: ReadonlyMap<string, DeployedPod>;
  /** Features that only some clusters have. */
  readonly features: Features;
  /** Whether the settings of overlay and kube-proxy are those of the variant's environment. */
  readonly settingsKnown: boolean;
  /** Versions of the cluster's components, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Whether the expected source addresses are known; false if another solution than Interlay connects the pods. */
  readonly judgesSources: boolean;
  /** Undefined if the cluster has no external host. */
  readonly external: ExternalHost | undefined;
  readonly externalName: string;
  /** Starts a prober in a pod or on the external host, or returns the one that runs there. */
  getProber(from: string): Promise<Prober>;
  closeProbers(): Promise<void>;
}

/**
 * Creates the missing pods and waits until every pod is ready; pods that run but are not ready are in `notReady`. Pods of another
 * image are recreated.
 * @throws an error if a pod does not run, with the last warning
 */
export async function deployPods(cluster: Cluster, api: ClusterApi, timeoutMs = READY_TIMEOUT_MS): Promise<Deployment> {
  const workers = cluster.nodes.filter((node) => node.role === "worker").map((node) => node.name);
  const families = listFamilies(cluster.spec);
  const { network, nodeAccess, namespace = NAMESPACE, hostPort = TCP_PORT, podSettings } = cluster;
  const features = await findFeatures(cluster, api);
  const { hostPorts, vips: balanced } = features;
  const hostPods = nodeAccess !== "none";
  const manifests = createManifests(cluster.probeImage, workers, {
    families,
    namespace,
    hostPort,
    network,
    hostPods,
    hostPorts,
    balanced,
    settings: podSettings,
  });
  await removeForeignPods(api, namespace, manifests);
  const [namespaceObject, ...otherObjects] = manifests;
  if (namespaceObject !== undefined) await ensureObject(api, namespaceObject);
  await Promise.all(otherObjects.map((object) => ensureObject(api, object)));
  const names = manifests.filter((object) => object.kind === "Pod").map(({ metadata }) => metadata.name);
  const { pods, notReady } = await waitUntilPodsReady(api, namespace, names, timeoutMs);
  if (balanced) await waitForVirtualAddresses(api, namespace);
  const [services, external, overlay, apiServer] = await Promise.all([
    readServices(api, namespace),
    cluster.external(),
    readOverlayAddresses(cluster),
    api.core.readNamespacedService({ name: "kubernetes", namespace: "default" }),
  ]);
  const addresses = new AddressBook({
    nodes: cluster.nodes,
    workers,
    pods,
    services,
    external: groupByFamily([external?.address, external?.address6]),
    apiServer: apiServer.spec?.clusterIP,
    overlay,
    externalTarget: cluster.externalTarget,
    hostPort,
    defaultFamily: families[0] ?? "ipv4",
  });
  const probers = new Map<string, Promise<Prober>>();
  return {
    namespace,
    notReady,
    workers,
    families,
    pods,
    external,
    externalName: (await external?.exec(["hostname"]))?.stdout.trim() ?? "",
    features,
    judgesSources: cluster.datapath !== "none",
    settingsKnown: hasCapability(cluster.provider, "create-clusters"),
    versions: cluster.versions,
    getAddress: (...endpoint) => addresses.getAddress(...endpoint),
    locate: (cell) => addresses.locate(cell),
    findSources: (...source) => addresses.findSources(...source),
    getProber: (from) => {
      const running = probers.get(from);
      if (running !== undefined) return running;
      const stream = from === EXTERNAL ? getExternalHost(external).attach(CLIENT) : api.attach(namespace, from, CLIENT);
      const started = stream.then((programStream) => new Prober(from, programStream).waitUntilStarted());
      probers.set(from, started);
      return started;
    },
    closeProbers: async () => {
      await Promise.all([...probers.values()].map(async (prober) => (await prober).close()));
      probers.clear();
    },
  };
}

/** Returns the external host. @throws an error if there is none, as in an existing cluster */
export function getExternalHost(external: ExternalHost | undefined): ExternalHost {
  if (external === undefined) throw new Error("the cluster has no external host");
  return external;
}
