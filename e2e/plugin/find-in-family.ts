import { type IpFamily, getIpFamily } from "../../clusters/spec/address-ranges.ts";

/** Returns the address of a family from a list. @throws an error if there is none */
export function findInFamily(addresses: readonly string[], family: IpFamily): string {
  const found = addresses.find((address) => getIpFamily(address) === family);
  if (found === undefined) throw new Error(`${addresses.join(", ")}: no ${family} address`);
  return found;
}
