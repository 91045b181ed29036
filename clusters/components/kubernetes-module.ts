import type { GoModule } from "./module.ts";

/** Commands of a Kubernetes node and control plane, below `cmd/`. */
export const CONTROL_PLANE = [
  "kubelet",
  "kubeadm",
  "kubectl",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
] as const;

/** The test program of Kubernetes. */
export const TEST_PROGRAM = { packages: ["test/e2e"], test: true } as const;

/** Commands that one build creates: Ginkgo, which runs the test program, and agnhost, which runs in the tests' pods. */
export const TEST_COMMANDS = {
  packages: ["test/images/agnhost"],
  otherPackages: ["github.com/onsi/ginkgo/v2/ginkgo"],
} as const;

/**
 * Describes a build of commands of Kubernetes.
 * @param version of Kubernetes, which the commands report
 */
export function createKubernetesModule(
  version: string,
  commands: Pick<GoModule, "packages" | "otherPackages" | "test">,
): GoModule {
  const [, minor = ""] = version.split(".");
  const variable = (name: string) => `k8s.io/component-base/version.${name}`;
  return {
    path: "k8s.io/kubernetes",
    version,
    ...commands,
    variables: { [variable("gitVersion")]: version, [variable("gitMajor")]: "1", [variable("gitMinor")]: minor },
    replaces: "kubernetes-staging",
  };
}
