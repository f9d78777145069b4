/** What a section of a man page is made of. */

/** A part of a page. */
export interface Section {
  readonly title: string;
  readonly content: readonly SectionPart[];
}

/** A paragraph, what is shown as it is typed, or words that are explained. */
export type SectionPart =
  | string
  | { readonly literal: string }
  | { readonly terms: readonly Term[] };

/** A word and what it means. */
export interface Term {
  readonly word: string;
  readonly meaning: string;
}
