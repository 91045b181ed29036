import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import type { AddressUse } from "./address-history.ts";
import type { Discrepancy } from "./discrepancies.ts";

/** Characters of a container's id, as crictl prints it. */
const CONTAINER_LENGTH = 12;

/** Renders a table with one line per address. */
export function renderAddresses(addresses: readonly UnderlayAddressObject[], now = Date.now()): string {
  const rows = addresses
    .toSorted((a, b) => sortKey(a).localeCompare(sortKey(b), undefined, { numeric: true }))
    .map(({ spec, metadata }) => [
      spec.address,
      spec.pool,
      spec.node === "" ? "-" : spec.node,
      spec.pod.name === "" ? "-" : `${spec.pod.namespace}/${spec.pod.name}`,
      describeOwner({ spec }),
      spec.ifname === "" ? "-" : spec.ifname,
      describeState({ spec }),
      formatAge(now - Date.parse(metadata.creationTimestamp)),
    ]);
  return alignColumns([["ADDRESS", "POOL", "NODE", "POD", "OWNER", "NIC", "STATE", "AGE"], ...rows]);
}

/** Renders a table with one line per container that had an address. */
export function renderHistory(uses: readonly AddressUse[]): string {
  const rows = uses.map(({ address, pod, node, ifname, since, until, containerId }) => [
    address,
    pod,
    node,
    ifname,
    since,
    until ?? "-",
    containerId.slice(0, CONTAINER_LENGTH),
  ]);
  return alignColumns([["ADDRESS", "POD", "NODE", "NIC", "SINCE", "UNTIL", "CONTAINER"], ...rows]);
}

/** Describes the state of an address. */
function describeState({ spec }: Pick<UnderlayAddressObject, "spec">): string {
  if (spec.conflict !== undefined) return `conflict (${spec.conflict})`;
  if (spec.reserve) return "reserve";
  if (spec.containerId !== "") return "in use";
  return spec.set === undefined ? "kept" : "free in its set";
}

/** Describes the workload that has the address in its set, or the pod's controller. */
function describeOwner({ spec }: Pick<UnderlayAddressObject, "spec">): string {
  const { set, owner } = spec;
  if (set !== undefined) return `${set.kind}/${set.name}`;
  return owner === undefined ? "-" : `${owner.kind}/${owner.name}`;
}

/** Renders the result of `interlay ipam check`. @param nodes number of checked nodes */
export function renderDiscrepancies(discrepancies: readonly Discrepancy[], nodes: number): string {
  const checkedNodes = `${nodes} ${nodes === 1 ? "node" : "nodes"} checked`;
  if (discrepancies.length === 0) return `Objects, records and links agree (${checkedNodes}).\n`;
  const lines = discrepancies.flatMap(({ severity, what, message, remedy }) => [
    `${severity} [${what}] ${message}`,
    ...(remedy === "" ? [] : [`  ${remedy}`]),
  ]);
  return `${[...lines, `${discrepancies.length} found (${checkedNodes}).`].join("\n")}\n`;
}

function sortKey({ spec }: UnderlayAddressObject): string {
  return `${spec.address.includes(":") ? "6" : "4"} ${spec.address}`;
}

function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
