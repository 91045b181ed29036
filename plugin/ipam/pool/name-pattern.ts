/** Finds the first pattern that a name matches: `*` stands for any characters. Returns -1 if none matches. */
export function findPattern(patterns: readonly string[], name: string): number {
  return patterns.findIndex((pattern) => matchesPattern(pattern, name));
}

function matchesPattern(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const index = name.indexOf(part, position);
    if (index === -1) return false;
    position = index + part.length;
  }
  return name.length - last.length >= position && name.endsWith(last);
}
