/** An echo server on TCP port 15678 and UDP port 15679, for IPv4 and IPv6. */

const connections = [
  Deno.listen({ hostname: "0.0.0.0", port: 15678 }),
  Deno.listen({ hostname: "fd93:7::1", port: 15678 }),
];
const datagrams = ["0.0.0.0", "fd93:7::1"].map((hostname) =>
  Deno.listenDatagram({ transport: "udp", hostname, port: 15679 })
);
console.log("listening");

await Promise.all([
  ...connections.map(async (listener) => {
    for await (const connection of listener) {
      connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  }),
  ...datagrams.map(async (socket) => {
    for await (const [bytes, from] of socket) await socket.send(bytes, from);
  }),
]);
