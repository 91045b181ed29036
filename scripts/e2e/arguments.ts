/**
 * Returns an argument list without some options.
 * @param withValue options that take a value, as the next argument or after `=`
 * @param flags options that take none
 */
export function withoutOptions(
  argv: readonly string[],
  withValue: readonly string[],
  flags: readonly string[],
): readonly string[] {
  return argv.filter((argument, index) => {
    const [name = ""] = argument.split("=");
    const before = argv[index - 1] ?? "";
    return !withValue.includes(name) && !withValue.includes(before) && !flags.includes(argument);
  });
}
