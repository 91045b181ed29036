import type { V1ContainerStatus, V1Pod, V1PodStatus } from "@kubernetes/client-node";

/** State of one container. */
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

/** State of a pod and its containers. */
export interface PodProgress {
  /** IPv4 first, like podIPs. */
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  readonly started: Date;
  readonly initialized: boolean;
  readonly init: ReadonlyMap<string, ContainerState>;
  readonly containers: ReadonlyMap<string, ContainerState>;
}

/** Returns a pod's status as kubelet writes it. A condition that does not change keeps its time. Pure. */
export function buildPodStatus(pod: V1Pod, progress: PodProgress, now: Date): V1PodStatus {
  const containers = [...progress.containers.values()];
  const ready = progress.initialized && containers.length > 0 && containers.every((container) => container.ready);
  const previousConditions = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const condition = (type: string, value: boolean) => {
    const status = value ? "True" : "False";
    const previous = previousConditions.get(type);
    return {
      type,
      status,
      lastTransitionTime: previous?.status === status ? (previous.lastTransitionTime ?? now) : now,
    };
  };
  return {
    phase: choosePhase(progress, containers),
    hostIP: progress.hostIPs[0] ?? "",
    hostIPs: progress.hostIPs.map((ip) => ({ ip })),
    startTime: progress.started,
    ...(progress.podIPs.length === 0
      ? {}
      : { podIP: progress.podIPs[0] ?? "", podIPs: progress.podIPs.map((ip) => ({ ip })) }),
    conditions: [
      condition("PodScheduled", true),
      condition("Initialized", progress.initialized),
      condition("ContainersReady", ready),
      condition("Ready", ready),
    ],
    initContainerStatuses: (pod.spec?.initContainers ?? []).map((container) =>
      buildContainerStatus(container, progress.init),
    ),
    containerStatuses: (pod.spec?.containers ?? []).map((container) =>
      buildContainerStatus(container, progress.containers),
    ),
  };
}

function choosePhase(progress: PodProgress, containers: readonly ContainerState[]): string {
  if (!progress.initialized || containers.every(({ state }) => state === "waiting")) return "Pending";
  if (containers.every(({ state }) => state === "ended"))
    return containers.every(({ exitCode }) => exitCode === 0) ? "Succeeded" : "Failed";
  return "Running";
}

function buildContainerStatus(
  { name, image = "" }: { readonly name: string; readonly image?: string },
  states: ReadonlyMap<string, ContainerState>,
): V1ContainerStatus {
  const container = states.get(name) ?? CONTAINER_CREATING;
  return {
    name,
    image,
    imageID: image,
    ready: container.ready,
    started: container.state === "running",
    restartCount: container.restarts,
    state:
      container.state === "running"
        ? { running: { startedAt: container.since } }
        : container.state === "ended"
          ? {
              terminated: {
                exitCode: container.exitCode ?? 0,
                finishedAt: container.since,
                reason: container.exitCode === 0 ? "Completed" : "Error",
              },
            }
          : { waiting: { reason: container.reason ?? "ContainerCreating", message: container.message ?? "" } },
  };
}
