/** Names of files that clients and readers of archives get wrong. */

/** Names that are hard on HTML, URLs, shells and archives; none is hidden, none has a slash. */
export const ODD_NAMES: readonly string[] = [
  "gtk-1:2.0+r1~b-1-x86_64.pkg.tar.zst",
  "it's.txt",
  "a 'b' \"c\".txt",
  "back\\slash",
  "per%cent",
  "per%20cent",
  "per%2fcent",
  "?query#fragment",
  "a&amp;b",
  "a;b=c,d$e!f*g(h)[i]{j}|k<l>m^n`o",
  "@at ~tilde+plus",
  "-dash",
  "javascript:alert(1)",
  "http:evil",
  " space at both ends ",
  "..two dots".slice(2) + "..",
  "naïve 日本語 😀",
  "e\u0301 and \u00e9",
  "ß İ ı",
  "x".repeat(255),
  "日".repeat(85),
];

/** As many names as these, `number` in all: the odd ones, and those that each of them begins. */
export function manyOddNames(number: number): string[] {
  const names = new Set(ODD_NAMES);
  for (let round = 1; names.size < number; round++) {
    for (const name of ODD_NAMES) {
      if (names.size < number) names.add(`${[...name].slice(0, 40).join("")}${round}`);
    }
  }
  return [...names];
}
