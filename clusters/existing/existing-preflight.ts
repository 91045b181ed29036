import type { PreflightFinding } from "../provider/provider.ts";
import { countAddresses } from "./count-addresses.ts";
import { chooseNodes, describeLeftOut, type NodeChoice } from "./choose-nodes.ts";
import { listReturnPaths } from "./list-return-paths.ts";
import type { ClusterInventory } from "./inventory/inventory.ts";
import type { ExistingOptions } from "./existing-options.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";
import { chooseImageSource, chooseNetwork } from "./selection.ts";

/** One row of the preflight's table. */
interface PreflightRow {
  /** Name of the checked property. */
  readonly property: string;
  /** Value that the cluster has. */
  readonly found: string;
  /** Undefined: the value is as required. */
  readonly problem?: PreflightFinding;
}

/** Number of underlay addresses for the pods of a node: two underlay pods and two multi-NIC pods. */
const ADDRESSES_PER_NODE = 4;
/** Oldest supported kernel, as in docs/install.md. */
const MIN_KERNEL = [5, 10] as const;

type PreflightRequest = Pick<
  ExistingOptions,
  "datapath" | "workers" | "nodeSelector" | "pool" | "network" | "image" | "agentImage"
>;

/** Returns the properties of a cluster, with the problems that prevent a run (errors) or limit its results (warnings). Pure. */
export function checkPreconditions(
  inventory: ClusterInventory,
  options: PreflightRequest = { datapath: "interlay", workers: 2 },
): readonly PreflightRow[] {
  const choice = chooseNodes(inventory, options);
  const installs = options.datapath === "interlay" && inventory.interlay === undefined;
  return [
    { property: "API server", found: inventory.server },
    checkKubelets(inventory.nodes),
    checkNodes(inventory.nodes, choice, options),
    checkKernels(inventory.nodes, choice.chosen),
    checkKubeProxy(inventory),
    checkMultus(inventory),
    { property: "macvlan networks", found: inventory.macvlans.join(", ") || "none" },
    checkOverlay(inventory),
    checkInterlay(inventory, options, choice.chosen),
    checkNetwork(inventory, options),
    checkAddresses(inventory, choice.chosen.length * ADDRESSES_PER_NODE, options),
    checkImages(inventory, choice.chosen, options),
    checkPermissions([...inventory.denied, ...(installs ? inventory.deniedInstall : [])]),
  ];
}

/** Creates a row. An error takes precedence over a warning. */
function createRow(property: string, found: string, error?: string, warning?: string): PreflightRow {
  if (error !== undefined) return { property, found, problem: { severity: "error", message: error } };
  if (warning !== undefined) return { property, found, problem: { severity: "warning", message: warning } };
  return { property, found };
}

function checkKubelets(nodes: readonly InventoryNode[]): PreflightRow {
  const versions = [...new Set(nodes.map(({ kubelet }) => kubelet))];
  const warning =
    versions.length > 1
      ? "The kubelets have different versions: a result does not show which of them it depends on."
      : undefined;
  return createRow("kubelets", versions.join(", "), undefined, warning);
}

function checkNodes(
  nodes: readonly InventoryNode[],
  choice: NodeChoice,
  { nodeSelector }: PreflightRequest,
): PreflightRow {
  const ready = nodes.filter((node) => node.ready).length;
  const workers = nodes.filter(({ controlPlane }) => !controlPlane).length;
  const names = choice.chosen.map(({ name }) => name).join(", ") || "none";
  const selection = nodeSelector === undefined ? "" : ` of those with ${nodeSelector}`;
  const singleNode =
    choice.chosen.length === 1 ? ["Pods run on one node: no cell has its target on another node."] : [];
  const warnings = [...singleNode, ...describeLeftOut(choice)];
  return createRow(
    "nodes",
    `${ready} of ${nodes.length} Ready, ${workers} workers; pods on ${names}`,
    choice.chosen.length === 0 ? `No node${selection} can get pods. ${warnings.join(" ")}`.trim() : undefined,
    warnings.length > 0 ? warnings.join(" ") : undefined,
  );
}

function checkKernels(nodes: readonly InventoryNode[], chosen: readonly InventoryNode[]): PreflightRow {
  const kernels = new Set(nodes.map(({ kernel }) => kernel || "unknown"));
  const old = chosen.filter(({ kernel }) => isKernelTooOld(kernel)).map(({ name }) => name);
  const error =
    old.length > 0 ? `The kernel of ${old.join(", ")} is older than ${MIN_KERNEL.join(".")}: upgrade it.` : undefined;
  return createRow("kernels", [...kernels].join(", "), error);
}

/** Whether a kernel is older than MIN_KERNEL. False for an unknown version, like that of a lab's nodes. */
function isKernelTooOld(kernel: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) < MIN_KERNEL[0] || (Number(major) === MIN_KERNEL[0] && Number(minor) < MIN_KERNEL[1]);
}

