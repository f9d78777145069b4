/**
 * The records of a zip archive (PKWARE APPNOTE 6.3.10) whose files are not compressed.
 *
 * The files are nevertheless marked as deflated, and consist of deflate's blocks without compression (RFC 1951
 * §3.2.4). Size and CRC of a file follow its content, because they are known only then. Without the blocks,
 * a program that reads the archive as a stream could not find the end of the content; Java's refuses it.
 *
 * No library fits: client-zip 2.5.1 omits the zip64 record that 65,535 files need, yazl 3.3.1 turns
 * backslashes in names into directories, and zip.js 2.24.0 takes two milliseconds for each file.
 */

/** A file or directory of the archive. */
interface ZipEntry {
  /** Its path; the path of a directory ends with a slash. */
  readonly name: Uint8Array;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** In bytes; null for a directory. */
  readonly size: number | null;
  /** Offset of its local header in bytes from the beginning of the archive. */
  readonly offset: number;
  /** CRC-32 of the content. */
  readonly crc: number;
}

/** The value of a field of 32 or 16 bits if a zip64 field has the actual number (§4.4.1.4). */
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;

/** The version of the format that a reader needs: 4.5 for zip64, 2.0 for directories. */
const ZIP64_VERSION = 45;
const PLAIN_VERSION = 20;

/** Made by: Unix (3), so that the upper half of the external attributes is the mode of the file. */
const MADE_BY = 3 << 8 | ZIP64_VERSION;

/** Bit 3: size and CRC follow the content. Bit 11: the name is UTF-8. */
const FOLLOWED = 1 << 3;
const UTF8 = 1 << 11;

/** Compression methods: none for directories, deflate for files. */
const STORED = 0;
const DEFLATED = 8;

/** The largest content of a deflate block without compression, and the size of its header, in bytes. */
const MAX_BLOCK = 0xffff;
const BLOCK_HEADER = 5;

const FILE_MODE = 0o100644;
const DIRECTORY_MODE = 0o040755;
const DOS_DIRECTORY = 0x10;

/** The first and the last time that a DOS time field can hold. */
const EARLIEST = Date.UTC(1980, 0, 2);
const LATEST = Date.UTC(2107, 11, 30);

/** Sizes in bytes of the headers without the names, of the extra fields, and of the end records. */
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const TIME_EXTRA_SIZE = 9;
const ZIP64_LOCAL_EXTRA_SIZE = 20;
const ZIP64_CENTRAL_EXTRA_SIZE = 28;
const END_SIZE = 22;
const ZIP64_END_SIZE = 56;
const ZIP64_LOCATOR_SIZE = 20;

/** Writes numbers one after the other, with the least significant byte first. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(...values: number[]): void {
    for (const value of values) {
      this.#view.setUint16(this.#at, value, true);
      this.#at += 2;
    }
  }

  u32(...values: number[]): void {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
  }

  u64(...values: number[]): void {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** Returns the local header, which precedes the content of an entry (§4.3.7). */
export function localHeader(entry: Omit<ZipEntry, "crc" | "offset">): Uint8Array {
  const { name, size } = entry;
  const isLarge = sizeInBlocks(size ?? 0) >= MAX_32;
  const extra = TIME_EXTRA_SIZE + (isLarge ? ZIP64_LOCAL_EXTRA_SIZE : 0);
  const writer = new Writer(LOCAL_SIZE + name.length + extra);
  writer.u32(0x04034b50);
  writer.u16(isLarge ? ZIP64_VERSION : PLAIN_VERSION, flagsOf(size), methodOf(size));
  writer.u16(...dosTime(entry.modified));
  // CRC and sizes follow the content. A zip64 field means that the sizes there have 64 bits (§4.3.9.2).
  writer.u32(0, isLarge ? MAX_32 : 0, isLarge ? MAX_32 : 0);
  writer.u16(name.length, extra);
  writer.put(name);
  writeTime(writer, entry.modified);
  if (isLarge) {
    writer.u16(1, ZIP64_LOCAL_EXTRA_SIZE - 4);
    writer.u64(0, 0);
  }
  return writer.bytes;
}

