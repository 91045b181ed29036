/** Ports and users of a lab's control plane. */

/** Port of the API server in the control plane's network. */
export const API_PORT = 6443;
/** Port of every node's kubelet (fake-kubelet/kubelet-server.ts). */
export const KUBELET_PORT = 10250;
/** Common name of the certificate with which the API server connects to kubelets. */
export const API_SERVER_CLIENT = "kube-apiserver-kubelet-client";

/** Users of --token-auth-file: the names to which Kubernetes binds its own roles. */
export const ADMIN_USER = "kubernetes-admin";
export const CONTROLLER_MANAGER_USER = "system:kube-controller-manager";
export const SCHEDULER_USER = "system:kube-scheduler";

/** Returns the user of a node's kubelet. */
export function formatNodeUser(node: string): string {
  return `system:node:${node}`;
}
