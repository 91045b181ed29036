/** `ENOENT` for 2; a number without a name is `errno N`. The names are looked up when first asked for: most calls have no error. */
export function errorName(errno: number): string {
  const { errno: numbers } = process.getBuiltinModule("node:os").constants;
  return Object.entries(numbers).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}
