import type { V1ContainerStatus, V1Pod, V1PodStatus } from "@kubernetes/client-node";

/** What the node runner knows of one container. */
export interface ContainerState {
  readonly state: "waiting" | "running" | "ended";
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
  readonly since: Date;
  readonly restarts: number;
  readonly ready: boolean;
}

export const CONTAINER_CREATING: ContainerState = {
  state: "waiting",
  reason: "ContainerCreating",
  since: new Date(0),
  restarts: 0,
  ready: false,
};

export interface PodProgress {
  /** IPv4 first, as with podIPs. */
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  readonly started: Date;
  readonly initialized: boolean;
  readonly init: ReadonlyMap<string, ContainerState>;
  readonly containers: ReadonlyMap<string, ContainerState>;
}

/** A pod's status as kubelet writes it. Pure. */
export function buildPodStatus(pod: V1Pod, known: PodProgress, now: Date): V1PodStatus {
  const containers = [...known.containers.values()];
  const ready = known.initialized && containers.length > 0 && containers.every((one) => one.ready);
  const before = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const condition = (type: string, value: boolean) => {
    const status = value ? "True" : "False";
    const was = before.get(type);
    return { type, status, lastTransitionTime: was?.status === status ? (was.lastTransitionTime ?? now) : now };
  };
  return {
    phase: choosePhase(known, containers),
    hostIP: known.hostIPs[0] ?? "",
    hostIPs: known.hostIPs.map((ip) => ({ ip })),
    startTime: known.started,
    ...(known.podIPs.length === 0 ? {} : { podIP: known.podIPs[0] ?? "", podIPs: known.podIPs.map((ip) => ({ ip })) }),
    conditions: [
      condition("PodScheduled", true),
      condition("Initialized", known.initialized),
      condition("ContainersReady", ready),
      condition("Ready", ready),
    ],
    initContainerStatuses: (pod.spec?.initContainers ?? []).map((one) => buildContainerStatus(one, known.init)),
    containerStatuses: (pod.spec?.containers ?? []).map((one) => buildContainerStatus(one, known.containers)),
  };
}

function choosePhase(known: PodProgress, containers: readonly ContainerState[]): string {
  if (!known.initialized || containers.every(({ state }) => state === "waiting")) return "Pending";
  if (containers.every(({ state }) => state === "ended"))
    return containers.every(({ exitCode }) => exitCode === 0) ? "Succeeded" : "Failed";
  return "Running";
}

function buildContainerStatus(
  { name, image = "" }: { readonly name: string; readonly image?: string },
  known: ReadonlyMap<string, ContainerState>,
): V1ContainerStatus {
  const is = known.get(name) ?? CONTAINER_CREATING;
  return {
    name,
    image,
    imageID: image,
    ready: is.ready,
    started: is.state === "running",
    restartCount: is.restarts,
    state:
      is.state === "running"
        ? { running: { startedAt: is.since } }
        : is.state === "ended"
          ? {
              terminated: {
                exitCode: is.exitCode ?? 0,
                finishedAt: is.since,
                reason: is.exitCode === 0 ? "Completed" : "Error",
              },
            }
          : { waiting: { reason: is.reason ?? "ContainerCreating", message: is.message ?? "" } },
  };
}
