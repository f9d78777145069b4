/** A program that starts a server whose worker uses up all memory as soon as it serves. */

import { Supervisor } from "../../src/server/supervisor.ts";
import { configurationOf } from "../server_configuration.ts";

const log = { warn: (message: string): void => console.log(message) };
const workerFile = new URL("./mortal_worker.ts", import.meta.url);
const supervisor = new Supervisor(configurationOf(), log, { workerFile });
supervisor.gaveUp.catch((failure) => console.log(failure.message));
await supervisor.start();
console.log("serving");
new BroadcastChannel("pacserve-death").postMessage("exhaust memory");
