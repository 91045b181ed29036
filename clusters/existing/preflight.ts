import type { PreflightFinding } from "../provider.ts";
import { countAddresses } from "./count-addresses.ts";
import { chooseImageSource, chooseNetwork, chooseWorkers } from "./selection.ts";
import type { ClusterInventory } from "./inventory.ts";
import type { ExistingOptions } from "./options.ts";

/** One line of the preflight's table. */
export interface PreflightRow {
  readonly what: string;
  readonly found: string;
  /** One sentence; undefined: all is well. */
  readonly problem?: PreflightFinding;
}

/** net1 of underlay and multi-nic pods, of which a worker has two each. */
export const ADDRESSES_PER_WORKER = 4;
/** As docs/install.md says. */
const KERNEL = [5, 10] as const;

const error = (message: string) => ({ problem: { severity: "error", message } }) as const;
const warning = (message: string) => ({ problem: { severity: "warning", message } }) as const;

type PreflightRequest = Pick<ExistingOptions, "datapath" | "workers" | "pool" | "network" | "image" | "agentImage">;

/** What was read, and what of it would stop the suite or make it say less. Pure. */
export function checkPreconditions(
  facts: ClusterInventory,
  options: PreflightRequest = { datapath: "interlay", workers: 2 },
): readonly PreflightRow[] {
  const { nodes, kubeProxy, interlay } = facts;
  const installs = options.datapath === "interlay" && interlay === undefined;
  const chosen = chooseWorkers(nodes, options.workers);
  const workers = nodes.filter(({ controlPlane }) => !controlPlane).length;
  const leftOut = nodes.filter(({ controlPlane, ready, schedulable }) => !ready || (!controlPlane && !schedulable));
  const old = chosen.filter(({ kernel }) => isKernelTooOld(kernel)).map(({ name }) => name);
  const versions = [...new Set(nodes.map(({ kubelet }) => kubelet))];
  return [
    { what: "API server", found: facts.server },
    {
      what: "kubelets",
      found: versions.join(", "),
      ...(versions.length > 1 ? warning("Kubelets differ: a table is of all of them together.") : {}),
    },
    {
      what: "nodes",
      found: `${nodes.filter(({ ready }) => ready).length} of ${nodes.length} Ready, ${workers} workers; pods on ${chosen.map(({ name }) => name).join(", ") || "none"}`,
      ...(chosen.length < 2
        ? error(`${chosen.length} workers that are Ready and schedulable: the matrix needs two or more.`)
        : leftOut.length > 0
          ? warning(`${leftOut.map(describeLeftOut).join(", ")}: left out.`)
          : {}),
    },
    {
      what: "kernels",
      found: [...new Set(nodes.map(({ kernel }) => kernel || "unknown"))].join(", "),
      ...(old.length > 0 ? error(`${old.join(", ")}: the kernel is older than ${KERNEL.join(".")}.`) : {}),
    },
    {
      what: "kube-proxy",
      found:
        kubeProxy === undefined
          ? "not known"
          : `${kubeProxy.version} (${kubeProxy.mode}), by its ${facts.kubeProxyNote ?? "DaemonSet"}`,
      ...(kubeProxy === undefined ? error(`${facts.kubeProxyNote ?? "no kube-proxy was found"}.`) : {}),
    },
    {
      what: "Multus",
      found: facts.multus ?? "not found",
      ...(facts.nadKind
        ? facts.multus === undefined
          ? warning("No DaemonSet has multus in its name: if Multus is missing, pods will not have net1.")
          : {}
        : error("The kind NetworkAttachmentDefinition is not there: install Multus first.")),
    },
    {
      what: "macvlan networks",
      found: facts.macvlans.join(", ") || "none",
    },
    {
      what: "Calico",
      found: facts.calico.join(", ") || "no IPPool",
      ...(facts.calico.length === 0
        ? warning("No IPPool of Calico can be read: the documented routes are those of Calico with VXLAN.")
        : facts.calico.some((mode) => !mode.endsWith("VXLAN"))
          ? warning("Calico does not use VXLAN in every pool: the documented ways are those of VXLAN.")
          : {}),
    },
    checkInterlay(facts, options),
    checkNetwork(facts, options),
    checkAddresses(facts, chosen.length * ADDRESSES_PER_WORKER, options),
    checkImages(facts, options),
    checkPermissions([...facts.denied, ...(installs ? facts.deniedInstall : [])]),
  ];
}

