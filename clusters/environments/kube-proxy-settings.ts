import { parse, stringify } from "yaml";
import { z } from "zod";
import type { KubeProxySettings } from "../spec/environment-spec.ts";

const fields = z.record(z.string(), z.unknown());

/**
 * Returns a KubeProxyConfiguration with an environment's fields. A mapping is merged field by field, everything else
 * is replaced.
 * @param config YAML text
 */
export function applyKubeProxySettings(config: string, settings: KubeProxySettings = {}): string {
  return settings.config === undefined ? config : stringify(mergeFields(fields.parse(parse(config)), settings.config));
}

type Fields = Readonly<Record<string, unknown>>;

function mergeFields(base: Fields, changes: Fields): Fields {
  const merged = Object.entries(changes).map(([name, value]) => {
    const [before, after] = [fields.safeParse(base[name]), fields.safeParse(value)];
    return [name, before.success && after.success ? mergeFields(before.data, after.data) : value];
  });
  return { ...base, ...(Object.fromEntries(merged) as Fields) };
}
