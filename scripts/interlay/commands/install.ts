import {
  ApisApi,
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1DaemonSet,
} from "@kubernetes/client-node";
import { Command, Option } from "commander";
import { stringify } from "yaml";
import { CONFIG_MAP, STORED_VERSION, SYSTEM_NAMESPACE } from "../../../plugin/kubernetes/objects.ts";
import { getImage } from "../../../clusters/existing/inventory/read-objects.ts";
import { readAdmissionVersion } from "../../../clusters/kubernetes/admission-version.ts";
import { applyObject } from "../../../clusters/kubernetes/server-side-apply.ts";
import { ignoreStatus } from "../../../clusters/kubernetes/status-code.ts";
import { waitUntil } from "../../../clusters/kubernetes/wait-until.ts";
import { createProgress } from "../../../clusters/progress/create-progress.ts";
import { buildInstallation, listObsoleteObjects } from "../../../plugin/deploy/installation.ts";
import { detectClusterDistribution, type Distribution } from "./install/distribution.ts";
import { collectValues, completeOptions, type InstalledState, type InstallFlags } from "./install/install-options.ts";
import {
  addClusterOptions,
  addGlobalOptions,
  type ClusterFlags,
  loadCluster,
  type OutputFormat,
} from "../program/common-options.ts";
import { printOutput } from "../program/output.ts";
import { migrateWithProgress } from "./migrate-storage.ts";
import { readStatus } from "./status.ts";
import { renderStatus } from "./status/render-status.ts";

const POOL_GROUP = "Options for a pool and its network:";

interface Flags extends ClusterFlags, InstallFlags {
  readonly detect?: true;
  readonly dryRun?: true;
  readonly wait: boolean;
  readonly timeout: number;
  readonly output: OutputFormat;
}

/** `interlay install`: applies the manifests, waits until all agents are ready, and prints the status. */
export function createInstallCommand(): Command {
  const addPoolOption = (option: Option) => option.helpGroup(POOL_GROUP);
  const command = new Command("install")
    .description("install or upgrade Interlay in a cluster by server-side apply, and wait until it is ready")
    .option("--image <reference>", "image of Interlay, as the nodes pull it (default: that of the running agents)")
    .addOption(
      new Option("--return-path <mode>", "return path (default: auto, or what ConfigMap interlay-config has)").choices([
        "auto",
        "notrack",
        "liberal",
        "snat",
        "none",
      ]),
    )
    .addOption(
      new Option("--pull-secret <name>", `Secret in ${SYSTEM_NAMESPACE} to pull the image with; may be repeated`)
        .argParser(collectValues)
        .default([], "none"),
    )
    .option("--detect", "detect the distribution: K3s, RKE2, MicroK8s, OpenShift, Talos, Bottlerocket have own paths")
    .option("--cni-bin-dir <path>", "plugin directory of the nodes (default: that of the agents, else /opt/cni/bin)")
    .option("--dry-run", "print the objects as YAML; the API server is only read")
    .option("--no-wait", "do not wait until all agents are ready")
    .addOption(addPoolOption(new Option("--subnet <cidr>", "underlay network")))
    .addOption(
      addPoolOption(
        new Option("--range <range>", "addresses for pods: CIDR or FIRST-LAST; may be repeated")
          .argParser(collectValues)
          .default([], "none"),
      ),
    )
    .addOption(addPoolOption(new Option("--gateway <address>", "default gateway of underlay pods")))
    .addOption(
      addPoolOption(new Option("--uplink <link>", "parent link on the nodes (default: that of the default route)")),
    )
    .addOption(addPoolOption(new Option("--network <name>", "name of pool and network").default("underlay")))
    .addHelpText(
      "after",
      `
Examples:
  interlay install --image registry.example/interlay:0.1.0 --subnet 10.7.0.0/16 --range 10.7.200.10-10.7.200.250
  interlay install --image registry.example/interlay:0.1.0 --detect --dry-run > interlay.yaml`,
    );
  return addGlobalOptions(addClusterOptions(command), ["timeout", "output"]).action(runInstall);
}

