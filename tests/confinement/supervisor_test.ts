/** Tests that a server survives when its worker dies or is replaced. */

import { fileURLToPath } from "node:url";
import type { Failure } from "../../src/failure.ts";
import type { ServerConfiguration } from "../../src/server/configuration.ts";
import { Supervisor, type SupervisorOptions } from "../../src/server/supervisor.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { eventually, run } from "../lan/process.ts";
import { configurationOf } from "../server_configuration.ts";
import { answer, authorization } from "../unit/auth/client.ts";
import { share, treeOf } from "../unit/quickserve/trees.ts";
import { inScratch, writeFiles } from "../scratch.ts";

const MORTAL = new URL("./mortal_worker.ts", import.meta.url);

/** A server whose worker can be told to die, and the warnings and failures of its supervisor. */
class Served implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly failures: Failure[] = [];
  readonly supervisor: Supervisor;
  /** The states that workers have reported for their successors. */
  readonly reports: string[] = [];
  readonly #death = new BroadcastChannel("pacserve-death");
  readonly #reports = new BroadcastChannel("pacserve-reports");

  constructor(configuration: ServerConfiguration, options: Partial<SupervisorOptions> = {}) {
    const log = { warn: (message: string): void => void this.warnings.push(message) };
    const all = { workerFile: MORTAL, firstBackoff: 20, ...options };
    this.supervisor = new Supervisor(configuration, log, all);
    this.supervisor.gaveUp.catch((failure) => this.failures.push(failure));
    this.#reports.onmessage = ({ data }: MessageEvent<string>) => void this.reports.push(data);
  }

  get base(): string {
    return `http://127.0.0.1:${this.supervisor.port}`;
  }

  tellToDie(way: "throw" | "reject"): void {
    this.#death.postMessage(way);
  }

  /** Makes the worker die, and waits until the supervisor has noticed. */
  async kill(way: "throw" | "reject"): Promise<void> {
    const before = this.warnings.length;
    this.tellToDie(way);
    await eventually("the death is noticed", () => this.warnings.length > before);
  }

  /** Waits until the server answers. */
  async answers(path = "/"): Promise<number> {
    return await eventually("the server answers", async () => {
      const response = await fetch(this.base + path);
      await response.body?.cancel();
      return response.status;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#death.close();
    this.#reports.close();
    await this.supervisor.stop(0);
  }
}

Deno.test("Supervisor: a worker that dies is replaced on the same port, with a growing backoff and a warning", async () => {
  await using served = new Served(configurationOf());
  await served.supervisor.start();
  const { base } = served;
  for (const way of ["throw", "reject", "throw"] as const) {
    assertEquals(await served.answers(), 200);
    await served.kill(way);
  }
  assertEquals(await served.answers(), 200);
  assertEquals(served.base, base);
  const deaths = served.warnings.filter((line) => line.startsWith("the worker died"));
  const pauses = deaths.map((line) => Number(/in (\d+) milliseconds$/.exec(line)?.[1]));
  assert(pauses.length === 3 && pauses.every((pause, at) => pause > (pauses[at - 1] ?? 19)));
  assertMatch(deaths[0] ?? "", /told to die/);
  assertEquals(served.failures, []);
});

Deno.test("Supervisor: after a worker has served for provenAfter, the backoff begins anew", async () => {
  await using served = new Served(configurationOf(), { provenAfter: 0 });
  await served.supervisor.start();
  for (let death = 0; death < 3; death++) {
    await served.answers();
    await served.kill("throw");
  }
  const deaths = served.warnings.filter((line) => line.startsWith("the worker died"));
  assert(deaths.every((line) => line.endsWith("in 20 milliseconds")), deaths.join("\n"));
});

Deno.test("Supervisor: peers and the key of nonces survive a worker's death, and replays are refused", async () => {
  await using other = new Served(configurationOf());
  await other.supervisor.start();
  const users = [{ name: "alice", password: "open sesame" }];
  await using served = new Served(
    configurationOf({ auth: { users, uploadOnly: false, realm: "Quickserve" } }),
  );
  await served.supervisor.start();

  // A login, which must not be accepted again after the worker has died.
  const login = { user: "alice", password: "open sesame" };
  const credentials = authorization(
    answer(nonceOf(await fetch(served.base)), "Quickserve", login),
  );
  const first = await fetch(served.base, { headers: { authorization: credentials } });
  await first.body?.cancel();
  assertEquals(first.status, 200);
  await served.kill("throw");
  const again = await eventually(
    "the server answers",
    () => fetch(served.base, { headers: { authorization: credentials } }),
  );
  assertEquals(again.status, 401);
  assertMatch(again.headers.get("www-authenticate") ?? "", /stale=true/);
  const second = authorization(answer(nonceOf(again), "Quickserve", login));
  const third = await fetch(served.base, { headers: { authorization: second } });
  await third.body?.cancel();
  assertEquals(third.status, 200);

  // A peer that nudges the other server must be known to the other server's next worker.
  const message = { type: "nudge", uri: `http://ungabunga:${served.supervisor.port}/` };
  await served.supervisor.configure(configurationOf());
  await eventually("the login is off", async () => await served.answers() === 200);
  const body = `json=${encodeURIComponent(JSON.stringify(message))}`;
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  // The other server's worker was told to die too, so wait until it answers again.
  const nudged = await eventually(
    "the server answers",
    () => fetch(other.base, { method: "POST", body, headers }),
  );
  assertEquals(await nudged.text(), "true");
  const isKnown = async (): Promise<boolean> => {
    const page = await fetch(`${other.base}/?page=peers&mimetype=application/json`);
    return (await page.text()).includes(`127.0.0.1:${served.supervisor.port}`);
  };
  await eventually("the peer is known", isKnown);
  // Wait until the worker has reported the peer to the supervisor before it dies.
  await eventually(
    "the peer is reported",
    () => other.reports.some((report) => report.includes(`"port":${served.supervisor.port},`)),
  );
  await other.kill("throw");
  await other.answers();
  assert(await isKnown(), "the peer is forgotten");
});

function nonceOf(response: Response): string {
  void response.body?.cancel();
  return /nonce="([^"]+)"/.exec(response.headers.get("www-authenticate") ?? "")?.[1] ?? "";
}

