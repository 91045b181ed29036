import { type IpFamily, getIpFamily } from "../../clusters/spec/address-ranges.ts";

/** At most one address of each family. */
export type Addresses = Readonly<Partial<Record<IpFamily, string>>>;

/** Returns addresses by their family; missing ones are left out. */
export function groupByFamily(addresses: readonly (string | undefined)[]): Addresses {
  const presentAddresses = addresses.filter((address) => address !== undefined);
  return Object.fromEntries(presentAddresses.map((address) => [getIpFamily(address), address]));
}
