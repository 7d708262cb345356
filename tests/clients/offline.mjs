// Loaded into every client in JavaScript: whoever would reach another machine fails, and says whom it looked for.

import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const LOCAL = new Set(["127.0.0.1", "::1", "localhost"]);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...asked) {
  const [first] = asked.flat();
  const host = typeof first === "object" && first !== null ? (first.host ?? (first.path ? undefined : "localhost")) : asked[1];
  if (typeof host === "string" && !LOCAL.has(host)) {
    process.stderr.write(`OFFLINE: it looked for ${host}\n`);
    throw new Error(`no network in this test: it looked for ${host}`);
  }
  return connect.apply(this, asked);
};
syncBuiltinESMExports();
