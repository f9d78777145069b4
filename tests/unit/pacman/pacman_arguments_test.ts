import { chosenConfiguration, withConfiguration } from "../../../src/pacman/pacman_arguments.ts";
import { assertEquals } from "../../assert.ts";

function check(line: string, path: string | null, result: string): void {
  const words = line === "" ? [] : line.split(" ");
  assertEquals(chosenConfiguration(words).path, path, line);
  assertEquals(withConfiguration(words, "COPY"), result.split(" "), line);
}

Deno.test("withConfiguration: without --config, the copy is put in front", () => {
  check("-Syu foo", null, "--config COPY -Syu foo");
  check("", null, "--config COPY");
  check("-S -- foo", null, "--config COPY -S -- foo");
});

Deno.test("withConfiguration: the user's --config is replaced in place, in any notation", () => {
  check("-Syu --config a foo", "a", "-Syu --config COPY foo");
  check("--config=a -Syu", "a", "--config=COPY -Syu");
  check("--config= -Syu", "", "--config=COPY -Syu");
  check("--config -- -Q", "--", "--config COPY -Q");
});

Deno.test("chosenConfiguration: the last of several --config counts", () => {
  check("--config a --config=b -Q", "b", "--config COPY --config=COPY -Q");
});

Deno.test("withConfiguration: words that pacman does not take for --config are not changed", () => {
  check("-S -- --config a", null, "--config COPY -S -- --config a");
  // Ambiguous with --confirm: pacman itself reports the error.
  check("--conf a -Q", null, "--config COPY --conf a -Q");
  check("-config a", null, "--config COPY -config a");
  // Here --config is the value of another option.
  check("-Q -b --config a", null, "--config COPY -Q -b --config a");
  check("-Qr --config a", null, "--config COPY -Qr --config a");
  check("-Q --root --config a", null, "--config COPY -Q --root --config a");
  check("-Q --dbp --config a", null, "--config COPY -Q --dbp --config a");
  // When the value is in the same word, the next word is not a value.
  check("-Qb/x --config a", "a", "-Qb/x --config COPY");
  check("-Q --debug --config a", "a", "-Q --debug --config COPY");
  // The value is missing: pacman itself reports the error.
  check("-Q --config", null, "--config COPY -Q --config");
});

Deno.test("chosenConfiguration: notices --sysroot, also abbreviated", () => {
  assertEquals(chosenConfiguration(["-Q", "--sysroot", "/mnt"]).inSysroot, true);
  assertEquals(chosenConfiguration(["-Q", "--sysr=/mnt"]).inSysroot, true);
  assertEquals(chosenConfiguration(["-Q", "--", "--sysroot"]).inSysroot, false);
});
