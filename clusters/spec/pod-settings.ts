/** A toleration in a pod's spec. */
export interface PodToleration {
  readonly key?: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: string;
}

/** A secret with the login of a registry. */
export interface PullSecret {
  readonly name: string;
  readonly type: string;
  /** Values in base64, as in the Secret object. */
  readonly data: Readonly<Record<string, string>>;
}

/** Settings that a cluster requires of the suite's pods, such as its admission and its registry. */
export interface PodSettings {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Undefined: every taint is tolerated. */
  readonly tolerations?: readonly PodToleration[];
  /** Requests and limits of each container: `{ cpu: "100m" }`. */
  readonly resources?: Readonly<Record<string, string>>;
  /** Secrets that are created in the pods' namespace. */
  readonly pullSecrets?: readonly PullSecret[];
  /** Whether the pods comply with Pod Security level `restricted`. */
  readonly restricted?: boolean;
}

/** Fields of a pod's spec that follow from the settings. */
interface PodSpecFields {
  readonly tolerations: PodToleration[];
  readonly imagePullSecrets?: { readonly name: string }[];
  readonly securityContext?: typeof RESTRICTED_POD;
}

/** Fields of a container that follow from the settings. */
interface ContainerFields {
  readonly resources?: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly securityContext?: typeof RESTRICTED_CONTAINER;
}

/** User of restricted pods: the usual one of images without a shell. It is not in /etc/passwd. */
const USER = 65_532;
/** Fields that level `restricted` requires of a pod. */
const RESTRICTED_POD = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  seccompProfile: { type: "RuntimeDefault" },
  // Pings without capabilities. The level allows this sysctl; runtimes before containerd 2.0 do not set it.
  sysctls: [{ name: "net.ipv4.ping_group_range", value: "0 2147483647" }],
};
/** Fields that level `restricted` requires of a container. */
const RESTRICTED_CONTAINER = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

const TOLERATE_EVERYTHING: PodToleration = { operator: "Exists" };

/** Returns the fields of a pod's spec for settings. */
export function toPodSpecFields({ tolerations, pullSecrets = [], restricted = false }: PodSettings): PodSpecFields {
  return {
    tolerations: [...(tolerations ?? [TOLERATE_EVERYTHING])],
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map(({ name }) => ({ name })) }),
    ...(restricted ? { securityContext: RESTRICTED_POD } : {}),
  };
}

/** Returns the fields of a container for settings: its requests are its limits. */
export function toContainerFields({ resources, restricted = false }: PodSettings): ContainerFields {
  return {
    ...(resources === undefined ? {} : { resources: { requests: { ...resources }, limits: { ...resources } } }),
    ...(restricted ? { securityContext: RESTRICTED_CONTAINER } : {}),
  };
}
