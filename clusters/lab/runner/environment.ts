import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { fieldValue } from "./volumes.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A container's environment: the image's PATH, the API server's Service, what the pod says. */
export function environmentOf(pod: V1Pod, container: V1Container, service: string): Readonly<Record<string, string>> {
  const env: Record<string, string> = {
    PATH,
    HOME: "/root",
    HOSTNAME: pod.metadata?.name ?? "",
    KUBERNETES_SERVICE_HOST: service,
    KUBERNETES_SERVICE_PORT: "443",
  };
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    env[name] = path === undefined ? expand(value ?? "", env) : fieldValue(pod, path);
  }
  return env;
}

/** `$(NAME)` as Kubernetes expands it in arguments; a name that is not known stays as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}
