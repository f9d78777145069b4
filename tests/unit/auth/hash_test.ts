import { assertEquals } from "../../assert.ts";
import {
  algorithmNamed,
  equalInConstantTime,
  responseOf,
  secretOf,
} from "../../../src/auth/hash.ts";

const proof = {
  method: "GET",
  uri: "/dir/index.html",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  nonceCount: "00000001",
  clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
};

Deno.test("responseOf: the MD5 example of RFC 7616 §3.9.1", () => {
  const secret = secretOf("MD5", "Mufasa", "http-auth@example.org", "Circle of Life");
  assertEquals(responseOf("MD5", secret, proof), "8ca523f5e9506fed4657c9700eebdbec");
});

Deno.test("responseOf: the SHA-256 example of RFC 7616 §3.9.1", () => {
  const secret = secretOf("SHA-256", "Mufasa", "http-auth@example.org", "Circle of Life");
  assertEquals(
    responseOf("SHA-256", secret, proof),
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
  );
});

Deno.test("algorithmNamed: finds algorithms by name, but not -sess variants and SHA-512-256", () => {
  assertEquals(algorithmNamed(undefined), "MD5");
  assertEquals(algorithmNamed("sha-256"), "SHA-256");
  for (const other of ["MD5-sess", "SHA-256-sess", "SHA-512-256", "", "__proto__"]) {
    assertEquals(algorithmNamed(other), null, other);
  }
});

Deno.test("equalInConstantTime: is true for equal texts only", () => {
  assertEquals(equalInConstantTime("abc", "abc"), true);
  assertEquals(equalInConstantTime("abc", "abd"), false);
  assertEquals(equalInConstantTime("abc", "abcd"), false);
  assertEquals(equalInConstantTime("", ""), true);
});