function checkKubeProxy({ kubeProxy: finding }: ClusterInventory): PreflightRow {
  const property = "kube-proxy";
  if (finding.kubeProxy === undefined) return createRow(property, "unknown", `${finding.problem}.`);
  const { version, mode } = finding.kubeProxy;
  if (mode === "none") {
    const warning =
      "No kube-proxy was found, so no rule for INVALID packets is expected. If one runs as a program of the nodes, name it with --kube-proxy.";
    return createRow(property, `none: ${finding.source}`, undefined, warning);
  }
  const warning =
    mode === "ipvs"
      ? "kube-proxy in mode ipvs has no rule for INVALID packets: cells must pass with every return path. The suite itself was not run with ipvs."
      : undefined;
  return createRow(property, `${version} (${mode}), source: ${finding.source}`, undefined, warning);
}

function checkMultus({ multus, nadKind }: ClusterInventory): PreflightRow {
  return createRow(
    "Multus",
    multus ?? "not found",
    nadKind ? undefined : "The kind NetworkAttachmentDefinition does not exist: install Multus first.",
    multus === undefined
      ? "No DaemonSet has multus in its name: if Multus is missing, pods will not have net1."
      : undefined,
  );
}

function checkOverlay({ overlay, calico, overlayCidrs }: ClusterInventory): PreflightRow {
  const property = "overlay";
  const agent = overlay === undefined ? "no known DaemonSet" : `${overlay.name} (${overlay.image})`;
  const networks = calico.length > 0 ? calico : overlayCidrs;
  const found = [agent, ...networks].join(", ");
  if (networks.length === 0)
    return createRow(property, found, undefined, "The overlay's network is not known: routes to it are not checked.");
  const warning = calico.every((pool) => pool.endsWith("VXLAN"))
    ? undefined
    : "Not every pool of Calico uses VXLAN: the documented routes are those of VXLAN.";
  return createRow(property, found, undefined, warning);
}

function checkInterlay(
  { interlay }: ClusterInventory,
  { datapath, pool }: PreflightRequest,
  chosen: readonly InventoryNode[],
): PreflightRow {
  const property = "Interlay";
  const returnPaths = interlay === undefined ? [] : listReturnPaths(interlay, chosen);
  const found = interlay === undefined ? "not found" : `${interlay.image}, return path ${returnPaths.join(" and ")}`;
  if (datapath === "none") return createRow(property, `${found}; another solution is tested (--datapath none)`);
  if (interlay !== undefined)
    return createRow(
      property,
      found,
      returnPaths.length > 1
        ? "The agents of these nodes use different return paths: choose nodes with the same return path with --node-selector."
        : undefined,
    );
  return createRow(
    property,
    "not found: the run installs and removes it",
    pool === undefined
      ? "Interlay is not installed, and its installation needs a range of addresses: name one with --pool."
      : undefined,
  );
}

function checkNetwork(inventory: ClusterInventory, options: PreflightRequest): PreflightRow {
  const property = "network of underlay links";
  const network = chooseNetwork(inventory, options);
  if (network !== undefined) return createRow(property, network);
  const { macvlans } = inventory;
  return createRow(
    property,
    "undecided",
    macvlans.length === 0
      ? "No NetworkAttachmentDefinition uses macvlan: create one, or name another network with --network."
      : `There are several macvlan networks: name one of ${macvlans.join(", ")} with --network.`,
  );
}

function checkAddresses(
  { poolRanges, heldAddresses }: ClusterInventory,
  needed: number,
  { pool, datapath }: PreflightRequest,
): PreflightRow {
  const property = "free addresses";
  if (datapath === "none") return createRow(property, "not counted: the tested solution assigns its own");
  const ranges = pool === undefined ? poolRanges : [pool];
  const size = ranges.reduce((sum, range) => sum + countAddresses(range), 0n);
  const free = size - (pool === undefined ? BigInt(heldAddresses) : 0n);
  const found = ranges.length === 0 ? "no pool" : `${free < 0n ? 0n : free} of ${size} in ${ranges.join(", ")}`;
  const error =
    free < BigInt(needed) ? `The suite needs ${needed} free addresses: use a pool with a larger range.` : undefined;
  return createRow(property, found, error);
}

function checkImages(
  { nodes, interlay }: ClusterInventory,
  chosen: readonly InventoryNode[],
  options: PreflightRequest,
): PreflightRow {
  const source = chooseImageSource(chosen.length > 0 ? chosen : nodes, options);
  const found = {
    lab: "programs of the lab",
    kind: "loaded into kind's nodes",
    named: source.kind === "named" ? source.probe : "",
    unknown: "none",
  }[source.kind];
  const needsAgent = options.datapath === "interlay" && interlay === undefined;
  const lacksAgent = needsAgent && source.kind === "named" && options.agentImage === undefined;
  if (source.kind !== "unknown" && !lacksAgent) return createRow("images", found);
  const agentOption = lacksAgent || interlay === undefined ? ", and Interlay's with --agent-image" : "";
  return createRow(
    "images",
    found,
    `Name images that the nodes can pull (npm run build -- --images builds them): the probe's with --image${agentOption}.`,
  );
}

function checkPermissions(denied: readonly string[]): PreflightRow {
  return createRow(
    "permissions",
    denied.length === 0 ? "enough" : `${denied.length} missing`,
    denied.length > 0 ? `You may not ${denied.join(", ")}: use a role with these permissions.` : undefined,
  );
}
