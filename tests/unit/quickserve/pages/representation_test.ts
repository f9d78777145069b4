import { chooseRepresentation } from "../../../../src/quickserve/pages/representation.ts";
import { assertEquals } from "../../../assert.ts";

const chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

function choose(headers: Record<string, string>, search = ""): string | null {
  return chooseRepresentation({ headers }, new URLSearchParams(search));
}

Deno.test("chooseRepresentation: a client that accepts anything gets HTML, but curl gets text", () => {
  assertEquals(choose({}), "html");
  assertEquals(choose({ accept: "*/*" }), "html");
  assertEquals(choose({ accept: chrome }), "html");
  assertEquals(choose({ accept: "*/*", "user-agent": "Wget/1.21.3" }), "html");
  assertEquals(choose({ accept: "*/*", "user-agent": "curl/7.88.1" }), "text");
  assertEquals(choose({ accept: "text/html", "user-agent": "curl/7.88.1" }), "html");
});

Deno.test("chooseRepresentation: the weights of Accept decide", () => {
  assertEquals(choose({ accept: "application/json" }), "json");
  assertEquals(choose({ accept: "text/html;q=0.5, application/json" }), "json");
  assertEquals(choose({ accept: "text/*;q=0.9, application/json;q=0.1" }), "html");
  assertEquals(choose({ accept: "text/html;q=0, */*" }), "json");
  assertEquals(choose({ accept: "image/png" }), null);
});

Deno.test("chooseRepresentation: ?mimetype= has precedence over Accept; null for an unknown type", () => {
  assertEquals(choose({ accept: chrome }, "mimetype=application/json"), "json");
  assertEquals(choose({ accept: chrome }, "mimetype=text/plain"), "text");
  assertEquals(choose({}, "mimetype=Text/HTML;%20charset=utf-8"), "html");
  for (const unknown of ["image/png", "", "constructor", "__proto__", "json"]) {
    assertEquals(choose({}, `mimetype=${unknown}`), null);
  }
});
