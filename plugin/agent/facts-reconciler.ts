import { parsePools } from "../ipam/pool/parse-pools.ts";
import type { ClusterCache } from "./discovery/cluster-cache.ts";
import { parseIp } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { chooseReturnPath } from "./reconcile/choose-return-path.ts";
import { listPoolsOfNode } from "./reconcile/node-pools.ts";
import { NOT_OBSERVED } from "./kube-proxy/service-translation.ts";
import { discoverFacts } from "./discovery/discover.ts";
import { writeFacts } from "../state/facts-file.ts";
import { writeLog } from "./status/agent-log.ts";
import { listNeededKinds } from "./discovery/needed-kinds.ts";
import { addOverlayMtu, readOverlayMtu } from "./reconcile/overlay-mtu.ts";
import { observeLinks } from "./discovery/node-links.ts";
import { observeClusterCache, readSettings, readSettingsVersion } from "./discovery/observe.ts";
import type { AgentStatus } from "./status/agent-status.ts";

/** Discovers the facts, and writes the plugin's facts file if they changed. */
export class FactsReconciler {
  readonly #cache: ClusterCache;
  readonly #node: string;
  readonly #state: AgentStatus;
  readonly #file: string;
  readonly #changed: () => void;
  readonly #observed: () => void;

  /**
   * @param file path of the facts file
   * @param changed called after changed facts were written
   * @param observed called after a pass has updated the state
   */
  constructor(
    cache: ClusterCache,
    node: string,
    state: AgentStatus,
    file: string,
    { changed, observed }: { readonly changed: () => void; readonly observed: () => void },
  ) {
    this.#cache = cache;
    this.#node = node;
    this.#state = state;
    this.#file = file;
    this.#changed = changed;
    this.#observed = observed;
  }

  reconcile(): void {
    const links = observeLinks();
    const observations = { ...observeClusterCache(this.#cache, this.#node), ...links };
    // Objects that are not listed yet must not count as missing: running pods would lose routes.
    if (!this.#cache.watchPerNodeKinds(listNeededKinds(observations))) return;
    const discovery = discoverFacts(observations);
    this.#state.configResourceVersion = readSettingsVersion(this.#cache);
    const { invalid } = parsePools(this.#cache.underlayPools.values());
    this.#state.poolProblems = [...invalid].map(([name, problem]) => `UnderlayPool ${name}: ${problem}.`);
    if ("facts" in discovery) {
      this.#state.problems = [];
      this.#state.disagreements = discovery.disagreements;
      const facts = addOverlayMtu(this.#completeFacts(discovery.facts, links.links), readOverlayMtu());
      const factsChanged = writeFacts(facts, this.#file) || this.#state.facts === undefined;
      this.#state.facts = facts;
      // Objects change whenever pods start or stop, but facts seldom change.
      if (factsChanged) {
        writeLog("info", "facts written", { facts });
        this.#changed();
      }
    } else this.#state.problems = discovery.problems;
    this.#observed();
  }

  /** Adds the return path, and the notices that ADD writes to its log. */
  #completeFacts(discoveredFacts: Facts, links: readonly { readonly address: string }[]): Facts {
    const router = {
      pools: listPoolsOfNode(this.#cache, this.#node),
      internalAddresses: discoveredFacts.node.addresses,
      linkAddresses: links.map(({ address }) => parseIp(address)),
    };
    const facts = chooseReturnPath(discoveredFacts, readSettings(this.#cache), router);
    const { ready, reason, message } = this.#state.services;
    return ready || reason === NOT_OBSERVED ? facts : { ...facts, notices: [message] };
  }
}
