/** The chart of the last 24 hours: the bytes that this host's pacman downloaded in each hour, by source. */

import { humanSize } from "../quickserve/pages/display.ts";
import { type Html, html } from "../quickserve/pages/html.ts";
import type { HourStatus } from "./snapshot.ts";
import { SOURCE_CLASSES, SOURCE_LABELS } from "./labels.ts";
import { localTime } from "./text.ts";
import { amountOf, FILE_SOURCES } from "./traffic.ts";

/** Size of the drawing in SVG units, which are scaled to the width of the page. */
const HEIGHT = 100;
const STEP = 10;
const BAR = 8;

/** Hours between two labels of the time axis. */
const LABELLED = 6;

/**
 * Returns the chart with its legend.
 *
 * @param hours the oldest first.
 */
export function chart(hours: readonly HourStatus[]): Html {
  const most = Math.max(...hours.map(({ received }) => amountOf(received).bytes));
  const width = hours.length * STEP;
  const summary = most === 0
    ? "Nothing was downloaded in the last 24 hours."
    : `Downloads of the last 24 hours by source; at most ${humanSize(most)} in an hour.`;
  return html`
    <figure class="chart">
      <p class="scale"><span>${most === 0 ? "nothing yet" : `${humanSize(most)} an hour`}</span></p>
      <svg viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none" role="img"
        aria-label="${summary}">
    ${hours.map((hour, index) => bars(hour, index * STEP + (STEP - BAR) / 2, most))}
      </svg>
      <p class="hours" aria-hidden="true">
        ${labels(hours)}
      </p>
      <figcaption>
        <ul class="legend">
    ${FILE_SOURCES.map((source) =>
      html`<li class="${SOURCE_CLASSES[source]}">${SOURCE_LABELS[source]}</li>`
    )}
        </ul>
      </figcaption>
    </figure>
  `;
}

/** Returns the same numbers as a table, for readers who cannot see the chart. */
export function chartTable(hours: readonly HourStatus[]): Html {
  const busy = hours.filter(({ received }) => amountOf(received).bytes > 0);
  if (busy.length === 0) return html`<p>Nothing was downloaded in the last 24 hours.</p>`;
  return html`
    <table class="peers numbers">
      <caption class="unseen">Downloads of the last 24 hours</caption>
      <thead>
        <tr>
          <th scope="col">Hour</th>
          ${FILE_SOURCES.map((source) => html`<th scope="col">${SOURCE_LABELS[source]}</th>`)}
        </tr>
      </thead>
      <tbody>
    ${busy.map(({ start, received }) =>
      html`<tr><th scope="row">${localTime(start)}</th>${
        FILE_SOURCES.map((source) =>
          html`<td data-label="${SOURCE_LABELS[source]}">${
            received[source].bytes === 0 ? null : humanSize(received[source].bytes)
          }</td>`
        )
      }</tr>`
    )}
      </tbody>
    </table>
  `;
}

function bars({ start, received }: HourStatus, x: number, most: number): Html {
  let top = HEIGHT;
  const title = FILE_SOURCES.filter((source) => received[source].bytes > 0)
    .map((source) => `${SOURCE_LABELS[source]} ${humanSize(received[source].bytes)}`).join(", ");
  if (title === "") return html``;
  const rects = FILE_SOURCES.map((source) => {
    const height = received[source].bytes / most * HEIGHT;
    if (height === 0) return null;
    top -= height;
    const [y, h] = [top.toFixed(2), height.toFixed(2)];
    return html`
      <rect class="${SOURCE_CLASSES[source]}" x="${x}" y="${y}" width="${BAR}"
        height="${h}"></rect>
    `;
  });
  return html`<g><title>${`${localTime(start)}: ${title}`}</title>${rects}</g>`;
}

function labels(hours: readonly HourStatus[]): Html[] {
  return hours.filter((_, index) => index % LABELLED === 0)
    .map(({ start }) => html`<span>${localTime(start).slice(11)}</span>`);
}
