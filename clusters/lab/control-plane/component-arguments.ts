import { join } from "node:path";
import type { EnvironmentSpec } from "../../spec/environment-spec.ts";
import { parseMinor } from "../../spec/version-skew.ts";
import { joinRanges } from "../../spec/address-ranges.ts";
import { API_PORT } from "./identities.ts";
import type { PkiFiles } from "./pki.ts";

interface ControlPlaneOptions {
  /** Kubernetes version. */
  readonly version: string;
  readonly address: string;
  readonly overlayCidr: string;
  readonly overlayCidr6?: string;
  readonly serviceCidr: string;
  readonly serviceCidr6?: string;
  readonly environment?: EnvironmentSpec;
  readonly pki: PkiFiles;
  /** Directory of etcd's data and the components' kubeconfigs. */
  readonly directory: string;
}

const ETCD = "http://127.0.0.1:2379";

/** Returns the path of the audit log (audit.k8s.io/v1, JSON lines): the requests of Interlay's service accounts. */
export function getAuditLogFile(directory: string): string {
  return join(directory, "audit.log");
}

/**
 * Returns the arguments that enable ValidatingAdmissionPolicy and the name of the node in the tokens of pods: Kubernetes v1.30 and
 * newer have both, v1.29 on request.
 */
function listAdmissionArguments(version: string): readonly string[] {
  if (parseMinor(version) !== 29) return [];
  return [
    "--feature-gates=ValidatingAdmissionPolicy=true,ServiceAccountTokenPodNodeInfo=true",
    "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
  ];
}

/** Returns etcd's arguments. It does not sync to disk: a lab's data need not survive a crash. */
export function listEtcdArguments({ directory }: ControlPlaneOptions): readonly string[] {
  return [
    `--data-dir=${directory}/etcd`,
    "--unsafe-no-fsync",
    "--log-level=error",
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    "--listen-peer-urls=http://127.0.0.1:2380",
  ];
}

/** Returns kube-apiserver's arguments. */
export function listApiServerArguments({
  version,
  address,
  serviceCidr,
  serviceCidr6,
  pki,
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
    ...listAdmissionArguments(version),
    "--allow-privileged=true",
    `--token-auth-file=${pki.tokens}`,
    `--client-ca-file=${pki.ca}`,
    `--tls-cert-file=${pki.serverCertificate}`,
    `--tls-private-key-file=${pki.serverKey}`,
    `--kubelet-client-certificate=${pki.clientCertificate}`,
    `--kubelet-client-key=${pki.clientKey}`,
    `--kubelet-certificate-authority=${pki.ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${pki.accountKey}`,
    `--service-account-signing-key-file=${pki.accountKey}`,
    "--profiling=false",
    "--v=0",
  ];
}

/** Returns kube-controller-manager's arguments. */
export function listControllerManagerArguments({
  pki,
  directory,
  overlayCidr,
  overlayCidr6,
  environment,
}: ControlPlaneOptions): readonly string[] {
  return [
    `--kubeconfig=${directory}/kube-controller-manager.kubeconfig`,
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    `--root-ca-file=${pki.ca}`,
    `--service-account-private-key-file=${pki.accountKey}`,
    ...(environment?.podCidrs === true
      ? [
          "--allocate-node-cidrs=true",
          `--cluster-cidr=${joinRanges(overlayCidr, overlayCidr6)}`,
          // The node mask may be at most 16 bits longer than the network's prefix.
          ...(overlayCidr6 === undefined ? [] : ["--node-cidr-mask-size-ipv6=80"]),
        ]
      : ["--allocate-node-cidrs=false"]), // Calico assigns the pods' addresses
    "--bind-address=127.0.0.1",
  ];
}

/** Returns kube-scheduler's arguments. */
export function listSchedulerArguments({ directory }: ControlPlaneOptions): readonly string[] {
  return [`--kubeconfig=${directory}/kube-scheduler.kubeconfig`, "--leader-elect=false", "--bind-address=127.0.0.1"];
}
