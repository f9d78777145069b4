/**
 * Runs multicast DNS for one server, for tests that start it on its own host. The work is done in a worker with
 * the real permissions. It prints the servers that it finds, and on SIGUSR1 its memory in bytes; SIGTERM ends
 * it cleanly.
 *
 * Arguments: this host's name, the TCP port, and the names of the only interfaces, if any.
 */

const [hostName = "", port = "", ...interfaces] = Deno.args;

const worker = new Worker(new URL("node_worker.ts", import.meta.url), {
  type: "module",
  deno: {
    permissions: { net: true, sys: ["networkInterfaces"] },
  },
});
worker.addEventListener("message", ({ data }: MessageEvent<string>) => {
  console.log(data);
  if (data === "stopped") Deno.exit(0);
});
worker.postMessage({ hostName, port: Number(port), interfaces });

Deno.addSignalListener("SIGTERM", () => worker.postMessage("stop"));
Deno.addSignalListener("SIGUSR1", () => console.log(`memory ${Deno.memoryUsage().rss}`));
