/** Checks that pacserve answers at an address, and not another server on the same port. */

/** Matches the `Server` field of every pacserve, including the original of 2013. */
const SERVER_HEADER = /\r\nserver:[ \t]*ThreadedServers\.Pacserve\//i;
/** A status 401 counts as an answer: if users must log in, requests for packages from this host need not. */
const SUCCESS = /^HTTP\/1\.[01] (?:[23]|401)/;

/** The greatest length of a head in bytes. Every head that pacserve sends is shorter. */
const MAX_HEAD = 16 * 1024;

/**
 * Requests the head of pacserve's first page.
 *
 * @param timeout in milliseconds, after which the result is false.
 * @returns true when pacserve answers and accepts requests from this host.
 */
export async function pacserveAnswers(address: URL, timeout: number): Promise<boolean> {
  const controller = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeout);
  try {
    const asked = hostsOf(address).map(async (host) => {
      if (!await answers(host, address, controller.signal)) throw new Error("no pacserve");
      return true;
    });
    return await Promise.race([Promise.any(asked), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/**
 * Returns the hosts to try. For `localhost` it returns both loopback addresses and does not ask the
 * resolver, as curl(1) and therefore pacman do.
 */
function hostsOf({ hostname }: URL): string[] {
  if (hostname === "localhost") return ["127.0.0.1", "::1"];
  return [hostname.replace(/^\[|\]$/g, "")];
}

async function answers(host: string, address: URL, signal: AbortSignal): Promise<boolean> {
  using connection = await connect(host, address);
  if (signal.aborted) return false;
  const close = (): void => connection.close();
  signal.addEventListener("abort", close, { once: true });
  const request = `HEAD / HTTP/1.1\r\nHost: ${address.host}\r\nUser-Agent: pacsrv\r\n` +
    "Accept: */*\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(request));
  const head = await readHead(connection);
  signal.removeEventListener("abort", close);
  return SUCCESS.test(head) && SERVER_HEADER.test(head);
}

async function connect(host: string, address: URL): Promise<Deno.Conn> {
  if (address.protocol === "http:") {
    return await Deno.connect({ hostname: host, port: Number(address.port || 80) });
  }
  // Connect by the name, because the certificate has to be valid for it.
  return await Deno.connectTls({
    hostname: address.hostname,
    port: Number(address.port || 443),
  });
}

/** Reads until the empty line that ends the head, or until the connection ends. */
async function readHead(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let head = "";
  while (head.length < MAX_HEAD && !head.includes("\r\n\r\n")) {
    const length = await connection.read(buffer);
    if (length === null) break;
    head += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return head;
}
