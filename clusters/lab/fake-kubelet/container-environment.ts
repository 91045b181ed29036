import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { API_PORT } from "../control-plane/identities.ts";
import { getNthAddress } from "../machines/machine-addresses.ts";
import type { LabPlan } from "../plan/lab-plan.ts";
import { readPodField } from "./volumes.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Address of the API server for pods. */
export interface ApiServerAddress {
  readonly host: string;
  readonly port: string;
}

/** Returns the address of the Service kubernetes; without kube-proxy, that of the API server itself. */
export function findApiServer({ serviceCidr, environment, machines }: LabPlan): ApiServerAddress {
  const [controlPlane] = machines.nodes;
  return environment?.kubeProxy?.installed === false && controlPlane !== undefined
    ? { host: controlPlane.address, port: String(API_PORT) }
    : { host: getNthAddress(serviceCidr, 1), port: "443" };
}

/** Returns a container's environment: the image's PATH, the API server's address, and the pod's variables. */
export function buildEnvironment(
  pod: V1Pod,
  container: V1Container,
  apiServer: ApiServerAddress,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {
    PATH,
    HOME: "/root",
    HOSTNAME: pod.metadata?.name ?? "",
    KUBERNETES_SERVICE_HOST: apiServer.host,
    KUBERNETES_SERVICE_PORT: apiServer.port,
  };
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    env[name] = path === undefined ? expandVariables(value ?? "", env) : readPodField(pod, path);
  }
  return env;
}

/** Expands `$(NAME)` as Kubernetes does in arguments. An unknown name is left as it is. */
export function expandVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}
