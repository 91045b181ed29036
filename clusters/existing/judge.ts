import type { Finding } from "../provider.ts";
import { sizeOf } from "./addresses.ts";
import type { ExistingFacts } from "./facts.ts";

/** One line of the preflight's table. */
export interface Row {
  readonly what: string;
  readonly found: string;
  /** One sentence; undefined: all is well. */
  readonly problem?: Finding;
}

/** net1 of underlay and multi-nic pods, of which a worker has two each. */
export const ADDRESSES_PER_WORKER = 4;
/** The oldest kernel that kind and lab have been run on is newer; nftables and VXLAN as used here came before it. */
const KERNEL = [4, 18] as const;

const error = (message: string) => ({ problem: { severity: "error", message } }) as const;
const warning = (message: string) => ({ problem: { severity: "warning", message } }) as const;

/** What was read, and what of it would stop the suite or make it say less. @param pool of `--pool` */
export function judge(facts: ExistingFacts, pool?: string): readonly Row[] {
  const { nodes, kubeProxy, interlay } = facts;
  const workers = nodes.filter(({ controlPlane }) => !controlPlane).length;
  const notReady = nodes.filter(({ ready }) => !ready).map(({ name }) => name);
  const old = nodes.filter(({ kernel }) => isOlder(kernel)).map(({ name }) => name);
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
      found: `${nodes.length - notReady.length} of ${nodes.length} Ready, ${workers} workers`,
      ...(notReady.length > 0
        ? error(`${notReady.join(", ")}: not Ready; see kubectl describe node.`)
        : workers < 2
          ? error(`${workers} workers: the matrix is between two or more.`)
          : {}),
    },
    {
      what: "kernels",
      found: [...new Set(nodes.map(({ kernel }) => kernel || "not told"))].join(", "),
      ...(old.length > 0 ? error(`${old.join(", ")}: the kernel is older than ${KERNEL.join(".")}.`) : {}),
    },
    {
      what: "kube-proxy",
      found: kubeProxy === undefined ? "not found" : `${kubeProxy.version} (${kubeProxy.mode})`,
      ...(kubeProxy === undefined
        ? error("No DaemonSet kube-proxy has a versioned image: what a Service must do cannot be predicted.")
        : {}),
    },
    {
      what: "Multus",
      found: facts.multus ?? "not found",
      ...(facts.nadKind
        ? facts.multus === undefined
          ? warning("No DaemonSet has multus in its name: pods without net1 will tell if it is not there.")
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
    {
      what: "Interlay",
      found: interlay === undefined ? "not found" : `${interlay.image}, return path ${interlay.returnPath}`,
      ...(interlay === undefined
        ? error(
            "Interlay is not installed: apply plugin/deploy/manifests (or the Helm chart) with your uplink and pool.",
          )
        : {}),
    },
    addresses(facts, workers * ADDRESSES_PER_WORKER, pool),
    {
      what: "your rights",
      found: facts.denied.length === 0 ? "enough" : `${facts.denied.length} missing`,
      ...(facts.denied.length > 0 ? error(`You may not ${facts.denied.join(", ")}: ask for a role that may.`) : {}),
    },
  ];
}

function addresses({ poolRanges, heldAddresses }: ExistingFacts, wanted: number, pool: string | undefined): Row {
  const ranges = pool === undefined ? poolRanges : [pool];
  const size = ranges.reduce((sum, range) => sum + sizeOf(range), 0n);
  const free = size - BigInt(heldAddresses);
  return {
    what: "free addresses",
    found: ranges.length === 0 ? "no pool" : `${free < 0n ? 0n : free} of ${size} in ${ranges.join(", ")}`,
    ...(free < BigInt(wanted) ? error(`The suite needs ${wanted} addresses: give its pool a larger range.`) : {}),
  };
}

/** False for a version that is not told: a lab's nodes have none. */
function isOlder(kernel: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) < KERNEL[0] || (Number(major) === KERNEL[0] && Number(minor) < KERNEL[1]);
}
