import type { Exec, KubeConfig } from "@kubernetes/client-node";
import WebSocket from "ws";

/**
 * Handed on to the node as it is by every API server. Of v5, which is newer and which the client library asks for, those
 * from v1.30 make SPDY, and a lab's nodes do not speak that.
 */
const PROTOCOL = "v4.channel.k8s.io";

/** The connection that `Exec` runs programs over. */
export function createExecSocket(config: KubeConfig): ConstructorParameters<typeof Exec>[1] {
  return {
    async connect(path, _text, binary) {
      const server = config.getCurrentCluster()?.server;
      if (server === undefined) throw new Error("The kubeconfig's current context names no cluster.");
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
        socket.on("error", reject); // once it is open nobody listens: a connection that breaks off ends its stream
      });
    },
  };
}
