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

/** Discovers the facts, and writes them for the plugin if they changed. */
export class FactsReconciler {
  readonly #view: ClusterCache;
  readonly #node: string;
  readonly #state: AgentStatus;
  readonly #file: string;
  readonly #changed: () => void;
  readonly #observed: () => void;

  /**
   * @param file path of the facts file
   * @param changed called when other facts were written
   * @param observed called when the state has the result of a pass
   */
  constructor(
    view: ClusterCache,
    node: string,
    state: AgentStatus,
    file: string,
    { changed, observed }: { readonly changed: () => void; readonly observed: () => void },
  ) {
    this.#view = view;
    this.#node = node;
    this.#state = state;
    this.#file = file;
    this.#changed = changed;
    this.#observed = observed;
  }

  reconcile(): void {
    const links = observeLinks();
    const observations = { ...observeClusterCache(this.#view, this.#node), ...links };
    // Objects that are not read yet must not count as missing: running pods would lose their routes in the meantime.
    if (!this.#view.watchPerNodeKinds(listNeededKinds(observations))) return;
    const discovery = discoverFacts(observations);
    this.#state.configResourceVersion = readSettingsVersion(this.#view);
    const { invalid: bad } = parsePools(this.#view.underlayPools.values());
    this.#state.poolProblems = [...bad].map(([name, problem]) => `UnderlayPool ${name}: ${problem}.`);
    if ("facts" in discovery) {
      this.#state.problems = [];
      this.#state.disagreements = discovery.disagreements;
      const facts = addOverlayMtu(this.#completeFacts(discovery.facts, links.links), readOverlayMtu());
      const isNews = writeFacts(facts, this.#file) || this.#state.facts === undefined;
      this.#state.facts = facts;
      // Objects change whenever pods start or stop; the facts seldom do.
      if (isNews) {
        writeLog("info", "facts written", { facts });
        this.#changed();
      }
    } else this.#state.problems = discovery.problems;
    this.#observed();
  }

  /** Adds the return path, and the notices that ADD writes to its log. */
  #completeFacts(found: Facts, links: readonly { readonly address: string }[]): Facts {
    const router = {
      pools: listPoolsOfNode(this.#view, this.#node),
      internalAddresses: found.node.addresses,
      linkAddresses: links.map(({ address }) => parseIp(address)),
    };
    const facts = chooseReturnPath(found, readSettings(this.#view), router);
    const { ready, reason, message } = this.#state.services;
    return ready || reason === NOT_OBSERVED ? facts : { ...facts, notices: [message] };
  }
}
