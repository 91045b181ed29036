import type { Exec, KubeConfig } from "@kubernetes/client-node";
import WebSocket from "ws";

/**
 * Protocol that every API server passes to the node unchanged. API servers from v1.30 translate the newer v5, which the client
 * library prefers, to SPDY; a lab's nodes do not support that.
 */
const PROTOCOL = "v4.channel.k8s.io";

/** Returns the WebSocket factory for the client library's `Exec`. */
export function createExecSocket(config: KubeConfig): ConstructorParameters<typeof Exec>[1] {
  return {
    async connect(path, _text, binary) {
      const server = config.getCurrentCluster()?.server;
      if (server === undefined)
        throw new Error("the kubeconfig's current context has no cluster: select a context that has one");
      const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = {};
      await config.applyToHTTPSOptions(options);
      const socket = new WebSocket(`${server.replace(/^http/, "ws")}${path}`, PROTOCOL, options);
      socket.on("message", (data: Buffer) => {
        if (binary?.(data.readUInt8(0), data.subarray(1)) === false) socket.close();
      });
      return new Promise((resolve, reject) => {
        socket.on("open", () => {
          resolve(socket);
        });
        socket.on("error", reject); // after `open`, an error closes the socket, which ends the stream
      });
    },
  };
}
