/** A setting of ConfigMap interlay-config: `KEY` for every node, `NODE.KEY` for one. */
export function nodeSetting(
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

export function isOn(settings: Readonly<Record<string, string>>, node: string, key: string): boolean {
  return nodeSetting(settings, node, key)?.value === "true";
}

/** A duration in seconds. What is no number ≥ 0 is as if it were not there. */
export function seconds(settings: Readonly<Record<string, string>>, node: string, key: string, otherwise: number) {
  const value = Number(nodeSetting(settings, node, key)?.value);
  return Number.isFinite(value) && value >= 0 ? value : otherwise;
}
