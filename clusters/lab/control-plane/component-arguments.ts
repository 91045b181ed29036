import { join } from "node:path";
import type { EnvironmentSpec } from "../../environments/environment-spec.ts";
import { joinRanges } from "../../spec.ts";
import type { PkiFiles } from "./pki.ts";

export interface ControlPlaneOptions {
  /** Kubernetes version. */
  readonly version: string;
  readonly address: string;
  readonly overlayCidr: string;
  readonly overlayCidr6?: string;
  readonly serviceCidr: string;
  readonly serviceCidr6?: string;
  readonly environment?: EnvironmentSpec;
  readonly keys: PkiFiles;
  /** Directory for etcd, and of the two kubeconfigs. */
  readonly directory: string;
}

/** Port of the API server on the control plane's machine. */
export const API_PORT = 6443;
/** Port of every node's kubelet (kubelet.ts), and the name under which the API server comes to it. */
export const KUBELET_PORT = 10250;
export const API_SERVER_CLIENT = "kube-apiserver-kubelet-client";
const ETCD = "http://127.0.0.1:2379";

/** What Interlay's service account asked of the API server, a JSON line each (audit.k8s.io/v1). */
export const getAuditLogFile = (directory: string): string => join(directory, "audit.log");

/** Nothing of a lab is worth waiting for the disk. */
export function listEtcdArguments({ directory }: ControlPlaneOptions): readonly string[] {
  return [
    ...["--data-dir", `${directory}/etcd`, "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", ETCD, "--advertise-client-urls", ETCD, "--listen-peer-urls", "http://127.0.0.1:2380"],
  ];
}

export function listApiServerArguments({
  address,
  serviceCidr,
  serviceCidr6,
  keys,
  directory,
}: ControlPlaneOptions): readonly string[] {
  return [
    `--audit-policy-file=${join(import.meta.dirname, "..", "files", "audit-policy.yaml")}`,
    `--audit-log-path=${getAuditLogFile(directory)}`,
    "--audit-log-maxsize=20",
    "--audit-log-maxbackup=1",
    `--etcd-servers=${ETCD}`,
    `--advertise-address=${address}`,
    `--secure-port=${API_PORT}`,
    `--service-cluster-ip-range=${joinRanges(serviceCidr, serviceCidr6)}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--token-auth-file=${keys.tokens}`,
    `--client-ca-file=${keys.ca}`,
    `--tls-cert-file=${keys.serverCertificate}`,
    `--tls-private-key-file=${keys.serverKey}`,
    `--kubelet-client-certificate=${keys.clientCertificate}`,
    `--kubelet-client-key=${keys.clientKey}`,
    `--kubelet-certificate-authority=${keys.ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${keys.accountKey}`,
    `--service-account-signing-key-file=${keys.accountKey}`,
    "--profiling=false",
    "--v=0",
  ];
}

export function listControllerManagerArguments({
  keys,
  directory,
  overlayCidr,
  overlayCidr6,
  environment,
}: ControlPlaneOptions): readonly string[] {
  return [
    `--kubeconfig=${directory}/kube-controller-manager.kubeconfig`,
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    `--root-ca-file=${keys.ca}`,
    `--service-account-private-key-file=${keys.accountKey}`,
    ...(environment?.podCidrs === true
      ? [
          ...["--allocate-node-cidrs=true", `--cluster-cidr=${joinRanges(overlayCidr, overlayCidr6)}`],
          // 16 bits for nodes are the most that it divides a network into
          ...(overlayCidr6 === undefined ? [] : ["--node-cidr-mask-size-ipv6=80"]),
        ]
      : ["--allocate-node-cidrs=false"]), // Calico hands out the pods' addresses
    "--bind-address=127.0.0.1",
  ];
}

export function listSchedulerArguments({ directory }: ControlPlaneOptions): readonly string[] {
  return [`--kubeconfig=${directory}/kube-scheduler.kubeconfig`, "--leader-elect=false", "--bind-address=127.0.0.1"];
}

/** The users of --token-auth-file, in the names that Kubernetes' own roles are bound to. */
export const ADMIN_USER = "kubernetes-admin";
export const CONTROLLER_MANAGER_USER = "system:kube-controller-manager";
export const SCHEDULER_USER = "system:kube-scheduler";
export const KUBE_PROXY = "system:kube-proxy";
export const formatNodeUser = (node: string): string => `system:node:${node}`;
