let names: ReadonlyMap<number, string> | undefined;

/** `ENOENT` for 2; a number without a name is `errno N`. The names are looked up when first asked for: most calls have no error. */
export function errorName(errno: number): string {
  names ??= new Map(
    Object.entries(process.getBuiltinModule("node:os").constants.errno).map(([name, value]) => [value, name]),
  );
  return names.get(errno) ?? `errno ${errno}`;
}
