import type { PodSettings, PodToleration } from "../spec/pod-settings.ts";

/**
 * Parses a list of `key=value`.
 *
 * @param option name of the option, for the error
 * @throws for an entry without `=`
 */
function parsePairs(text: string, option: string, separator: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitList(text, separator).map((pair) => {
      const index = pair.indexOf("=");
      if (index < 1) throw new Error(`invalid ${option} "${pair}": write key=value`);
      return [pair.slice(0, index), pair.slice(index + 1)] as const;
    }),
  );
}

const EFFECTS: readonly (string | undefined)[] = ["NoSchedule", "PreferNoSchedule", "NoExecute", undefined];

/** Parses `key[=value][:effect]`, the syntax of kubectl taint. @throws for an unknown effect or an empty key */
export function parseToleration(text: string): PodToleration {
  const [, key = "", value, effect] = /^([^=:]+)(?:=([^:]*))?(?::(.*))?$/.exec(text) ?? [];
  if (key === "" || !EFFECTS.includes(effect))
    throw new Error(
      `invalid --toleration "${text}": write key=value:effect with the effect NoSchedule, PreferNoSchedule or NoExecute`,
    );
  return {
    key,
    ...(value === undefined ? { operator: "Exists" } : { operator: "Equal", value }),
    ...(effect === undefined ? {} : { effect }),
  };
}

interface PodSettingTexts {
  readonly annotations: string | undefined;
  readonly tolerations: string | undefined;
  readonly resources: string | undefined;
}

/** Parses the settings of the suite's pods: annotations and tolerations are one per line, resources are separated by commas. */
export function parsePodSettings({ annotations, tolerations, resources }: PodSettingTexts): PodSettings {
  return {
    ...(annotations === undefined ? {} : { annotations: parsePairs(annotations, "--pod-annotation", "\n") }),
    ...(tolerations === undefined ? {} : { tolerations: splitList(tolerations, "\n").map(parseToleration) }),
    ...(resources === undefined ? {} : { resources: parsePairs(resources, "--pod-resources", ",") }),
  };
}

/** Splits a list and drops empty parts. */
export function splitList(text: string, separator: string): readonly string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
