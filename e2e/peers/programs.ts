import type { ComponentName, ComponentRef } from "../../clusters/components/catalog.ts";
import { VERSIONS } from "../../clusters/components/catalog.ts";
import { runOrThrow } from "../../clusters/components/command.ts";
import { resolveComponents } from "../../clusters/components/resolve.ts";
import type { Image } from "../../clusters/images/archive.ts";
import { buildTestImages } from "../../clusters/images/test-images.ts";
import type { Progress } from "../../clusters/progress.ts";

/** Paths of the programs that run Kubernetes' specs, and the images of their pods. */
export interface KubernetesTests {
  readonly e2eTest: string;
  readonly ginkgo: string;
  readonly kubectl: string;
  readonly images: readonly Image[];
}

/** Images that specs of sig-network use and that are built here. */
const IMAGE = /^registry\.k8s\.io\/e2e-test-images\/(?:agnhost|jessie-dnsutils|nginx):/;

/** Selects the images that are built from what `e2e.test --list-images` prints. */
export function selectTestImages(listed: string): readonly string[] {
  return listed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => IMAGE.test(line));
}

/** Builds Kubernetes' test program, Ginkgo and the images of its pods; all are kept in the cache. */
export async function prepareKubernetesTests(kubernetes: string, progress: Progress): Promise<KubernetesTests> {
  const names: readonly ComponentName[] = ["kubectl", "agnhost", "ginkgo", "e2e.test"];
  const refs: readonly ComponentRef[] = [
    ...names.map((name) => ({ name, version: kubernetes })),
    { name: "coredns", version: VERSIONS.coredns },
  ];
  const components = await resolveComponents(refs, progress);
  const e2eTest = components.path("e2e.test");
  const references = selectTestImages(await runOrThrow([e2eTest, "--list-images"]));
  const [agnhost, coredns] = [components.path("agnhost"), components.path("coredns")];
  const images = await buildTestImages({ kubernetes, agnhost, coredns, references }, progress);
  return { e2eTest, ginkgo: components.path("ginkgo"), kubectl: components.path("kubectl"), images };
}
