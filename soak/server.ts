/**
 * Runs pacserve with a worker that dies when the process gets SIGUSR2, as if it had a bug. The arguments
 * are those of pacserve.
 */

import { serve } from "../src/commands/serve/run.ts";

const workerFile = new URL("../tests/confinement/mortal_worker.ts", import.meta.url);
const death = new BroadcastChannel("pacserve-death");
Deno.addSignalListener("SIGUSR2", () => death.postMessage("throw"));
// Never give up, because workers die far more often here than in a real server.
const status = await serve("pacserve", Deno.args, { workerFile, firstBackoff: 50, provenAfter: 0 });
Deno.exit(status);
