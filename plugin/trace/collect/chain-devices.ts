import type { NamespaceSnapshot } from "../snapshot.ts";

type Nftables = NonNullable<NamespaceSnapshot["nftables"]>;

/** Hooks whose chains belong to devices. */
const DEVICE_HOOKS = ["ingress", "egress"];

/** A chain of `nft -j list ruleset`. */
interface NftChain {
  readonly family?: string;
  readonly table?: string;
  readonly name?: string;
  readonly hook?: string;
  readonly dev?: unknown;
}

/** Reports whether a chain lacks its devices, which nft 1.0.6 omits in its JSON. */
export function lacksDevices(nftables: Nftables): boolean {
  return nftables.some(({ chain }) => isWithoutDevice(chain as NftChain | undefined));
}

/**
 * Adds missing devices to chains.
 *
 * @param listing output of `nft list chains`
 * @returns the same objects, with `dev` (a name, or several) where it was missing
 */
export function addDevices(nftables: Nftables, listing: string): Nftables {
  const devices = parseDevices(listing);
  return nftables.map((object) => {
    const chain = object["chain"] as NftChain | undefined;
    if (chain === undefined || !isWithoutDevice(chain)) return object;
    const [first, ...others] = devices.get(`${chain.family} ${chain.table} ${chain.name}`) ?? [];
    return first === undefined
      ? object
      : { chain: { ...chain, dev: others.length === 0 ? first : [first, ...others] } };
  });
}

function isWithoutDevice(chain: NftChain | undefined): boolean {
  return DEVICE_HOOKS.includes(chain?.hook ?? "") && chain?.dev === undefined;
}

/** Returns the devices of chains by `FAMILY TABLE CHAIN`. */
function parseDevices(listing: string): ReadonlyMap<string, readonly string[]> {
  const devices = new Map<string, readonly string[]>();
  let [table, chain] = ["", ""];
  for (const line of listing.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const list = /\bdevices? (?:= )?(?:\{ (.*?) \}|("[^"]*"|\S+))/.exec(line);
    if (list === null) continue;
    const names = (list[1] ?? list[2] ?? "").split(",").map((name) => name.trim().replaceAll('"', ""));
    devices.set(`${table} ${chain}`, names);
  }
  return devices;
}
