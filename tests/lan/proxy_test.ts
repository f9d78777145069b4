/** A proxy between a machine and the mirrors: what goes through it, and what must not. */

import { assert, assertEquals } from "../assert.ts";
import { programCommand } from "./pacserve.ts";
import { Scene } from "./scene.ts";

/** A name that only the proxy can find. */
const MIRROR = "mirror.invalid";

/** A proxy for HTTP that takes every name for the mirror's, and prints each address it is asked for. */
const PROXY = `import http.client, http.server, sys, urllib.parse
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        print(self.path, flush=True)
        if url.hostname != "${MIRROR}":
            return self.send_error(502)
        connection = http.client.HTTPConnection(sys.argv[1])
        names = ["Range", "If-Modified-Since"]
        fields = {name: self.headers[name] for name in names if self.headers[name]}
        connection.request(self.command, url.path, headers=fields)
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "server", "date"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.read())
    do_HEAD = do_GET
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("", 3128), Proxy)
print("listening", flush=True)
server.serve_forever()
`;

Deno.test("behind a proxy, pacserve and pacman ask the mirror through it, and localhost directly", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  const gateway = await scene.lan.host("gateway");
  const address = scene.lan.addressOf(scene.mirror.host);
  await using proxy = gateway.spawn(["python3", "-c", PROXY, address]);
  await proxy.line(/^listening$/);
  await birch.configure({ mirrors: [scene.mirror.server.replace(address, MIRROR)] });
  const environment = {
    "http_proxy": `http://${scene.lan.addressOf(gateway)}:3128`,
    "NO_PROXY": "elsewhere.invalid",
  };
  // As the unit starts it with http_proxy=… in /etc/conf.d/pacserve.
  const server = [...programCommand("pacserve"), "--verbose"];
  await using pacserve = birch.host.spawn(server, { environment });
  await pacserve.line(/^Pacserve /);

  const outcome = await birch.pacman(["-Sy", "pebble"], ["pacsrv"], {
    environment: { LC_ALL: "C", ...environment },
  });
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("pebble"));
  const asked = proxy.lines.filter((line) => line !== "listening");
  // Not localhost, which to a proxy elsewhere is itself.
  assertEquals(asked.filter((line) => !line.startsWith(`http://${MIRROR}/`)), []);
  assert(asked.some((line) => line.includes("/pebble-")), asked.join("\n"));
});

Deno.test("behind a proxy, pacsrv without pacserve leaves the environment as it is", async () => {
  await using scene = await Scene.create();
  const birch = await scene.machine("birch");
  await birch.host.write("/usr/bin/front-end", '#!/bin/sh\nprintf "%s\\n" "${no_proxy-unset}"\n');
  await Deno.chmod(birch.host.path("/usr/bin/front-end"), 0o755);
  const noProxy = async (): Promise<string> => {
    const environment = { PACMAN: "front-end", "http_proxy": "http://192.0.2.1:3128" };
    return (await birch.host.run(["pacsrv", "-Q"], { environment })).stdout;
  };
  assertEquals(await noProxy(), "unset\n");
  await scene.pacserve(birch);
  assertEquals(await noProxy(), "localhost\n");
});
