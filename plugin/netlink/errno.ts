let names: ReadonlyMap<number, string> | undefined;

/** Returns `ENOENT` for 2, and `errno N` for a number without a name. The names are read at the first call: most processes need none. */
export function findErrnoName(errno: number): string {
  names ??= new Map(
    Object.entries(process.getBuiltinModule("node:os").constants.errno).map(([name, value]) => [value, name]),
  );
  return names.get(errno) ?? `errno ${errno}`;
}
