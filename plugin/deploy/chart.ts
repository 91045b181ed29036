import { IMAGE, readManifest } from "./render.ts";
import packageJson from "../../package.json" with { type: "json" };

/** The Helm chart by path in plugin/deploy/chart, made from manifests/: `npm run chart` writes it, a test keeps it equal. */
export function renderChart(): Readonly<Record<string, string>> {
  return {
    "Chart.yaml": CHART,
    "values.yaml": VALUES,
    "crds/crds.yaml": readManifest("crds.yaml"),
    "templates/config.yaml": CONFIG,
    "templates/interlay.yaml": readManifest("interlay.yaml").replace(
      IMAGE,
      'image: {{ required "image: name the image that `npm run build -- --images` made" .Values.image }}\n',
    ),
    "templates/pools.yaml": renderObjects("pools", "UnderlayPool"),
    "templates/networks.yaml": renderObjects("networks", "UnderlayNetwork"),
  };
}

const CHART = `# Made by npm run chart.
apiVersion: v2
name: interlay
description: Overlay, underlay and multi-NIC pods in one cluster
type: application
version: ${packageJson.version}
appVersion: ${packageJson.version}
`;

const VALUES = `# Made by npm run chart.
# The agent's image, with its tag.
image: ""
# auto (notrack, or snat behind a router), notrack, liberal, snat or none
returnPath: auto
# More settings of ConfigMap interlay-config: docs/agent.md.
config: {}
# UnderlayPools: name, and the rest of their spec.
# - { name: underlay, subnet: 192.0.2.0/24, ranges: [192.0.2.64/26], gateway: 192.0.2.1 }
pools: []
# UnderlayNetworks: name, and the rest of their spec. The agent makes their NetworkAttachmentDefinitions.
# - { name: underlay, uplink: eth0, pools: [underlay] }
networks: []
`;

/** The agent looks into one namespace for its settings: another one would be installed, and never work. */
const CONFIG = `{{- if ne .Release.Namespace "interlay-system" }}
{{- fail "install with --namespace interlay-system --create-namespace" }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: { name: interlay-config, namespace: interlay-system }
data:
  returnPath: {{ .Values.returnPath | quote }}
{{- range $key, $value := .Values.config }}
  {{ $key }}: {{ $value | quote }}
{{- end }}
`;

function renderObjects(values: string, kind: string): string {
  return `{{- range .Values.${values} }}
---
apiVersion: interlay.dev/v1alpha1
kind: ${kind}
metadata: { name: {{ .name }} }
spec:
  {{- omit . "name" | toYaml | nindent 2 }}
{{- end }}
`;
}
