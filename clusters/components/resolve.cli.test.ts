import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPlainProgress } from "../progress/plain.ts";
import { VERSIONS } from "./catalog.ts";
import { resolveComponents } from "./resolve.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

/** A fake go command that supports the resolver's calls, records them, and "compiles" a script. */
const GO = `#!/bin/sh
echo "$@" CGO_ENABLED="$CGO_ENABLED" >> "$FAKE_GO_CALLS"
case "$1 $2" in
"version ") echo go version go1.26 linux/amd64 ;;
"mod download") echo '{"GoMod": "/upstream/go.mod", "Dir": "'"$FAKE_GO_SOURCE"'"}' ;;
"mod edit") echo '{"Go": "1.24"}' ;;
"list -mod=mod") printf 'a\\nb\\n' ;;
build*)
  sleep 0.6
  test -e "$FAKE_GO_FAILS" && { echo "main.go:1: syntax error" >&2; exit 1; }
  while test "$1" != -o; do shift; done
  out=$2
  shift 2
  for package; do echo "$package" > "$out$(basename "$package" | sed s/multus-cni.v4/multus/)"; done ;;
esac
`;

describe("resolveComponents", () => {
  const root = useDirectory();
  const lines: string[] = [];
  const progress = createPlainProgress((line) => lines.push(line));
  const saved = { ...process.env };
  const multus = { name: "multus", version: VERSIONS.multus } as const;
  const calico = (["calico-node", "calico-cni", "calico-crds"] as const).map((name) => ({
    name,
    version: VERSIONS.calico,
  }));

  const script = async (name: string, text: string) => {
    await writeFile(join(root, "bin", name), text);
    await chmod(join(root, "bin", name), 0o755);
  };
  const builds = async () =>
    (await readFile(join(root, "calls"), "utf8")).split("\n").filter((line) => line.startsWith("build"));

  beforeEach(async () => {
    await mkdir(join(root, "bin"));
    await mkdir(join(root, "source", "manifests"), { recursive: true });
    await writeFile(join(root, "source", "manifests", "crds.yaml"), "kind: CustomResourceDefinition\n");
    await script("go", GO);
    process.env["INTERLAY_CACHE"] = join(root, "cache");
    process.env["PATH"] = `${join(root, "bin")}:${saved["PATH"] ?? ""}`;
    process.env["FAKE_GO_CALLS"] = join(root, "calls");
    process.env["FAKE_GO_SOURCE"] = join(root, "source");
    process.env["FAKE_GO_FAILS"] = join(root, "fails");
    lines.length = 0;
  });
  afterEach(() => {
    process.env = { ...saved };
  });

  it("builds all programs of a module in one call, and only once", async () => {
    const first = await resolveComponents(calico, progress);
    assert.match(await readFile(first.path("calico-cni"), "utf8"), /cni-plugin\/cmd\/calico$/m);
    assert.match(await readFile(first.path("calico-crds"), "utf8"), /CustomResourceDefinition/);
    const second = await resolveComponents(calico, progress);
    assert.equal(second.path("calico-node"), first.path("calico-node"));
    assert.equal((await builds()).length, 1);
    assert.equal(lines.filter((line) => line.includes("> build")).length, 1);
  });

  it("builds only flannel with a C compiler", async () => {
    await resolveComponents([{ name: "flannel", version: VERSIONS.flannel }, multus], progress);
    const settings = (await builds()).map((line) => `${/multus|flannel/.exec(line)?.[0]} ${line.slice(-1)}`);
    assert.deepEqual(settings.sort(), ["flannel 1", "multus 0"]);
  });

  it("uses a program of a module whose programs were all built", async () => {
    const version = "v1.31.4";
    const whole = await resolveComponents(
      (["kube-apiserver", "kube-proxy"] as const).map((name) => ({ name, version })),
      progress,
    );
    const alone = await resolveComponents([{ name: "kube-proxy", version }], progress);
    assert.equal(alone.path("kube-proxy"), whole.path("kube-proxy"));
    assert.equal((await builds()).length, 1);
  });

  it("builds once for two concurrent callers, and reports that one waits", async () => {
    await Promise.all([resolveComponents([multus], progress), resolveComponents([multus], progress)]);
    assert.equal((await builds()).length, 1);
    assert.ok(lines.some((line) => line.includes(`process ${process.pid} is building multus ${multus.version}`)));
  });

  it("keeps only the log of a failed build, and repeats the build", async () => {
    await writeFile(join(root, "fails"), "");
    await assert.rejects(resolveComponents([multus], progress), /cannot build .* \(log: .*syntax error/s);
    const left = await readdir(join(root, "cache", "components"));
    assert.deepEqual(
      left.filter((name) => !name.endsWith(".lock")),
      [],
    );
    await rm(join(root, "fails"));
    const resolved = await resolveComponents([multus], progress);
    assert.match(await readFile(resolved.path("multus"), "utf8"), /cmd\/multus$/m);
  });

  it("uses the program on PATH with exactly the version", async () => {
    await script("kubectl", "#!/bin/sh\necho Client Version: v1.29.15\n");
    const resolved = await resolveComponents([{ name: "kubectl", version: "v1.29.15" }], progress);
    assert.equal(resolved.path("kubectl"), join(root, "bin", "kubectl"));
    assert.throws(() => resolved.path("kubelet"), /kubelet {2}was not requested/);
  });

  it("throws with the remedy if Go is missing", async () => {
    await rm(join(root, "bin", "go"));
    process.env["PATH"] = join(root, "bin");
    for (const program of ["flock", "cat"]) await script(program, `#!/bin/sh\nexec /usr/bin/${program} "$@"\n`);
    await assert.rejects(resolveComponents([multus], progress), /The go command is missing.*install Go/);
  });
});
