/** Creates certificates for tests with openssl(1). */

import { inScratch } from "./scratch.ts";

/** A certificate and its key, in PEM. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

/** The certificates for a test of TLS. */
export interface TestCertificates {
  /** Certificate of the authority, in PEM. */
  readonly authority: string;
  /** For localhost, 127.0.0.1 and ::1, signed by the authority. */
  readonly server: Credentials;
  /** For the same names with another key, as after a renewal; its common name is `renewed`. */
  readonly renewed: Credentials;
  /** For a client with the common name `alice`, signed by the authority. */
  readonly client: Credentials;
  /** For a client with the common name `mallory`, self-signed. */
  readonly stranger: Credentials;
}

const SERVER = "basicConstraints=CA:FALSE\n" +
  "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n";
const CLIENT = "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n";

/** Creates an authority and certificates, valid for two days from now. */
export async function makeCertificates(): Promise<TestCertificates> {
  return await inScratch(async (directory) => {
    await openssl(directory, [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
      ..."-keyout authority.key -out authority.pem -subj".split(" "),
      "/CN=Test authority",
    ]);
    const authority = await Deno.readTextFile(`${directory}/authority.pem`);
    return {
      authority,
      server: await sign(directory, "localhost", SERVER, true),
      renewed: await sign(directory, "renewed", SERVER, true),
      client: await sign(directory, "alice", CLIENT, true),
      stranger: await sign(directory, "mallory", CLIENT, false),
    };
  });
}

async function sign(
  directory: string,
  name: string,
  extensions: string,
  byAuthority: boolean,
): Promise<Credentials> {
  await Deno.writeTextFile(`${directory}/${name}.extensions`, extensions);
  const signer = byAuthority
    ? ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"]
    : ["-key", `${name}.key`];
  await openssl(directory, [
    ..."req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout".split(" "),
    ...[`${name}.key`, "-out", `${name}.request`, "-subj", `/O=Tests/CN=${name}`],
  ]);
  await openssl(directory, [
    ...["x509", "-req", "-in", `${name}.request`, "-out", `${name}.pem`, "-days", "2"],
    ...signer,
    // With extensions openssl writes version 3; Deno accepts no other.
    ...["-extfile", `${name}.extensions`],
  ]);
  return {
    certificate: await Deno.readTextFile(`${directory}/${name}.pem`),
    key: await Deno.readTextFile(`${directory}/${name}.key`),
  };
}

async function openssl(directory: string, args: string[]): Promise<void> {
  const command = new Deno.Command("openssl", { args, cwd: directory });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
