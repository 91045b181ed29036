import { constants } from "node:os";

const names = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** `ENOENT` for 2; a number without a name is `errno N`. */
export function errorName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}
