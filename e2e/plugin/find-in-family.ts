import { type IpFamily, getFamily } from "../../clusters/spec.ts";

/** The address of a list in that family. */
export function findInFamily(addresses: readonly string[], family: IpFamily): string {
  const found = addresses.find((address) => getFamily(address) === family);
  if (found === undefined) throw new Error(`${addresses.join(", ")}: no ${family} address`);
  return found;
}
