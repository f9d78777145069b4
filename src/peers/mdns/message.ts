/**
 * Converts messages of multicast DNS (RFC 6762) from bytes to plain data and back.
 *
 * Any host on the LAN can send anything to the port. A datagram that is too large, too long or malformed is
 * dropped as a whole. Record types that service discovery does not need are ignored.
 */

import { Buffer } from "node:buffer";
import dns, { type Answer, type DecodedPacket, type Question as DnsQuestion } from "dns-packet";
import { SERVICE_TYPE } from "./names.ts";

/** The fields that all records have. */
interface RecordBase {
  /** The name without a dot at the end. Names in received records are in lower case. */
  readonly name: string;
  /** Time to live in seconds; 0 announces that the record is no longer valid. */
  readonly ttl: number;
  /** The cache-flush bit: the sender owns all records of this name and type. */
  readonly flush: boolean;
}

/** A record of a type that service discovery needs. */
export type MdnsRecord =
  & RecordBase
  & (
    | { readonly type: "PTR"; readonly data: string }
    | { readonly type: "SRV"; readonly data: { readonly target: string; readonly port: number } }
    | { readonly type: "TXT"; readonly data: readonly string[] }
    | { readonly type: "A" | "AAAA"; readonly data: string }
    | { readonly type: "NSEC"; readonly data: readonly string[] }
  );

/** A question whose answer is sent by multicast. */
export interface Question {
  readonly name: string;
  readonly type: "PTR" | "SRV" | "TXT" | "A" | "AAAA" | "ANY";
}

/** A query or a response. */
export interface Message {
  readonly isResponse: boolean;
  /** True when more known answers follow in the next message of the same sender. */
  readonly truncated: boolean;
  readonly questions: readonly Question[];
  readonly answers: readonly MdnsRecord[];
  /** In a query: the records that its sender wants to own (RFC 6762 §8.2). */
  readonly authorities: readonly MdnsRecord[];
  readonly additionals: readonly MdnsRecord[];
}

/** Greatest length in bytes of a received datagram (RFC 6762 §17). */
export const MAX_DATAGRAM = 9_000;

/**
 * Greatest number of questions and records in a message. It limits the work, because each can have a long
 * chain of labels.
 */
const MAX_ENTRIES = 256;

/**
 * Greatest length in bytes of a datagram that this program sends. It fits into an Ethernet frame, even in
 * a tunnel.
 */
const MAX_OWN_DATAGRAM = 1_232;

const HEADER_LENGTH = 12;

const TYPES: ReadonlySet<string> = new Set(["PTR", "SRV", "TXT", "A", "AAAA", "NSEC", "ANY"]);

/** Returns a name in the form for comparisons. DNS ignores the case of ASCII letters only. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Parses a datagram; null when it is not a well-formed message of multicast DNS. */
export function parseMessage(datagram: Uint8Array): Message | null {
  if (datagram.length < HEADER_LENGTH || datagram.length > MAX_DATAGRAM) return null;
  const header = new DataView(datagram.buffer, datagram.byteOffset, HEADER_LENGTH);
  let entries = 0;
  for (let offset = 4; offset < HEADER_LENGTH; offset += 2) entries += header.getUint16(offset);
  // The library allocates as many entries as the header has, before it reads them.
  if (entries > MAX_ENTRIES) return null;
  // RFC 6762 §18.3 and §18.11: an operation or a result code other than 0 is ignored.
  if ((header.getUint16(2) & 0x780f) !== 0) return null;
  let packet: DecodedPacket;
  try {
    packet = dns.decode(Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength));
  } catch {
    return null;
  }
  return {
    isResponse: packet.flag_qr,
    truncated: packet.flag_tc,
    questions: (packet.questions ?? []).flatMap(questionOf),
    answers: (packet.answers ?? []).flatMap(recordOf),
    authorities: (packet.authorities ?? []).flatMap(recordOf),
    additionals: (packet.additionals ?? []).flatMap(recordOf),
  };
}

function questionOf({ name, type }: DnsQuestion): Question[] {
  if (!TYPES.has(type) || typeof name !== "string") return [];
  return [{ name: foldCase(name), type: type as Question["type"] }];
}

