/**
 * pacserve as its command runs it, but with a worker that dies when the process gets SIGUSR2, as one
 * with a bug would. The arguments are pacserve's.
 */

import { serve } from "../src/commands/serve/run.ts";

const workerFile = new URL("../tests/confinement/mortal_worker.ts", import.meta.url);
const death = new BroadcastChannel("pacserve-death");
Deno.addSignalListener("SIGUSR2", () => death.postMessage("throw"));
// Workers die far more often here than a server may that is left to itself.
const status = await serve("pacserve", Deno.args, { workerFile, firstBackoff: 50, provenAfter: 0 });
Deno.exit(status);
