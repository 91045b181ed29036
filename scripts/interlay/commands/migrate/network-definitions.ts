import { z } from "zod";
import { createObject, type MigrationPlan } from "./migration-plan.ts";

const definitionList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ config: z.string().default("") }).default({ config: "" }),
    }),
  ),
});
const plugin = z.looseObject({ type: z.string(), master: z.string().optional(), ipam: z.unknown().optional() });

/** A plugin that the configuration of a NetworkAttachmentDefinition names. */
export interface DefinedPlugin extends z.infer<typeof plugin> {
  /** `NAMESPACE/NAME` of the definition. */
  readonly title: string;
  readonly name: string;
}

/** Lists the plugins of NetworkAttachmentDefinitions, without those whose configuration is a file on the nodes. */
export function listDefinedPlugins(definitions: unknown): readonly DefinedPlugin[] {
  return definitionList.parse(definitions).items.flatMap(({ metadata: { name, namespace }, spec }) =>
    parsePlugins(spec.config).map((pluginConfiguration) => ({
      ...pluginConfiguration,
      name,
      title: `${namespace}/${name}`,
    })),
  );
}

/** Parses a configuration, which is a list of plugins or one plugin. */
function parsePlugins(text: string): readonly z.infer<typeof plugin>[] {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return [];
  }
  const list = z.object({ plugins: z.array(z.unknown()) }).safeParse(config).data?.plugins ?? [config];
  return list.flatMap((entry) => plugin.safeParse(entry).data ?? []);
}

/**
 * Plans the UnderlayNetwork of a macvlan network. It has another name: the agent writes a NetworkAttachmentDefinition of the
 * network's name.
 */
export function planNetwork({ type, title, name, master }: DefinedPlugin, pools: readonly string[]): MigrationPlan {
  if (type !== "macvlan")
    return { objects: [], notes: [`network ${title} is of type ${type}: Interlay has only macvlan.`] };
  const network = `${name}-interlay`;
  const spec = {
    ...(master === undefined ? {} : { uplink: master }),
    ...(pools.length === 0 ? {} : { pools }),
  };
  const note = `pods of network ${title}: name interlay-system/${network} in their annotation instead.`;
  return { objects: [createObject("UnderlayNetwork", network, spec)], notes: [note] };
}
