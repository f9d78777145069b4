/** A proxy between a machine and the mirrors: which requests go through it, and which must not. */

import { assertEquals } from "../assert.ts";
import { programCommand } from "./pacserve.ts";
import { pacsrv, Scene } from "./scene.ts";

/** A host name that only the proxy can resolve. */
const MIRROR = "mirror.invalid";

/** A proxy for HTTP that connects every name to the mirror, and prints each requested URL. */
const PROXY = `import http.client, http.server, sys, urllib.parse
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        # One write: print makes two, and lines of threads get mixed up.
        sys.stdout.write(self.command + " " + self.path + "\\n")
        sys.stdout.flush()
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

Deno.test("http_proxy: packages of the mirror come through the proxy, and peers and localhost are reached directly", async () => {
  await using scene = await Scene.create();
  const alder = await scene.machine("alder");
  const birch = await scene.machine("birch");
  const gateway = await scene.lan.host("gateway");
  const address = scene.lan.addressOf(scene.mirror.host);
  await using proxy = gateway.spawn(["python3", "-c", PROXY, address]);
  await proxy.line(/^listening$/);
  const neighbour = await scene.pacserve(alder);
  assertEquals((await pacsrv(alder, "-Sy", "glacier")).code, 0);

  await birch.configure({ mirrors: [scene.mirror.server.replace(address, MIRROR)] });
  const environment = {
    "http_proxy": `http://${scene.lan.addressOf(gateway)}:3128`,
    "NO_PROXY": "elsewhere.invalid",
  };
  // The unit starts it like this if /etc/conf.d/pacserve has http_proxy=…
  const server = [...programCommand("pacserve"), "--verbose", "--multicast"];
  await using pacserve = birch.host.spawn(server, { environment });
  await pacserve.line(/^Pacserve /, 0, 20_000);
  await pacserve.line(/found peer /, 0, 20_000);

  const outcome = await birch.pacman(["-Sy", "pebble", "glacier"], ["pacsrv"], {
    environment: { LC_ALL: "C", ...environment },
  });
  assertEquals(outcome.stderr, "");
  assertEquals(outcome.code, 0, outcome.stdout);
  assertEquals(await birch.installed(), scene.today("glacier", "pebble"));
  await proxy.line(/^GET .*\.pkg\.tar\.zst$/);
  const asked = proxy.lines.filter((line) => line !== "listening");
  // The proxy gets no requests for the peer or for localhost, which would be the proxy itself.
  assertEquals(asked.filter((line) => !/^(HEAD|GET) http:\/\/mirror\.invalid\//.test(line)), []);
  const packages = asked.filter((line) => /^GET .*\.pkg\.tar\.zst$/.test(line));
  assertEquals(packages.map((line) => /\/([a-z]+)-[^/]*$/.exec(line)?.[1]), ["pebble"]);
  await neighbour.answered(/\/pkg\/glacier-/);
  // No request was redirected: the relay downloaded both files.
  await pacserve.line(/pebble-.* from mirror http:\/\/mirror\.invalid:?\d*, verified/);
  await pacserve.line(/glacier-.* from peer http:\S+, verified/);
});

Deno.test("http_proxy: without pacserve, pacsrv does not change the environment", async () => {
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
