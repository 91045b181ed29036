/**
 * Lets this computer's loopback reach the API server in the lab's network: this half runs on the control plane's machine
 * and listens on a Unix socket, which network namespaces do not part. Started by plain node: relay SOCKET PORT.
 */
import { connect, createServer } from "node:net";

process.umask(0o077);
const [socket = "", port = ""] = process.argv.slice(2);
createServer((near) => {
  const far = connect(Number(port), "127.0.0.1");
  near.pipe(far).pipe(near);
  for (const end of [near, far])
    end.on("error", () => {
      near.destroy();
      far.destroy();
    });
}).listen(socket);