function recordOf(answer: Answer): MdnsRecord[] {
  if (!("ttl" in answer) || answer.class !== "IN") return [];
  const base = {
    name: foldCase(answer.name),
    ttl: answer.ttl ?? 0,
    flush: answer.flush === true,
  };
  switch (answer.type) {
    case "PTR":
      return [{ ...base, type: "PTR", data: foldCase(answer.data) }];
    case "SRV": {
      const { target, port } = answer.data;
      return port === 0 ? [] : [{ ...base, type: "SRV", data: { target: foldCase(target), port } }];
    }
    case "TXT": {
      const texts = Array.isArray(answer.data) ? answer.data : [answer.data];
      return [{ ...base, type: "TXT", data: texts.map(String) }];
    }
    case "A":
    case "AAAA":
      return [{ ...base, type: answer.type, data: answer.data }];
    default:
      return [];
  }
}

/**
 * Returns a message as one or more datagrams. All except the last datagram of a query have the flag that more
 * known answers follow.
 */
export function formatMessage(message: Message): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let part = emptyPart();
  let length = HEADER_LENGTH;
  const labels: string[] = [];
  const finish = (more: boolean): void => {
    const flags = message.isResponse ? dns.AUTHORITATIVE_ANSWER : more ? dns.TRUNCATED_RESPONSE : 0;
    const type = message.isResponse ? "response" : "query";
    datagrams.push(withDots(dns.encode({ type, flags, ...part }), labels));
    part = emptyPart();
    length = HEADER_LENGTH;
  };
  const makeRoom = (bytes: number): void => {
    if (length + bytes > MAX_OWN_DATAGRAM && length > HEADER_LENGTH) finish(true);
    length += bytes;
  };
  for (const { name, type } of message.questions) {
    // The library knows ANY although its types do not.
    const question = {
      name: withoutDots(name, labels),
      type: type as DnsQuestion["type"],
    };
    makeRoom(dns.encodingLength({ questions: [question] }) - HEADER_LENGTH);
    part.questions.push(question);
  }
  for (const section of ["answers", "authorities", "additionals"] as const) {
    for (const record of message[section]) {
      const answer = answerOf(
        record.type === "PTR" ? { ...record, data: withoutDots(record.data, labels) } : record,
      );
      makeRoom(dns.encodingLength({ answers: [answer] }) - HEADER_LENGTH);
      part[section].push(answer);
    }
  }
  finish(false);
  return datagrams;
}

/** Replaces a dot within a label. */
const DOT = "\x1f";

/**
 * Returns the name of a service in the form for the library. The part before its type is one label, even if it
 * contains dots (RFC 6763 §4.1.1), but the library would split it at the dots. The labels of pacredir contain
 * dots if the name of the host does.
 *
 * @param labels receives the label that {@link withDots} has to restore.
 */
function withoutDots(name: string, labels: string[]): string {
  if (!name.endsWith(`.${SERVICE_TYPE}`)) return name;
  const label = name.slice(0, -SERVICE_TYPE.length - 1);
  if (!label.includes(".")) return name;
  labels.push(label);
  return `${label.replaceAll(".", DOT)}.${SERVICE_TYPE}`;
}

function withDots(datagram: Buffer, labels: readonly string[]): Buffer {
  for (const label of labels) {
    const substitute = Buffer.from(label.replaceAll(".", DOT));
    for (
      let at = datagram.indexOf(substitute);
      at >= 0;
      at = datagram.indexOf(substitute, at + 1)
    ) {
      datagram.write(label, at);
    }
  }
  return datagram;
}

function emptyPart(): Record<"answers" | "authorities" | "additionals", Answer[]> & {
  readonly questions: DnsQuestion[];
} {
  return { questions: [], answers: [], authorities: [], additionals: [] };
}

function answerOf(record: MdnsRecord): Answer {
  const { name, ttl, flush } = record;
  switch (record.type) {
    case "SRV":
      return { name, ttl, flush, type: "SRV", data: { ...record.data, priority: 0, weight: 0 } };
    case "TXT":
      return { name, ttl, flush, type: "TXT", data: [...record.data] };
    case "NSEC":
      return {
        name,
        ttl,
        flush,
        type: "NSEC",
        data: { nextDomain: name, rrtypes: [...record.data] },
      };
    default:
      return { name, ttl, flush, type: record.type, data: record.data };
  }
}

/** Returns a record's type and data as bytes, with which records are compared (RFC 6762 §8.2.1). */
export function rdata(record: MdnsRecord): Uint8Array {
  // Encode it with the root as its name and no time to live, so that equal data give equal bytes after
  // the header.
  const bytes = dns.encode({ answers: [answerOf({ ...record, name: ".", ttl: 0, flush: false })] });
  return bytes.subarray(HEADER_LENGTH + 1);
}
