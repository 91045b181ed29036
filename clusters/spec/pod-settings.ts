/** A toleration of a pod, as Kubernetes has it. */
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
  /** In base64, as the API server has it. */
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
}

/** Fields of a pod's spec that follow from the settings. */
interface PodSpecFields {
  readonly tolerations: PodToleration[];
  readonly imagePullSecrets?: { readonly name: string }[];
}

const TOLERATE_EVERYTHING: PodToleration = { operator: "Exists" };

/** Returns the fields of a pod's spec for settings. */
export function toPodSpecFields({ tolerations, pullSecrets = [] }: PodSettings): PodSpecFields {
  return {
    tolerations: [...(tolerations ?? [TOLERATE_EVERYTHING])],
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map(({ name }) => ({ name })) }),
  };
}

/** Returns the fields of a container for settings: its requests are its limits. */
export function toContainerFields({ resources }: PodSettings): {
  readonly resources?: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
} {
  return resources === undefined ? {} : { resources: { requests: { ...resources }, limits: { ...resources } } };
}
