import { AcceptWatchdog } from "../../../src/http/accept_watchdog.ts";
import { assert, assertEquals } from "../../assert.ts";
import { until } from "../../listening.ts";

const TIMES = { soon: 10, rarely: 20, patience: 300 };

/** A server that accepts connections while `isOpen`, and a watchdog that watches it. */
class WatchedServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly watchdog: AcceptWatchdog;
  stalls = 0;
  taken = 0;
  isOpen: boolean;

  constructor(isOpen: boolean) {
    this.isOpen = isOpen;
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.watchdog = new AcceptWatchdog("127.0.0.1", port, () => this.stalls++, TIMES);
    void this.#accept();
  }

  /** Accepts the connections that are waiting; returns how many there were. */
  async waiting(): Promise<number> {
    const before = this.taken;
    this.isOpen = true;
    void this.#accept();
    await until(() => this.taken > before, "a connection waits");
    return this.taken - before;
  }

  async #accept(): Promise<void> {
    while (this.isOpen) {
      const connection = await this.#listener.accept().catch(() => null);
      if (connection === null) return;
      if (this.isOpen) this.watchdog.accepted();
      this.taken++;
      connection.close();
    }
  }

  [Symbol.dispose](): void {
    this.isOpen = false;
    this.watchdog.stop();
    this.#listener.close();
  }
}

Deno.test("AcceptWatchdog: reports a server that stops accepting, and not one that accepts", async () => {
  using server = new WatchedServer(true);
  await until(() => server.taken >= 5, "the watchdog connects repeatedly");
  assertEquals(server.stalls, 0);
  server.isOpen = false;
  await until(() => server.stalls > 0, "the stall is reported");
  assertEquals(server.stalls, 1);
});

Deno.test("AcceptWatchdog: reports nothing if no connection was ever accepted, as behind a firewall", async () => {
  using server = new WatchedServer(false);
  const start = performance.now();
  // Longer than two test connections take.
  await until(() => performance.now() - start > 800, "800 milliseconds are over");
  assertEquals(server.stalls, 0);
  assert(await server.waiting() > 0);
});
