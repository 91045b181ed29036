import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import { decideExpectation, decideKubeProxyVerdict, type GatedCell, type Variant } from "../cells/gate.ts";
import type { NodeFilter } from "../deployment/variant.ts";

/** Observed behaviour of a cluster in one variant. */
export interface Observation {
  readonly variant: Variant;
  readonly cells: readonly Cell[];
  readonly actual: readonly CellResult["actual"][];
  readonly filters: readonly NodeFilter[];
  /** Whether each node's agent reports an open gate. */
  readonly agentOpen: ReadonlyMap<string, boolean>;
}

/** One wrong decision of the gate: with changed input or changed output. */
interface GateMutant {
  readonly title: string;
  readonly reason: string;
  readonly variant?: (variant: Variant) => Variant;
  readonly cell?: (cell: GatedCell) => GatedCell;
  readonly tcpBeLiberal?: (value: 0 | 1) => 0 | 1;
  readonly agentOpen?: (isOpen: boolean) => boolean;
}

/** Lists the observations that contradict the gate or a mutant of it: ids of cells, states of nodes. Pure. */
export function findWrongObservations(observation: Observation, mutant: Partial<GateMutant> = {}): readonly string[] {
  const { cells, actual, filters, agentOpen } = observation;
  const variant = mutant.variant?.(observation.variant) ?? observation.variant;
  const verdicts = cells.map((cell) => decideKubeProxyVerdict(variant, mutant.cell?.({ ...cell }) ?? cell).expected);
  const expected = decideExpectation(variant);
  const tcpBeLiberal = mutant.tcpBeLiberal?.(expected.tcpBeLiberal) ?? expected.tcpBeLiberal;
  const isExpectedOpen = !cells.some((cell) => decideKubeProxyVerdict(variant, cell).expected === "blocked");
  return [
    ...cells.flatMap(({ id }, index) => ((verdicts[index] === "pass") === (actual[index] === "pass") ? [] : [id])),
    ...filters.flatMap(({ node, tcpBeLiberal: actualSysctl, invalidDrop }) => [
      ...(actualSysctl === tcpBeLiberal ? [] : [`${node}: nf_conntrack_tcp_be_liberal is ${actualSysctl}`]),
      ...Object.entries(invalidDrop)
        .filter(([, rule]) => (rule !== undefined) !== expected.invalidDropRule)
        .map(
          ([family, rule]) =>
            `${node}: kube-proxy's INVALID rule is ${rule === undefined ? "not " : ""}there (${family})`,
        ),
    ]),
    ...[...agentOpen]
      .map(([node, isOpen]) => [node, mutant.agentOpen?.(isOpen) ?? isOpen] as const)
      .filter(([, isOpen]) => isOpen !== isExpectedOpen)
      .map(([node, isOpen]) => `${node}: its agent reports that the gate is ${isOpen ? "open" : "closed"}`),
  ];
}

const replaceVersion =
  (from: (minor: number) => boolean, to: string) =>
  (variant: Variant): Variant => {
    const minor = Number(variant.kubeProxy.version.split(".")[1]);
    return from(minor) ? { ...variant, kubeProxy: { ...variant.kubeProxy, version: to } } : variant;
  };
const replaceReturnPath =
  (from: Variant["returnPath"], to: Variant["returnPath"]) =>
  (variant: Variant): Variant =>
    variant.returnPath === from ? { ...variant, returnPath: to } : variant;
const replaceMode =
  (from: Variant["kubeProxy"]["mode"], to: Variant["kubeProxy"]["mode"]) =>
  (variant: Variant): Variant =>
    variant.kubeProxy.mode === from ? { ...variant, kubeProxy: { ...variant.kubeProxy, mode: to } } : variant;

