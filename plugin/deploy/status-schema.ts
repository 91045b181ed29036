import { stringify } from "yaml";
import { z } from "zod";
import { networkStatusSchema, nodeStateStatusSchema, poolStatusSchema } from "../kubernetes/status-schemas.ts";

/** Schemas of `status` by their names in crds.template.yaml. */
const STATUS_SCHEMAS = {
  poolStatus: poolStatusSchema,
  networkStatus: networkStatusSchema,
  nodeStateStatus: nodeStateStatusSchema,
} as const satisfies Record<string, z.ZodType>;

/** Fields without which a condition is refused; they identify it. */
const CONDITION_KEYS = ["type", "status"];

const openApiSchema = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  get properties() {
    return z.record(z.string(), openApiSchema).optional();
  },
  get items() {
    return openApiSchema.optional();
  },
  get additionalProperties() {
    return z.union([z.literal(false), openApiSchema]).optional();
  },
});
type OpenApiSchema = z.infer<typeof openApiSchema>;

/**
 * Converts a schema to the structural form of CRDs. Fields are optional: a status of another version must not make its object
 * invalid, and a merge patch removes a field that is null.
 */
function toStructuralSchema({
  type,
  description,
  format,
  enum: values,
  properties,
  items,
  additionalProperties,
}: OpenApiSchema): Record<string, unknown> {
  const described = { ...(description === undefined ? {} : { description }), ...(type === undefined ? {} : { type }) };
  if (properties !== undefined)
    return {
      ...described,
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [
          name,
          name === "conditions" ? toConditionList(property) : toStructuralSchema(property),
        ]),
      ),
    };
  if (items !== undefined) return { ...described, items: toStructuralSchema(items) };
  if (additionalProperties) return { ...described, additionalProperties: toStructuralSchema(additionalProperties) };
  return {
    ...described,
    ...(format === undefined ? {} : { format }),
    ...(values === undefined ? {} : { enum: values }),
  };
}

function toConditionList({ items = {}, ...list }: OpenApiSchema): Record<string, unknown> {
  return {
    ...toStructuralSchema(list),
    items: { ...toStructuralSchema(items), required: CONDITION_KEYS },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
  };
}

/** Replaces `status: NAME()` of a template by the schema of that name. */
export function insertStatusSchemas(template: string): string {
  return template.replace(/^( *)status: (\w+)\(\)$/gm, (_, indent: string, name: string) => {
    const schema = Object.entries(STATUS_SCHEMAS).find(([key]) => key === name)?.[1];
    if (schema === undefined) throw new Error(`crds.template.yaml: no schema is named ${name}`);
    const text = stringify(toStructuralSchema(openApiSchema.parse(z.toJSONSchema(schema, { target: "openapi-3.0" }))), {
      lineWidth: 120,
    });
    return `${indent}status:\n${text.trimEnd().replaceAll(/^/gm, `${indent}  `)}`;
  });
}
