/**
 * A worker without any of our checks. It opens each path that it gets, and tries everything else that
 * the runtime could refuse.
 */

/** The worker's end of the message channel to the test. */
declare const self: {
  postMessage(message: unknown): void;
  onmessage: (event: MessageEvent<Orders>) => void;
};

/** The attempts that the worker makes. */
export interface Orders {
  readonly paths: readonly string[];
  /** A module that the worker must not be able to import. */
  readonly module: string;
}

/** The outcome of each attempt: the name of the error, or `"allowed"`. */
export interface Outcomes {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly others: Readonly<Record<string, string>>;
}

self.onmessage = async ({ data: { paths, module } }) => {
  const reads = paths.map((path) => attempt(() => Deno.openSync(path).close()));
  const writes = paths.map((path) =>
    attempt(() => Deno.openSync(path, { write: true, create: true }).close())
  );
  const others = {
    run: attempt(() => new Deno.Command("/bin/true").outputSync()),
    "run itself": attempt(() => new Deno.Command(Deno.execPath()).outputSync()),
    env: attempt(() => Deno.env.get("HOME")),
    "all of env": attempt(() => Deno.env.toObject()),
    ffi: attempt(() => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}).close()),
    import: await attemptLater(() => import(module)),
    worker: await attemptLater(() => startWorker()),
    hostname: attempt(() => Deno.hostname()),
    "network interfaces": attempt(() => Deno.networkInterfaces()),
    connect: await attemptLater(() => Deno.connect({ hostname: "127.0.0.1", port: 1 })),
    listen: attempt(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close()),
    "signal to others": attempt(() => Deno.kill(1, "SIGCONT")),
  };
  const outcomes: Outcomes = { reads, writes, others };
  self.postMessage(outcomes);
};

/** Starts a worker with more permissions than this worker has. */
function startWorker(): Promise<void> {
  const worker = new Worker("data:application/javascript,postMessage('alive')", {
    type: "module",
    deno: { permissions: { read: true, run: true, env: true } },
  });
  return new Promise((resolve, reject) => {
    worker.onmessage = () => (worker.terminate(), resolve());
    worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
  });
}

function attempt(action: () => unknown): string {
  try {
    action();
    return "allowed";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

async function attemptLater(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "allowed";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

export {};
