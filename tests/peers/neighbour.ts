/**
 * Sends many requests to a server as a neighbour, for a test on hosts. It prints the number of replies by status.
 *
 * Usage: `neighbour.ts <server> hops <messages> <paths in each>`, or `neighbour.ts <server> get <names>
 * <beginning of each name>`
 */

const [server = "", what = "", number = "0", more = ""] = Deno.args;
const statuses: Record<string, number> = {};
let next = 0;
await Promise.all(Array.from({ length: 16 }, async () => {
  while (next < Number(number)) {
    const response = await (what === "hops" ? checkFiles(next++) : get(next++));
    await response.body?.cancel();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  }
}));
console.log(JSON.stringify(statuses));

/** Returns a file check that allows the server to ask its own peers. */
function checkFiles(message: number): Promise<Response> {
  const paths = Array.from({ length: Number(more) }, (_, path) => `pkg/far-${message}-${path}`);
  const json = JSON.stringify({ type: "file check", paths, hops: 1 });
  return fetch(server, { method: "POST", body: new URLSearchParams({ json }) });
}

function get(name: number): Promise<Response> {
  const url = `${server}pacman/core/x86_64/${more}${name}-1-1-any.pkg.tar.zst`;
  return fetch(url, { redirect: "manual" });
}