async function runInstall(flags: Flags): Promise<void> {
  const config = await loadCluster(flags);
  const distribution = flags.detect ? await detectInCluster(config) : undefined;
  const options = completeOptions(flags, await readInstalled(config, distribution));
  const objects = buildInstallation({ ...options, admission: await readAdmissionVersion(config) });
  if (flags.dryRun) {
    if (flags.output === "table") process.stdout.write(objects.map((object) => stringify(object)).join("---\n"));
    else printOutput(flags.output, objects, () => "");
    return;
  }
  const progress = createProgress();
  if (distribution !== undefined)
    progress.note(
      `${distribution.name}: plugins in ${distribution.cniBinDirectory}, networks in ${distribution.cniConfDirectory}`,
    );
  const deadline = Date.now() + 1000 * flags.timeout;
  await assertMultus(config);
  const step = progress.step("apply the objects");
  try {
    for (const object of objects) {
      step.update(`${object.kind} ${object.metadata.name}`);
      await applyObject(config, object, deadline);
    }
  } catch (error) {
    step.fail("the API server refused an object");
    throw error;
  }
  step.done(`${objects.length} objects`);
  if (flags.wait) await waitForNetwork(config, flags, deadline);
  const timeoutMs = flags.wait ? Math.max(1, deadline - Date.now()) : 0;
  const status = await readStatus(config, timeoutMs, flags.subnet !== undefined);
  if (status.ready) await deleteObsoleteObjects(config);
  await migrateWithProgress(config, STORED_VERSION);
  printOutput(flags.output, status, () => renderStatus(status));
  if (status.ready && status.pools.length === 0)
    progress.note(
      "pods get an underlay address once an UnderlayPool exists: create pool and network (docs/install.md)",
    );
  if (flags.wait && !status.ready) process.exitCode = 1;
}

/** Deletes objects of an earlier version that no agent uses: their service account may change the objects of every node. */
async function deleteObsoleteObjects(config: KubeConfig): Promise<void> {
  const client = KubernetesObjectApi.makeApiClient(config);
  for (const object of listObsoleteObjects()) await client.delete(object as KubernetesObject).catch(ignoreStatus(404));
}

/** Waits until the controller has created the NetworkAttachmentDefinition of a new network. */
async function waitForNetwork(config: KubeConfig, { subnet, network }: Flags, deadline: number): Promise<void> {
  if (subnet === undefined) return;
  const object = {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { name: network, namespace: SYSTEM_NAMESPACE },
  };
  const read = () => KubernetesObjectApi.makeApiClient(config).read(object).catch(ignoreStatus(404));
  await waitUntil(
    `the network ${SYSTEM_NAMESPACE}/${network} exists`,
    async () => (await read()) !== undefined,
    deadline,
    "see interlay status, and run this again",
  );
}

/** Checks that the cluster serves NetworkAttachmentDefinitions. @throws if Multus is not installed */
async function assertMultus(config: KubeConfig): Promise<void> {
  const { groups } = await config.makeApiClient(ApisApi).getAPIVersions();
  if (!groups.some(({ name }) => name === "k8s.cni.cncf.io"))
    throw new Error(
      "Multus is not installed: the kind NetworkAttachmentDefinition (k8s.cni.cncf.io) does not exist. Install Multus first (docs/install.md).",
    );
}

async function detectInCluster(config: KubeConfig): Promise<Distribution> {
  const { items } = await config.makeApiClient(CoreV1Api).listNode();
  return detectClusterDistribution(
    items.map(({ metadata, status }) => ({
      name: metadata?.name ?? "",
      kubelet: status?.nodeInfo?.kubeletVersion ?? "",
      osImage: status?.nodeInfo?.osImage ?? "",
      labels: metadata?.labels ?? {},
    })),
  );
}

async function readInstalled(config: KubeConfig, distribution: Distribution | undefined): Promise<InstalledState> {
  const [set, configMap] = await Promise.all([
    config
      .makeApiClient(AppsV1Api)
      .readNamespacedDaemonSet({ name: "interlay", namespace: SYSTEM_NAMESPACE })
      .catch(ignoreStatus(404)),
    config
      .makeApiClient(CoreV1Api)
      .readNamespacedConfigMap({ name: CONFIG_MAP, namespace: SYSTEM_NAMESPACE })
      .catch(ignoreStatus(404)),
  ]);
  return {
    image: getImage(set),
    hasConfig: configMap !== undefined,
    cniBinDirectory: distribution?.cniBinDirectory ?? findBinDirectory(set) ?? "/opt/cni/bin",
  };
}

function findBinDirectory(daemonSet: V1DaemonSet | undefined): string | undefined {
  return daemonSet?.spec?.template.spec?.volumes?.find(({ name }) => name === "cni-bin")?.hostPath?.path;
}
