import assert from "node:assert/strict";
import { extractErrors } from "./nodes-step.ts";

/** Output of kind v0.33 and kubeadm v1.37 if etcd does not start. */
const OUTPUT = `Creating cluster "k" ...
ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec k-control-plane kubeadm init" failed with error: exit status 1
Command Output: I1124 19:16:44.1 [certs] Generating "ca" certificate and key
[control-plane-check] kube-apiserver is not healthy after 4m0s
error: error execution phase wait-control-plane: failed while waiting for the control plane to start
k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1
	k8s.io/kubernetes@v1.37.2/cmd/kubeadm/app/cmd/phases/workflow/runner.go:262
github.com/spf13/cobra.(*Command).execute
	github.com/spf13/cobra@v1.10.2/command.go:1015
main.main
	k8s.io/kubernetes@v1.37.2/cmd/kubeadm/kubeadm.go:25
runtime.goexit
	runtime/asm_amd64.s:1771
`;

describe("extractErrors", () => {
  it("returns the errors without the stack trace", () => {
    assert.deepEqual(
      extractErrors(OUTPUT)
        .split("\n")
        .map((line) => line.slice(0, 42)),
      [
        "ERROR: failed to create cluster: failed to",
        "[control-plane-check] kube-apiserver is no",
        "error: error execution phase wait-control-",
      ],
    );
  });

  it("returns all lines if none has an error", () => {
    assert.equal(extractErrors("one\ntwo\n"), "one\ntwo");
  });
});
