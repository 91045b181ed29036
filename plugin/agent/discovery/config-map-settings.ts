/** Finds a setting of ConfigMap interlay-config: `NODE.KEY` for one node, else `KEY` for every node. */
export function findSetting(
  settings: Readonly<Record<string, string>>,
  node: string,
  key: string,
): { readonly key: string; readonly value: string } | undefined {
  for (const name of [`${node}.${key}`, key]) {
    const value = settings[name]?.trim() ?? "";
    if (value !== "") return { key: name, value };
  }
  return undefined;
}

/** Reports whether a setting is `true` for a node. */
export function isEnabled(settings: Readonly<Record<string, string>>, node: string, key: string): boolean {
  return findSetting(settings, node, key)?.value === "true";
}

/** Parses a duration in seconds. Returns `fallback` if the setting is missing or is not a number ≥ 0. */
export function parseSeconds(settings: Readonly<Record<string, string>>, node: string, key: string, fallback: number) {
  const value = Number(findSetting(settings, node, key)?.value);
  return Number.isFinite(value) && value >= 0 ? value : fallback;
}