/** Mutants of every decision of e2e/cells/gate.ts, and of the gate that an agent reports. */
export const GATE_MUTANTS: readonly GateMutant[] = [
  {
    title: "gate: an underlay source is taken for an overlay one",
    reason: "an overlay pod's path is the same in both directions",
    cell: (cell) => (cell.source === "underlay" ? { ...cell, source: "overlay" } : cell),
  },
  {
    title: "gate: every source is taken for an underlay one",
    reason: "only an underlay pod is answered past its node",
    cell: (cell) => ({ ...cell, source: "underlay" }),
  },
  {
    title: "gate: no address is taken for an overlay one",
    reason: "only what goes to an overlay address goes through the node",
    cell: (cell) => ({ ...cell, toOverlayAddress: false }),
  },
  {
    title: "gate: every address is taken for an overlay one",
    reason: "Services are translated on the node, underlay addresses are on the wire",
    cell: (cell) => ({ ...cell, toOverlayAddress: true }),
  },
  {
    title: "gate: another node is taken for the same",
    reason: "on the same node both directions pass it",
    cell: (cell) => (cell.placement === "other-node" ? { ...cell, placement: "same-node" } : cell),
  },
  {
    title: "gate: the same node is taken for another",
    reason: "on the same node both directions pass it",
    cell: (cell) => (cell.placement === "same-node" ? { ...cell, placement: "other-node" } : cell),
  },
  {
    title: "gate: TCP is taken for UDP",
    reason: "only TCP has a handshake, and the node misses a part of it",
    cell: (cell) => (cell.protocol === "tcp" ? { ...cell, protocol: "udp" } : cell),
  },
  {
    title: "gate: UDP and ICMP are taken for TCP",
    reason: "only TCP has a handshake, and the node misses a part of it",
    cell: (cell) => ({ ...cell, protocol: "tcp" }),
  },
  {
    title: "gate: notrack is taken for none",
    reason: "what is not tracked is never INVALID",
    variant: replaceReturnPath("notrack", "none"),
  },
  {
    title: "gate: liberal is taken for none",
    reason: "from v1.29 the sysctl lets kube-proxy leave its rule out",
    variant: replaceReturnPath("liberal", "none"),
  },
  {
    title: "gate: liberal is taken for notrack",
    reason: "below v1.29 liberal is not enough",
    variant: replaceReturnPath("liberal", "notrack"),
  },
  {
    title: "gate: kube-proxy below v1.29 is taken for v1.29",
    reason: "v1.29 is the first that leaves the rule out (kubernetes pull 120412)",
    variant: replaceVersion((minor) => minor < 29, "v1.29.15"),
  },
  {
    title: "gate: kube-proxy from v1.29 on is taken for v1.28",
    reason: "v1.29 is the first that leaves the rule out (kubernetes pull 120412)",
    variant: replaceVersion((minor) => minor >= 29, "v1.28.15"),
  },
  {
    title: "gate: v1.29's nftables mode is taken for v1.30's",
    reason: "v1.30 is the first whose nftables mode has no such rule (kubernetes pull 122663)",
    variant: (variant) =>
      variant.kubeProxy.mode === "nftables" ? replaceVersion((minor) => minor === 29, "v1.30.0")(variant) : variant,
  },
  {
    title: "gate: nftables mode from v1.30 on is taken for v1.29's",
    reason: "v1.30 is the first whose nftables mode has no such rule (kubernetes pull 122663)",
    variant: (variant) =>
      variant.kubeProxy.mode === "nftables" ? replaceVersion((minor) => minor >= 30, "v1.29.15")(variant) : variant,
  },
  {
    title: "gate: nftables mode is taken for iptables mode",
    reason: "from v1.30 on only iptables mode has the rule",
    variant: replaceMode("nftables", "iptables"),
  },
  {
    title: "gate: iptables mode is taken for nftables mode",
    reason: "from v1.30 on only iptables mode has the rule",
    variant: replaceMode("iptables", "nftables"),
  },
  {
    title: "gate: the sysctl is expected to be 0 always",
    reason: "liberal sets it",
    tcpBeLiberal: () => 0,
  },
  {
    title: "gate: the sysctl is expected to be 1 always",
    reason: "liberal alone sets it, and what set it takes it back",
    tcpBeLiberal: () => 1,
  },
  {
    title: "gate: the agent says open always",
    reason: "users of a NodeState rely on it",
    agentOpen: () => true,
  },
  {
    title: "gate: the agent says closed always",
    reason: "users of a NodeState rely on it",
    agentOpen: () => false,
  },
];
