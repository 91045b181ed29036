import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";

/** An HTTP server on loopback in place of an API server. */
export interface TestApiServer {
  /** Configuration for clients of the server. */
  readonly config: KubeConfig;
  readonly server: Server;
  /** Ends the server and its connections. */
  stop(): void;
}

/** Starts a server on a free port of the loopback address. */
export async function startTestApiServer(answer: RequestListener): Promise<TestApiServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    config: createTestConfig(`http://127.0.0.1:${port}`),
    server,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Creates a configuration for clients of a server. */
export function createTestConfig(url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "test", server: url, skipTLSVerify: true }, { name: "test" });
  return config;
}
