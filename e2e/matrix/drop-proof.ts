import type { CellResult } from "../../results/schema.ts";
import type { InvalidFlow } from "./invalid-flows.ts";
import type { NodeFilter } from "../deployment/variant.ts";

/** Observations on the nodes while cells were probed. */
export interface NodeReadings {
  /** Before and after the probes; empty where no node can be read. */
  readonly before: readonly NodeFilter[];
  readonly after: readonly NodeFilter[];
  /** INVALID connections of each node. */
  readonly flows: ReadonlyMap<string, readonly InvalidFlow[]>;
}

/** Observations that prove that kube-proxy's rule dropped a cell's packets. */
interface DropReadings {
  readonly node: string;
  /** kube-proxy's rule after the probes; undefined if it does not exist. */
  readonly rule: string | undefined;
  /** The rule's counter before and after the probes; undefined in nftables mode. */
  readonly counter: { readonly before: number; readonly after: number } | undefined;
  /** INVALID connections of the cell's family on the node. */
  readonly flows: readonly InvalidFlow[];
}

/**
 * Proves for each cell that kube-proxy's INVALID rule should block that the rule dropped the packets of the cell's own connection,
 * and fails the cells without a proof: something else blocked them. Where no node can be read, the proof is a completed
 * handshake without an answer to the data: only a SYN-ACK that bypasses the client's node completes it. Pure.
 *
 * @param blocked ids of the cells that the rule should block
 * @param findNode returns the node of a client pod
 */
export function proveDrops(
  cells: readonly CellResult[],
  blocked: ReadonlySet<string>,
  findNode: (pod: string) => string | undefined,
  readings: NodeReadings,
): CellResult[] {
  return cells.map((cell) => {
    if (!blocked.has(cell.id) || !cell.ok) return cell;
    if (cell.client === undefined)
      return rejectCell(cell, "the connection was not established, which the rule does not prevent");
    if (readings.after.length === 0) return cell;
    const nodeReadings = selectReadings(cell, findNode(cell.from) ?? "", readings);
    const problem = findOtherBlocker(cell, nodeReadings);
    const { received = 0, forwarded = 0 } = findFlow(cell, nodeReadings.flows) ?? {};
    const evidence = {
      ...cell.evidence,
      ...(nodeReadings.rule === undefined || nodeReadings.counter === undefined
        ? {}
        : { counter: { node: nodeReadings.node, rule: nodeReadings.rule, ...nodeReadings.counter } }),
      drop: { node: nodeReadings.node, received, forwarded },
    };
    return problem === undefined
      ? {
          ...cell,
          evidence,
          reason: `${cell.reason ?? ""}; ${received} packets of ${cell.client} were INVALID on ${nodeReadings.node}, and none was forwarded`,
        }
      : { ...rejectCell(cell, problem), evidence };
  });
}

function rejectCell(cell: CellResult, problem: string): CellResult {
  return { ...cell, ok: false, reason: `something else than kube-proxy's INVALID rule blocks it: ${problem}` };
}

function selectReadings({ family }: CellResult, node: string, { before, after, flows }: NodeReadings): DropReadings {
  const findRule = (filters: readonly NodeFilter[]) =>
    filters.find((filter) => filter.node === node)?.invalidDrop[family];
  const rule = findRule(after);
  return {
    node,
    rule: rule?.rule,
    counter: rule?.packets === undefined ? undefined : { before: findRule(before)?.packets ?? 0, after: rule.packets },
    flows: (flows.get(node) ?? []).filter((flow) => flow.family === family),
  };
}

const findFlow = ({ client, address }: CellResult, flows: readonly InvalidFlow[]): InvalidFlow | undefined =>
  flows.find(({ source, destination }) => source === client && destination === address);

/** Returns why the rule did not block the cell; undefined if it did. */
function findOtherBlocker(cell: CellResult, { node, rule, counter, flows }: DropReadings): string | undefined {
  const flow = findFlow(cell, flows);
  if (rule === undefined) return `${node} has no such rule`;
  if (flow === undefined) return `${node} received no INVALID packet of ${cell.client ?? "?"} -> ${cell.address}`;
  if (flow.forwarded > 0) return `${node} forwarded ${flow.forwarded} of its ${flow.received} INVALID packets`;
  if (counter === undefined) return undefined;
  const dropped = flows.reduce((sum, { received, forwarded }) => sum + received - forwarded, 0);
  const increase = counter.after - counter.before;
  return increase < dropped
    ? `${node} dropped ${dropped} INVALID packets, but the counter of ${rule} rose by ${increase}`
    : undefined;
}
