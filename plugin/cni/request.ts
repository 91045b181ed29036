import * as z from "zod/mini";
import { CniError, CODE } from "./error.ts";
import { SUPPORTED_VERSIONS } from "./cni-version.ts";

/** CNI commands except VERSION, which cni-version.ts answers. */
export const COMMANDS = ["ADD", "DEL", "CHECK", "GC", "STATUS"] as const;
type Command = (typeof COMMANDS)[number];

/** Valid container ids and longest interface name (CNI spec 1.1.0, section 2 "Parameters"). */
const CONTAINER_ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const IFNAME_MAX = 15;

const interfaceSchema = z.looseObject({
  name: z.string(),
  mac: z.optional(z.string()),
  sandbox: z.optional(z.string()),
  mtu: z.optional(z.number()),
});
const ipSchema = z.looseObject({
  address: z.string(),
  gateway: z.optional(z.string()),
  interface: z.optional(z.int()),
});
const routeSchema = z.looseObject({ dst: z.string(), gw: z.optional(z.string()) });
/** A result (section 5 "ADD Success"); unknown fields are passed on unchanged. */
const resultSchema = z.looseObject({
  cniVersion: z.optional(z.string()),
  interfaces: z.optional(z.array(interfaceSchema)),
  ips: z.optional(z.array(ipSchema)),
  routes: z.optional(z.array(routeSchema)),
});
export type CniResult = z.infer<typeof resultSchema>;

const attachmentsSchema = z.nullish(z.array(z.looseObject({ containerID: z.string(), ifname: z.string() })));

const configSchema = z.looseObject({
  cniVersion: z._default(z.string(), "0.3.0"),
  name: z._default(z.string(), ""),
  type: z._default(z.string(), "interlay"),
  prevResult: z.optional(resultSchema),
  "cni.dev/valid-attachments": attachmentsSchema,
  /** Former name of this field, until containernetworking/cni issue 1101; some runtimes send only this one. */
  "cni.dev/attachments": attachmentsSchema,
});
export type NetworkConfig = z.infer<typeof configSchema>;

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A validated call: its names are safe as file names and in netlink messages. */
export interface Request {
  readonly command: Command;
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly pod: PodRef;
  readonly config: NetworkConfig;
}

type Environment = Readonly<Record<string, string | undefined>>;

export type ValidAttachment = { readonly containerID: string; readonly ifname: string };

/** Returns GC's list of valid attachments of this network. libcni omits the list if no attachment is valid. */
export function listValidAttachments(config: NetworkConfig): readonly ValidAttachment[] {
  return config["cni.dev/valid-attachments"] ?? config["cni.dev/attachments"] ?? [];
}

/**
 * Parses and validates a CNI call.
 *
 * @throws CniError with the code of the CNI specification
 */
export function parseRequest(env: Environment, stdin: string): Request {
  const command = COMMANDS.find((c) => c === env["CNI_COMMAND"]);
  if (command === undefined)
    throw new CniError(
      CODE.invalidEnvironment,
      `invalid CNI_COMMAND "${env["CNI_COMMAND"] ?? ""}": must be one of ${COMMANDS.join(", ")}, VERSION`,
    );
  const config = parseConfig(stdin);
  const perAttachment = command === "ADD" || command === "DEL" || command === "CHECK";
  const containerId = env["CNI_CONTAINERID"] ?? "";
  const ifname = env["CNI_IFNAME"] ?? "";
  const netns = env["CNI_NETNS"] ?? "";
  if (perAttachment) {
    if (!CONTAINER_ID.test(containerId))
      throw new CniError(
        CODE.invalidEnvironment,
        `invalid CNI_CONTAINERID "${containerId}": empty, or with characters that the spec forbids`,
      );
    if (!isInterfaceName(ifname))
      throw new CniError(
        CODE.invalidEnvironment,
        `invalid CNI_IFNAME "${ifname}": must have 1 to ${IFNAME_MAX} characters, no slash, no space`,
      );
    if (command !== "DEL" && netns === "")
      throw new CniError(CODE.invalidEnvironment, `CNI_NETNS is empty, but ${command} needs it`);
    if (netns !== "" && !netns.startsWith("/"))
      throw new CniError(CODE.invalidEnvironment, `invalid CNI_NETNS "${netns}": must be an absolute path`);
  }
  if (!SUPPORTED_VERSIONS.some((v) => v === config.cniVersion))
    throw new CniError(
      CODE.incompatibleVersion,
      `cniVersion ${config.cniVersion} is not supported`,
      `Supported: ${SUPPORTED_VERSIONS.join(", ")}.`,
    );
  return { command, containerId, netns, ifname, pod: parsePodRef(env["CNI_ARGS"] ?? ""), config };
}

function parseConfig(stdin: string): NetworkConfig {
  let json: unknown;
  try {
    json = JSON.parse(stdin.trim() === "" ? "{}" : stdin);
  } catch (error) {
    throw new CniError(
      CODE.decode,
      `invalid configuration on stdin, not JSON: ${error instanceof Error ? error.message : ""}`,
    );
  }
  const result = configSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CniError(
    CODE.invalidConfig,
    `invalid configuration, field ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
  );
}

function isInterfaceName(name: string): boolean {
  return name.length >= 1 && name.length <= IFNAME_MAX && name !== "." && name !== ".." && !/[/:\s\0]/.test(name);
}

/** Parses CNI_ARGS: `K8S_POD_NAMESPACE=…;K8S_POD_NAME=…;K8S_POD_UID=…`. */
function parsePodRef(args: string): PodRef {
  const values = new Map(
    args.split(";").flatMap((pair): [string, string][] => {
      const index = pair.indexOf("=");
      return index < 0 ? [] : [[pair.slice(0, index), pair.slice(index + 1)]];
    }),
  );
  return {
    namespace: values.get("K8S_POD_NAMESPACE") ?? "",
    name: values.get("K8S_POD_NAME") ?? "",
    uid: values.get("K8S_POD_UID") ?? "",
  };
}
