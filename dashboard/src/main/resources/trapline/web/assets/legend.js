// Which colour is which reason.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { seriesColour } from '/assets/theme.js';

const MOST = 14;

/** The reasons of exits that are shown, as often as they are given; the most frequent first. */
export function reasonLegend(reasons) {
    const counts = new Map();
    reasons.forEach(reason => counts.set(reason, (counts.get(reason) ?? 0) + 1));
    const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    if (names.length === 0) return nothing;
    return html`<div class="reasons">${names.slice(0, MOST).map(name => html`<span><i .style=${`background:${seriesColour('reason', name)}`}></i>${name}</span>`)}
        ${names.length > MOST ? html`<span>… ${names.length - MOST} more</span>` : nothing}</div>`;
}
