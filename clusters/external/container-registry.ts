import { Wait } from "testcontainers";
import type { DockerEngine } from "../docker/engine.ts";
import { createExternalContainer } from "./external-container.ts";

const LOOPBACK = "127.0.0.1";
/** The container shares this computer's network: testcontainers publishes ports on every address of the computer. */
const NETWORK = "host";
const SERVING = "serving on port";
const START_TIMEOUT_MS = 30_000;

/** A registry of container images on this computer's loopback address. */
export interface ContainerRegistry {
  readonly address: string;
  readonly port: number;
  /** Stops the container and removes it with its images. */
  stop(): Promise<void>;
}

/**
 * Starts a registry in a container, on a free port of this computer's loopback address.
 * @param options.image image of registry-image.ts, which the Docker daemon has
 * @throws if the registry does not listen within 30 s
 */
export async function startRegistry(
  engine: DockerEngine,
  { cluster, image }: { readonly cluster: string; readonly image: string },
): Promise<ContainerRegistry> {
  const container = await createExternalContainer(engine, { cluster, network: NETWORK, image });
  const started = await container
    .withCommand(["--address", `${LOOPBACK}:0`])
    .withWaitStrategy(Wait.forLogMessage(SERVING))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const stop = async (): Promise<void> => {
    await started.stop();
  };
  try {
    return { address: LOOPBACK, port: await readPort(await started.logs()), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads the port from the registry's log. */
async function readPort(log: AsyncIterable<unknown>): Promise<number> {
  let text = "";
  for await (const chunk of log) {
    text += String(chunk);
    const port = new RegExp(`${SERVING} (\\d+)\n`).exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`the registry's log names no port: ${text}`);
}
