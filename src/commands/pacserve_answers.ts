/** Whether pacserve answers at an address: pacserve itself, not just any server on that port. */

/** How every server of pacserve, the original's too, names itself in the `Server` header. */
const SERVER_HEADER = /\r\nserver:[ \t]*ThreadedServers\.Pacserve\//i;
/** Where users have to log in, requests for packages from this host need not. */
const SUCCESS = /^HTTP\/1\.[01] (?:[23]|401)/;

/** More than the head of any answer of pacserve. */
const MAX_HEAD = 16 * 1024;

/**
 * Asks pacserve for the head of its first page.
 *
 * @param timeout in milliseconds; no answer in this time is no.
 * @returns true when it answers, and would let this host in.
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
 * The hosts to try. As curl(1) does, and with it pacman, `localhost` is taken for both loopback
 * addresses whatever the resolver says.
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
  // The certificate has to be good for the name, and `localhost` is one only as a name.
  return await Deno.connectTls({
    hostname: address.hostname,
    port: Number(address.port || 443),
  });
}

/** Reads what comes until the empty line that ends the head, or the connection. */
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
