/**
 * A server that only accepts uploads. It is a separate program, so that it can be killed.
 * Arguments: the upload directory, and options as JSON. Prints `{"port", "swept"}`, then one line for
 * each log message. Runs with the permissions of the confined worker.
 */

import { listen } from "../../src/http/listener.ts";
import { parseTarget } from "../../src/http/target.ts";
import { textReply } from "../../src/http/replies.ts";
import { uploadsAreOff } from "../../src/quickserve/uploads/answer.ts";
import { isUpload } from "../../src/quickserve/uploads/request.ts";
import { sweepUploads } from "../../src/quickserve/uploads/temporary.ts";
import { UploadPlaces } from "../../src/quickserve/uploads/places.ts";
import { Uploads } from "../../src/quickserve/uploads/uploads.ts";

const [directory = "", options = "{}"] = Deno.args;
const swept = await sweepUploads(directory);
const uploads = new Uploads({
  configuration: { directory, allowOverwrite: false, maximumSize: null, ...JSON.parse(options) },
  places: new UploadPlaces(directory, [], { lookup: () => null }),
  showHidden: false,
  pages: { uploadResult: () => "" },
  log: { warn: (message) => console.log(message) },
});
const listener = await listen(
  { address: "127.0.0.1", port: 0, ipv6: false, tls: null },
  (request) => {
    const target = parseTarget(request.target);
    if (target === null) return textReply(400, "The path is malformed.");
    return isUpload(request) ? uploads.receive(target, request) : uploadsAreOff(["GET"]);
  },
  { failed: (error) => console.log(`failed: ${error}`) },
);
console.log(JSON.stringify({ port: listener.port, swept }));