/** Returns the data descriptor, which follows the content of a file (§4.3.9). */
export function dataDescriptor(size: number, crc: number): Uint8Array {
  const writer = new Writer(sizeOfDescriptor(size));
  const inBlocks = sizeInBlocks(size);
  writer.u32(0x08074b50, crc);
  if (inBlocks >= MAX_32) writer.u64(inBlocks, size);
  else writer.u32(inBlocks, size);
  return writer.bytes;
}

/** Returns an entry of the table of contents (§4.3.12). */
export function centralHeader({ name, modified, size, offset, crc }: ZipEntry): Uint8Array {
  const length = size ?? 0;
  const inBlocks = size === null ? 0 : sizeInBlocks(size);
  const isLarge = needsZip64Field(size, offset);
  const extra = TIME_EXTRA_SIZE + (isLarge ? ZIP64_CENTRAL_EXTRA_SIZE : 0);
  const writer = new Writer(CENTRAL_SIZE + name.length + extra);
  writer.u32(0x02014b50);
  writer.u16(MADE_BY, isLarge ? ZIP64_VERSION : PLAIN_VERSION, flagsOf(size), methodOf(size));
  writer.u16(...dosTime(modified));
  writer.u32(crc, isLarge ? MAX_32 : inBlocks, isLarge ? MAX_32 : length);
  // There is no comment and only one disk, and there are no internal attributes.
  writer.u16(name.length, extra, 0, 0, 0);
  writer.u32(size === null ? (DIRECTORY_MODE << 16 | DOS_DIRECTORY) >>> 0 : FILE_MODE * 2 ** 16);
  writer.u32(isLarge ? MAX_32 : offset);
  writer.put(name);
  writeTime(writer, modified);
  if (isLarge) {
    writer.u16(1, ZIP64_CENTRAL_EXTRA_SIZE - 4);
    writer.u64(length, inBlocks, offset);
  }
  return writer.bytes;
}

/**
 * Returns the end records of the archive (§4.3.14 to §4.3.16).
 *
 * @param start offset of the table of contents in bytes from the beginning of the archive.
 * @param size the size of the table of contents in bytes.
 */
export function endOfArchive(entries: number, start: number, size: number): Uint8Array {
  const writer = new Writer(sizeOfEnd(entries, start, size));
  if (needsZip64(entries, start, size)) {
    writer.u32(0x06064b50);
    writer.u64(ZIP64_END_SIZE - 12);
    writer.u16(MADE_BY, ZIP64_VERSION);
    writer.u32(0, 0);
    writer.u64(entries, entries, size, start);
    writer.u32(0x07064b50, 0);
    writer.u64(start + size);
    writer.u32(1);
  }
  const count = Math.min(entries, MAX_16);
  writer.u32(0x06054b50);
  writer.u16(0, 0, count, count);
  writer.u32(Math.min(size, MAX_32), Math.min(start, MAX_32));
  writer.u16(0);
  return writer.bytes;
}

/** Returns the exact size of an archive in bytes, from the name lengths and sizes of its entries. */
export function sizeOfArchive(
  entries: Iterable<{ readonly nameLength: number; readonly size: number | null }>,
): number {
  let offset = 0;
  let table = 0;
  let count = 0;
  for (const { nameLength, size } of entries) {
    const isLarge = sizeInBlocks(size ?? 0) >= MAX_32;
    table += CENTRAL_SIZE + nameLength + TIME_EXTRA_SIZE +
      (needsZip64Field(size, offset) ? ZIP64_CENTRAL_EXTRA_SIZE : 0);
    offset += LOCAL_SIZE + nameLength + TIME_EXTRA_SIZE + (isLarge ? ZIP64_LOCAL_EXTRA_SIZE : 0);
    if (size !== null) offset += sizeInBlocks(size) + sizeOfDescriptor(size);
    count++;
  }
  return offset + table + sizeOfEnd(count, offset, table);
}

