/**
 * Sends announcements and garbage to the group, each from a different port, for a test.
 *
 * Usage: `flood.ts <local address> <datagrams a second> <seconds>`
 */

const [hostname = "", rate = "0", seconds = "0"] = Deno.args;
const group = { transport: "udp", hostname: "224.3.45.67", port: 15679 } as const;
const text = new TextEncoder();
const start = performance.now();
const total = Number(rate) * Number(seconds);
let sent = 0;
while (sent < total) {
  const due = Math.min(total, Math.ceil((performance.now() - start) / 1000 * Number(rate)));
  for (; sent < due; sent++) {
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    const datagram = sent % 8 === 0
      ? crypto.getRandomValues(new Uint8Array(sent % 1400))
      : text.encode(`ThreadedServers.Pacserve/2013.05.12 http://x:${1024 + sent % 60000}/`);
    await socket.send(datagram, group);
    socket.close();
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log(`sent ${sent} in ${Math.round(performance.now() - start)} ms`);