function describeLeftOut({ name, ready }: ClusterInventory["nodes"][number]): string {
  return `${name} (${ready ? "unschedulable" : "not Ready"})`;
}

function checkInterlay({ interlay }: ClusterInventory, { datapath, pool }: PreflightRequest): PreflightRow {
  const there = interlay === undefined ? "not found" : `${interlay.image}, return path ${interlay.returnPath}`;
  if (datapath === "none") return { what: "Interlay", found: `${there}; another solution is judged (--datapath none)` };
  if (interlay !== undefined) return { what: "Interlay", found: there };
  return {
    what: "Interlay",
    found: "not found: the run installs it, and takes it away",
    ...(pool === undefined
      ? error(
          "Interlay is not installed, and for its addresses a range is needed: name one with --pool, or install it.",
        )
      : {}),
  };
}

function checkNetwork(facts: ClusterInventory, options: PreflightRequest): PreflightRow {
  const network = chooseNetwork(facts, options);
  return {
    what: "network of underlay links",
    found: network ?? "not clear",
    ...(network === undefined
      ? error(
          facts.macvlans.length === 0
            ? "No NetworkAttachmentDefinition has macvlan in it: make one, or name another with --network."
            : `Which network? Name one with --network: ${facts.macvlans.join(", ")}.`,
        )
      : {}),
  };
}

function checkImages({ nodes, interlay }: ClusterInventory, options: PreflightRequest): PreflightRow {
  const source = chooseImageSource(nodes, options);
  const found = {
    lab: "programs of the lab",
    kind: "loaded into kind's nodes",
    named: source.kind === "named" ? source.probe : "",
    unknown: "none",
  }[source.kind];
  const lacksAgent =
    options.datapath === "interlay" &&
    interlay === undefined &&
    source.kind === "named" &&
    options.agentImage === undefined;
  return {
    what: "images",
    found,
    ...(source.kind === "unknown" || lacksAgent
      ? error(
          `Name images that the nodes can pull (npm run build -- --images makes them): --image the probe's${lacksAgent || interlay === undefined ? ", --agent-image Interlay's" : ""}.`,
        )
      : {}),
  };
}

function checkPermissions(denied: readonly string[]): PreflightRow {
  return {
    what: "your rights",
    found: denied.length === 0 ? "enough" : `${denied.length} missing`,
    ...(denied.length > 0 ? error(`You may not ${denied.join(", ")}: ask for a role that may.`) : {}),
  };
}

function checkAddresses(
  { poolRanges, heldAddresses }: ClusterInventory,
  wanted: number,
  { pool, datapath }: PreflightRequest,
): PreflightRow {
  if (datapath === "none") return { what: "free addresses", found: "the solution's own, not counted" };
  const ranges = pool === undefined ? poolRanges : [pool];
  const size = ranges.reduce((sum, range) => sum + countAddresses(range), 0n);
  const free = size - (pool === undefined ? BigInt(heldAddresses) : 0n);
  return {
    what: "free addresses",
    found: ranges.length === 0 ? "no pool" : `${free < 0n ? 0n : free} of ${size} in ${ranges.join(", ")}`,
    ...(free < BigInt(wanted) ? error(`The suite needs ${wanted} addresses: give its pool a larger range.`) : {}),
  };
}

/** Returns false for an unknown version: a lab's nodes have none. */
function isKernelTooOld(kernel: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) < KERNEL[0] || (Number(major) === KERNEL[0] && Number(minor) < KERNEL[1]);
}
