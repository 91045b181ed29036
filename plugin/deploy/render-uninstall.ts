import { parseAllDocuments, stringify } from "yaml";
import { z } from "zod";
import { readManifest } from "./render-installation.ts";

const daemonSet = z.object({
  apiVersion: z.literal("apps/v1"),
  kind: z.literal("DaemonSet"),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    template: z.object({
      spec: z.looseObject({
        containers: z.tuple([z.looseObject({ name: z.string(), env: z.array(z.looseObject({ name: z.string() })) })]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});

export const UNINSTALL = "interlay-uninstall";

/**
 * Renders a DaemonSet from the agent's. Its pods remove Interlay from their node and are ready when that is done. The agent's DaemonSet
 * must be deleted before.
 *
 * @param cniBinDirectory plugin directory of the nodes; undefined: the manifest's
 */
export function renderUninstall(image: string, cniBinDirectory?: string): string {
  const agent = parseAllDocuments(readManifest("interlay.yaml"))
    .map((document) => daemonSet.safeParse(document.toJS()).data)
    .find((manifest) => manifest !== undefined);
  if (agent === undefined) throw new Error("manifests/interlay.yaml has no DaemonSet");
  const labels = { app: UNINSTALL };
  const { containers, ...spec } = agent.spec.template.spec;
  // It does not use the API server; the agents' service account may be deleted (helm uninstall).
  const volumes = spec.volumes.map((volume) =>
    volume.name === "cni-bin" && cniBinDirectory !== undefined
      ? { ...volume, hostPath: { path: cniBinDirectory } }
      : volume,
  );
  const pod = { ...spec, volumes, serviceAccountName: undefined, automountServiceAccountToken: false };
  // No probe: the pod is ready when its init container has succeeded.
  const noProbes = { startupProbe: undefined, readinessProbe: undefined, livenessProbe: undefined };
  const [{ env: variables, ...first }] = containers;
  const env = variables.filter(({ name }) => name === "INTERLAY_SYSCTL_DIRECTORY");
  const container = { ...first, image, env, ...noProbes };
  return stringify({
    ...agent,
    metadata: { ...agent.metadata, name: UNINSTALL, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...pod,
          initContainers: [
            { ...container, name: "uninstall", args: ["uninstall", "--bin-directory", "/host/opt/cni/bin"] },
          ],
          containers: [{ ...container, name: "wait", args: ["wait"] }],
        },
      },
    },
  });
}