function sizeOfDescriptor(size: number): number {
  return sizeInBlocks(size) >= MAX_32 ? 24 : 16;
}

function sizeOfEnd(entries: number, start: number, size: number): number {
  return END_SIZE +
    (needsZip64(entries, start, size) ? ZIP64_END_SIZE + ZIP64_LOCATOR_SIZE : 0);
}

/**
 * True when an entry of the table of contents has a zip64 field. The field then has both sizes and the
 * offset, even if some of them are small. unzip expects all of them after a file of exactly
 * {@link MAX_32} bytes, which is the largest on a FAT file system.
 */
function needsZip64Field(size: number | null, offset: number): boolean {
  return sizeInBlocks(size ?? 0) >= MAX_32 || offset >= MAX_32;
}

function needsZip64(entries: number, start: number, size: number): boolean {
  return entries >= MAX_16 || start >= MAX_32 || size >= MAX_32;
}

/** Returns the size in bytes of a file's content in blocks. An empty file has one empty block. */
export function sizeInBlocks(size: number): number {
  return size + BLOCK_HEADER * Math.max(1, Math.ceil(size / MAX_BLOCK));
}

/** Writes the contents of files in blocks. */
export class BlockWriter {
  #left = 0;
  #leftInBlock = 0;
  #buffer = new Uint8Array();

  /** Begins a file, and returns its first bytes: a block if the file is empty. @param size in bytes. */
  begin(size: number): Uint8Array {
    this.#left = size;
    return size === 0 ? blockHeader(0, true) : new Uint8Array();
  }

  /**
   * Returns the next part of the content, with the headers of the blocks that begin in it. It is valid until the
   * next call.
   */
  put(part: Uint8Array): Uint8Array {
    const most = part.length + (Math.ceil(part.length / MAX_BLOCK) + 1) * BLOCK_HEADER;
    if (this.#buffer.length < most) this.#buffer = new Uint8Array(most);
    let length = 0;
    for (let at = 0; at < part.length;) {
      if (this.#leftInBlock === 0) {
        this.#leftInBlock = Math.min(MAX_BLOCK, this.#left);
        const header = blockHeader(this.#leftInBlock, this.#leftInBlock === this.#left);
        this.#buffer.set(header, length);
        length += header.length;
      }
      const taken = part.subarray(at, at + this.#leftInBlock);
      this.#buffer.set(taken, length);
      length += taken.length;
      at += taken.length;
      this.#left -= taken.length;
      this.#leftInBlock -= taken.length;
    }
    return this.#buffer.subarray(0, length);
  }
}

function blockHeader(size: number, isLast: boolean): Uint8Array {
  return new Uint8Array([isLast ? 1 : 0, size & 255, size >> 8, ~size & 255, ~size >> 8 & 255]);
}

function methodOf(size: number | null): number {
  return size === null ? STORED : DEFLATED;
}

function flagsOf(size: number | null): number {
  return size === null ? UTF8 : UTF8 | FOLLOWED;
}

/** Returns time and date in DOS format: local time, in steps of two seconds. */
function dosTime(modified: number): [number, number] {
  const date = new Date(Math.min(Math.max(modified, EARLIEST), LATEST));
  return [
    date.getHours() << 11 | date.getMinutes() << 5 | date.getSeconds() >> 1,
    date.getFullYear() - 1980 << 9 | date.getMonth() + 1 << 5 | date.getDate(),
  ];
}

/** Writes the time in seconds since 1970, independent of time zones (Info-ZIP's extra field 0x5455). */
function writeTime(writer: Writer, modified: number): void {
  writer.u16(0x5455, TIME_EXTRA_SIZE - 4);
  writer.put(new Uint8Array([1]));
  writer.u32(Math.min(Math.max(Math.floor(modified / 1000), 0), 0x7fffffff));
}
