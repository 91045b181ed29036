import { join } from "node:path";
import { createKubernetesModule, TEST_COMMANDS } from "../components/kubernetes-module.ts";
import { findModuleSource } from "../components/go-build.ts";
import type { Progress } from "../progress.ts";
import type { Image } from "./archive.ts";
import { buildTestRoot } from "./base.ts";
import { LayerCache } from "./layer.ts";
import { ImageBuilder } from "./pod-images.ts";
import { getLayersDirectory } from "./prepare.ts";

/** What images of Kubernetes' test pods are made from. */
export interface TestImageRequest {
  /** Version of Kubernetes. */
  readonly kubernetes: string;
  /** Path of the agnhost command. */
  readonly agnhost: string;
  /** Path of CoreDNS, which specs start in their pods. */
  readonly coredns: string;
  /** Image references, each of which gets the same content. */
  readonly references: readonly string[];
}

/** Certificate and key of agnhost's HTTPS servers, in the source of Kubernetes. */
const CERTIFICATE_FILES = ["localhost.crt", "localhost.key"];

/** Builds the images of Kubernetes' test pods: agnhost on a Debian root. Needs no Docker. */
export async function buildTestImages(
  { kubernetes, agnhost, coredns, references }: TestImageRequest,
  progress: Progress,
): Promise<readonly Image[]> {
  const layers = new LayerCache(getLayersDirectory());
  const builder = new ImageBuilder(layers, await buildTestRoot(layers, progress));
  const source = await findModuleSource(createKubernetesModule(kubernetes, TEST_COMMANDS));
  const files = [
    { from: agnhost, to: "agnhost" },
    { from: coredns, to: "coredns" },
    ...CERTIFICATE_FILES.map((name) => ({ from: join(source, "test/images/agnhost/porter", name), to: name })),
  ];
  const config = { Entrypoint: ["/agnhost"], Cmd: ["pause"] };
  return Promise.all(references.map((reference) => builder.build(reference, files, { debian: true, config })));
}
