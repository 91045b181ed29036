import { type CompiledRuleset, compileRuleset } from "../netfilter/compile-ruleset.ts";
import { compileNamespace, type NamespaceState } from "../routing/namespace-state.ts";
import type { LinkSnapshot, TraceSnapshot } from "../snapshot.ts";
import type { FrameReceiver, LinkRef, ReceiverSearch } from "./frame.ts";

/** A namespace, compiled when a packet first enters it. */
export interface NamespaceModel {
  readonly state: NamespaceState;
  readonly ruleset: CompiledRuleset;
  /** Whether a chain of family netdev or bridge exists, so that frames must be evaluated too. */
  readonly filtersFrames: boolean;
}

/** A snapshot prepared for many traces. Compiled parts are cached in it. */
export interface TraceModel {
  /** Returns undefined if the snapshot does not contain the namespace. */
  readonly findNamespace: (id: string) => NamespaceModel | undefined;
  /** Lists the macvlan links of a parent. */
  readonly listChildren: (parent: LinkRef) => readonly LinkRef[];
  /** Every address of the snapshot's namespaces. */
  readonly addresses: ReadonlySet<string>;
  /** Links that lead out of the snapshot, or whose other end is not in it. */
  readonly uplinks: readonly LinkRef[];
  /** Receivers of frames by sending link, filled by `findReceivers`. */
  readonly receivers: Map<string, ReceiverSearch>;
  /** Answers to ARP and neighbour solicitations by sending link, address and sender, filled by `resolveNeighbour`. */
  readonly answers: Map<string, readonly FrameReceiver[]>;
}

/** Prepares a snapshot for traces. */
export function buildTraceModel(snapshot: TraceSnapshot): TraceModel {
  const byId = new Map(snapshot.namespaces.map((namespace) => [namespace.id, namespace]));
  const models = new Map<string, NamespaceModel>();
  const children = new Map<string, LinkRef[]>();
  for (const { id, links } of snapshot.namespaces)
    for (const { name, kind, parent } of links)
      if (kind === "macvlan" && parent !== undefined) {
        const key = `${parent.namespace} ${parent.link}`;
        children.set(key, [...(children.get(key) ?? []), { namespace: id, link: name }]);
      }
  return {
    addresses: new Set(snapshot.namespaces.flatMap(({ addresses }) => addresses.map(({ address }) => address))),
    receivers: new Map(),
    answers: new Map(),
    listChildren: ({ namespace, link }) => children.get(`${namespace} ${link}`) ?? [],
    uplinks: snapshot.namespaces.flatMap(({ id, links }) =>
      links.filter((link) => isUplink(link, byId)).map(({ name }) => ({ namespace: id, link: name })),
    ),
    findNamespace: (id) => {
      const cached = models.get(id);
      if (cached !== undefined) return cached;
      const namespace = byId.get(id);
      if (namespace === undefined) return undefined;
      const model = {
        state: compileNamespace(namespace),
        ruleset: compileRuleset(namespace),
        filtersFrames: (namespace.nftables ?? []).some(isFrameChain),
      };
      models.set(id, model);
      return model;
    },
  };
}

/** Kinds of links to a wire that is not in the snapshot. */
const HARDWARE = new Set(["device", "bond", "team"]);

function isUplink(link: LinkSnapshot, namespaces: ReadonlyMap<string, unknown>): boolean {
  if (link.kind === "veth") return link.peer === undefined || !namespaces.has(link.peer.namespace);
  return HARDWARE.has(link.kind) && link.up;
}

/** Reports whether an entry of `nft -j list ruleset` is a base chain that sees frames. */
function isFrameChain(entry: Readonly<Record<string, unknown>>): boolean {
  const { chain } = entry;
  if (typeof chain !== "object" || chain === null || !("hook" in chain) || !("family" in chain)) return false;
  return chain.family === "netdev" || chain.family === "bridge" || chain.hook === "ingress" || chain.hook === "egress";
}
