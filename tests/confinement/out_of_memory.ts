/** A server, as a program of its own, whose worker uses up all memory as soon as it serves. */

import { Supervisor } from "../../src/server/supervisor.ts";
import { configurationOf } from "../server_configuration.ts";

const supervisor = new Supervisor(configurationOf(), {
  warn: (message) => console.log(message),
  gaveUp: (failure) => console.log(failure.message),
}, { workerFile: new URL("./mortal_worker.ts", import.meta.url) });
await supervisor.start();
console.log("serving");
new BroadcastChannel("pacserve-death").postMessage("exhaust memory");
