import { certificatesIn, privateKeyIn } from "../../../src/commands/serve/tls.ts";
import { assertEquals } from "../../assert.ts";

const block = (label: string, text: string): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

Deno.test("certificatesIn, privateKeyIn: a text may hold key and chain in any order, with other things between them", () => {
  const chain = block("CERTIFICATE", "AAAA") + block("CERTIFICATE", "BBBB");
  const key = block("EC PRIVATE KEY", "CCCC");
  const parameters = block("EC PARAMETERS", "DDDD");
  for (
    const text of [`${chain}${parameters}${key}`, `subject=x\n${parameters}${key}\r\n${chain}`]
  ) {
    assertEquals(certificatesIn(text), chain);
    assertEquals(privateKeyIn(text), key);
  }
});

Deno.test("certificatesIn, privateKeyIn: without a whole block there is nothing", () => {
  const cut = block("CERTIFICATE", "AAAA").slice(0, -10);
  for (const text of ["", "text", cut, block("PUBLIC KEY", "AAAA")]) {
    assertEquals([certificatesIn(text), privateKeyIn(text)], [null, null]);
  }
});
