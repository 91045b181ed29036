import { join } from "node:path";
import { createKubernetesModule, TEST_COMMANDS } from "../components/kubernetes-module.ts";
import { findModuleSource } from "../components/go-build.ts";
import type { Progress } from "../progress/progress.ts";
import type { Image, ImageConfig } from "./archive.ts";
import { buildTestRoot } from "./base.ts";
import { LayerCache } from "./layer.ts";
import { buildPauseImage, ImageBuilder } from "./pod-images.ts";
import { ensurePauseProgram, getLayersDirectory } from "./prepare.ts";

/** The parts of images of Kubernetes' test pods. */
interface TestImageRequest {
  /** Version of Kubernetes. */
  readonly kubernetes: string;
  /** Path of the agnhost command. */
  readonly agnhost: string;
  /** Path of CoreDNS, which specs start in their pods. */
  readonly coredns: string;
  /** Image references: all run agnhost, except nginx and pause. */
  readonly references: readonly string[];
}

/** Certificate and key of agnhost's HTTPS servers, in the source of Kubernetes. */
const CERTIFICATE_FILES = ["localhost.crt", "localhost.key"];

const AGNHOST: ImageConfig = { Entrypoint: ["/agnhost"], Cmd: ["pause"] };
/** Debian's nginx; its log directory is not in the root. */
const NGINX: ImageConfig = { Cmd: ["sh", "-c", "mkdir -p /var/log/nginx && exec nginx -g 'daemon off;'"] };

/** Builds the images of Kubernetes' test pods: agnhost and nginx on a Debian root, and pause. Needs no Docker. */
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
  const pause = await ensurePauseProgram();
  return Promise.all(
    references.map((reference) =>
      reference.includes("/pause:")
        ? buildPauseImage(builder, reference, pause)
        : builder.build(reference, files, { debian: true, config: reference.includes("/nginx:") ? NGINX : AGNHOST }),
    ),
  );
}
