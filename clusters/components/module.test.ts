import assert from "node:assert/strict";
import { listBuildArguments, type GoModule, renderGoMod } from "./module.ts";

const KUBERNETES: GoModule = {
  path: "k8s.io/kubernetes",
  version: "v1.29.15",
  packages: ["cmd/kubelet", "cmd/kube-proxy"],
  variables: { "k8s.io/component-base/version.gitVersion": "v1.29.15" },
  replaces: "kubernetes-staging",
};

describe("the build of another module's commands", () => {
  it("replaces Kubernetes' staging modules by their published versions up to v1.30", () => {
    const upstream = {
      Go: "1.21",
      Require: [{ Path: "k8s.io/api", Version: "v0.0.0" }],
      Replace: [
        { Old: { Path: "k8s.io/api" }, New: { Path: "./staging/src/k8s.io/api" } },
        { Old: { Path: "k8s.io/kubelet" }, New: { Path: "./staging/src/k8s.io/kubelet" } },
      ],
    };
    assert.equal(
      renderGoMod(KUBERNETES, upstream),
      `module build

go 1.21

require k8s.io/kubernetes v1.29.15

replace (
	k8s.io/api => k8s.io/api v0.29.15
	k8s.io/kubelet => k8s.io/kubelet v0.29.15
)
`,
    );
  });

  it("replaces Kubernetes' staging modules from v1.31 on by their requirements at v0.0.0", () => {
    const upstream = {
      Go: "1.26.0",
      Require: [
        { Path: "k8s.io/api", Version: "v0.0.0" },
        { Path: "k8s.io/klog/v2", Version: "v2.130.1" },
      ],
    };
    const text = renderGoMod({ ...KUBERNETES, version: "v1.37.2" }, upstream);
    assert.match(text, /^\tk8s\.io\/api => k8s\.io\/api v0\.37\.2$/m);
    assert.doesNotMatch(text, /klog/);
  });

  it("repeats a module's replacements except directories, and prefers additional ones", () => {
    const module: GoModule = {
      path: "example.com/m",
      version: "v1.0.0",
      packages: [""],
      variables: {},
      replaces: "own",
      extraReplaces: { "example.com/api": "example.com/api v0.9.0" },
    };
    const text = renderGoMod(module, {
      Go: "1.22",
      Replace: [
        { Old: { Path: "example.com/api" }, New: { Path: "./api" } },
        { Old: { Path: "example.com/fork" }, New: { Path: "example.com/ours", Version: "v1.2.3" } },
        { Old: { Path: "example.com/one", Version: "v1.0.0" }, New: { Path: "example.com/one", Version: "v1.0.1" } },
      ],
    });
    assert.deepEqual(text.match(/^\t.*$/gm), [
      "\texample.com/api => example.com/api v0.9.0",
      "\texample.com/fork => example.com/ours v1.2.3",
      "\texample.com/one v1.0.0 => example.com/one v1.0.1",
    ]);
  });

  it("has no replace block without replacements", () => {
    const module: GoModule = {
      path: "sigs.k8s.io/kind",
      version: "v0.33.0",
      packages: [""],
      variables: {},
      replaces: "none",
    };
    assert.equal(renderGoMod(module, { Go: "1.24" }), "module build\n\ngo 1.24\n\nrequire sigs.k8s.io/kind v0.33.0\n");
    assert.deepEqual(listBuildArguments(module, "out").slice(-3), ["-o", "out/", "sigs.k8s.io/kind"]);
  });

  it("builds all commands of a module in one call, with their version", () => {
    const argv = listBuildArguments(KUBERNETES, "out");
    assert.deepEqual(argv.slice(-4), [
      "-o",
      "out/",
      "k8s.io/kubernetes/cmd/kubelet",
      "k8s.io/kubernetes/cmd/kube-proxy",
    ]);
    assert.ok(argv.includes("-s -w -X k8s.io/component-base/version.gitVersion=v1.29.15"));
  });

  it("compiles test programs, and commands of modules that it requires", () => {
    const program = listBuildArguments({ ...KUBERNETES, packages: ["test/e2e"], test: true }, "out");
    assert.deepEqual(program.slice(0, 4), ["test", "-c", "-vet=off", "-mod=mod"]);
    const commands = listBuildArguments({ ...KUBERNETES, otherPackages: ["example.com/tool/cmd"] }, "out");
    assert.deepEqual(commands.slice(-2), ["k8s.io/kubernetes/cmd/kube-proxy", "example.com/tool/cmd"]);
  });
});