Deno.test("Supervisor.configure: with another scope, transfers in flight finish and the port stays", async () => {
  await inScratch(async (top) => {
    const size = 64 << 20;
    await Deno.writeFile(`${top}/large`, new Uint8Array(size).fill(7));
    writeFiles(top, { "other/new": "new" });
    const before = configurationOf({ tree: treeOf([share("large", `${top}/large`)]) });
    await using served = new Served(before);
    await served.supervisor.start();
    const { base } = served;
    const transfer = await fetch(`${base}/large`);
    const reader = transfer.body?.getReader();
    let received = (await reader?.read())?.value?.length ?? 0;
    await served.supervisor.configure(
      configurationOf({ tree: treeOf([share("other", `${top}/other`)]) }),
    );
    assertEquals(served.base, base);
    assertEquals(await served.answers("/other/new"), 200);
    assertEquals(await served.answers("/large"), 404);
    while (true) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      received += piece.value.length;
    }
    assertEquals(received, size);
  });
});

Deno.test("Supervisor.configure: when a configuration cannot be served, the previous one stays in force", async () => {
  await inScratch(async (top) => {
    writeFiles(top, { "s/file": "file" });
    const good = configurationOf({ tree: treeOf([share("s", `${top}/s`)]) });
    await using served = new Served(good);
    await served.supervisor.start();
    const tls = { certificate: "no", key: "no", requireCertificate: false, authorities: "" };
    const bad = configurationOf({ listen: { ...good.listen, tls } });
    await assertRejects(() => served.supervisor.configure(bad));
    assertEquals(await served.answers("/s/file"), 200);
    // The next worker must not start with the bad configuration either.
    await served.kill("throw");
    assertEquals(await served.answers("/s/file"), 200);
  });
});

Deno.test("Supervisor.start: a worker that cannot be loaded is a failure with a message", async () => {
  const workerFile = new URL("./stillborn_worker.ts", import.meta.url);
  await using served = new Served(configurationOf(), { workerFile });
  const failure = await assertRejects(() => served.supervisor.start());
  assertMatch(String(failure), /the worker failed: .*born dead/);
});

Deno.test("Supervisor: gives up after maxBackoff when no worker can listen", async () => {
  await using served = new Served(configurationOf(), { maxBackoff: 30 });
  await served.supervisor.start();
  using taken = await servedPort(served);
  assert(taken.addr.transport === "tcp");
  const [failure] = await eventually("it gives up", () => {
    return served.failures.length > 0 ? served.failures : null;
  });
  assertMatch(failure?.message ?? "", /port/);
});

Deno.test("Supervisor: gives up after maxBackoff when workers start but die soon", async () => {
  await using served = new Served(configurationOf(), { firstBackoff: 1, maxBackoff: 8 });
  await served.supervisor.start();
  for (let death = 0; death < 4; death++) {
    await served.answers();
    await served.kill("throw");
  }
  await served.answers();
  served.tellToDie("throw");
  await eventually("it gives up", () => served.failures.length > 0);
  assertMatch(served.failures[0]?.message ?? "", /the worker died \(.*told to die.*\)/);
  assertEquals(served.warnings.length, 4, served.warnings.join("\n"));
});

/** Makes the worker of a server die, and binds the port as soon as it is free. */
async function servedPort(served: Served): Promise<Deno.TcpListener> {
  const { port } = served.supervisor;
  await served.kill("throw");
  return await eventually(
    "the port is free",
    () => Promise.resolve(Deno.listen({ hostname: "127.0.0.1", port })),
  );
}

Deno.test("Supervisor: running out of memory ends the process, so that systemd restarts it", async () => {
  const program = fileURLToPath(new URL("./out_of_memory.ts", import.meta.url));
  const outcome = await run([
    Deno.execPath(),
    "run",
    "--quiet",
    "-A",
    "--v8-flags=--max-old-space-size=64",
    program,
  ]);
  assertMatch(outcome.stdout, /^serving/);
  assert(outcome.code !== 0, "it exited with 0");
});
