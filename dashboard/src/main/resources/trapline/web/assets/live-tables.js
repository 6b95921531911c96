// What stands beside the charts: totals, a picked range, interceptions, violations.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { bitmapName, clock, count, duration, figure, msrName, percent, plural } from '/assets/format.js';
import { sessionPath } from '/assets/router.js';

const ROWS = 12;

export function tiles(session, rate) {
    const { totals, time } = session;
    const unit = time?.unit ?? '';
    return html`<dl class="tiles" id="totals">
        ${tile('VM exits', count(totals.exits), 'exits')}
        ${tile('exits/s now', rate === null ? '–' : figure(rate), 'rate')}
        ${tile('VMCS/VMCB writes', count(totals.mutations), 'mutations')}
        ${tile('host RDMSR / WRMSR', `${count(totals.hostMsrReads)} / ${count(totals.hostMsrWrites)}`)}
        ${tile('to userspace', count(totals.userspace))}
        ${tile('reflected to L1', count(totals.reflected))}
        ${tile('violations', count(totals.violations), 'violation-count', totals.violations > 0 ? 'bad' : '')}
        ${tile('exit to entry p50 / p99', time ? html`${figure(time.p50)} / ${figure(time.p99)} <small>${unit}</small>` : '–')}
    </dl>`;
}

const tile = (name, value, key = nothing, tone = '') =>
    html`<div class=${tone}><dt>${name}</dt><dd data-key=${key}>${value}</dd></div>`;

/** The exits of a session, or of a range of it, by reason, MSR and vCPU. */
export function breakdown({ exits, byReason, byMsr, byVcpu }) {
    const access = row => `${row.access === 'write' ? 'WRMSR' : 'RDMSR'} ${msrName(row)}`;
    return html`<div class="three">
        ${rows('by reason', byReason, row => row.name, exits)}
        ${rows('by MSR', byMsr, access, exits)}
        ${rows('by vCPU', byVcpu, row => `vCPU ${row.vcpu}`, exits)}
    </div>`;
}

function rows(title, list = [], nameOf, exits) {
    const sorted = [...list].sort((a, b) => b.count - a.count);
    const rest = sorted.slice(ROWS);
    return html`<table class="data"><thead><tr><th>${title}</th><th class="n">exits</th><th class="n">share</th></tr></thead>
        <tbody>${sorted.slice(0, ROWS).map(row => line(nameOf(row), row.count, exits))}
        ${rest.length > 0 ? line(`… ${rest.length} more`, rest.reduce((sum, row) => sum + row.count, 0), exits, 'muted') : nothing}
        ${sorted.length === 0 ? html`<tr><td class="muted" colspan="3">none</td></tr>` : nothing}</tbody></table>`;
}

const line = (name, n, exits, tone = '') =>
    html`<tr class=${tone}><td class="mono">${name}</td><td class="n">${count(n)}</td><td class="n">${exits > 0 ? percent(n / exits) : '–'}</td></tr>`;

/** The exact numbers of a picked range. */
export function rangeTable({ asked, answer, error }, clear) {
    const [from, to] = answer ? [answer.from, answer.to] : asked;
    return html`<section id="range"><h2>Range <span class="mono">${clock(from, true)} – ${clock(to, true)}</span>
        <small>${duration(to - from)}${answer ? ', rounded outwards to whole windows' : ''}</small>
        <button class="quiet" @click=${clear}>clear (Esc)</button></h2>
        ${error ? html`<p class="error">${error}</p>` : nothing}
        ${answer ? html`<p><b data-key="range-exits">${count(answer.exits)}</b> VM exits, ${figure((1000 * answer.exits) / (to - from))} exits/s${times(answer.time)}</p>
            ${breakdown(answer)}` : error ? nothing : html`<p class="muted">asking…</p>`}</section>`;
}

const times = time => (time
    ? html`; exit to entry p50 ${figure(time.p50)}, p90 ${figure(time.p90)}, p99 ${figure(time.p99)}, max ${figure(time.max)} ${time.unit}`
    : nothing);

/** What is intercepted right now: MSR by vCPU and bitmap. */
export function interceptions(session) {
    const list = session.interceptions ?? [];
    const columns = [...new Map(list.map(row => [`${row.vcpu}/${row.bitmap}`, row])).values()]
        .sort((a, b) => a.vcpu - b.vcpu || a.bitmap - b.bitmap);
    const cells = new Map();
    for (const row of list) {
        if (!cells.has(row.msr)) cells.set(row.msr, { name: msrName(row), at: new Map() });
        cells.get(row.msr).at.set(`${row.vcpu}/${row.bitmap}`, row);
    }
    const body = [...cells].sort((a, b) => a[1].name.localeCompare(b[1].name));
    return html`<section id="interceptions"><h2>Intercepted now <small>R, W: RDMSR, WRMSR exits; · passes through; what is not listed always exits</small></h2>
        ${list.length === 0
            ? html`<p class="muted">No interception of this session has changed since it is watched: its log may be older than what the topic keeps, or it is a trace.</p>`
            : html`<div class="scroll"><table class="matrix"><thead><tr><th>MSR</th>${columns.map(({ vcpu, bitmap }) =>
                html`<th title=${`vCPU ${vcpu}, bitmap ${bitmapName(bitmap)}`}>v${vcpu} ${bitmapName(bitmap)}</th>`)}</tr></thead>
                <tbody>${body.map(([, { name, at }]) => html`<tr><td class="mono">${name}</td>
                    ${columns.map(({ vcpu, bitmap }) => cell(session.session, at.get(`${vcpu}/${bitmap}`)))}</tr>`)}</tbody></table></div>`}</section>`;
}

function cell(session, row) {
    if (!row) return html`<td class="muted" title="not told">?</td>`;
    const tone = row.read && row.write ? 'exits' : row.read || row.write ? 'half' : 'passes';
    const title = `read ${row.read ? 'exits' : 'passes'}, write ${row.write ? 'exits' : 'passes'}; ${plural(row.changes, 'change')}, last by event ${row.order}`;
    return html`<td class=${tone} title=${title}><a href=${sessionPath(session, { vcpu: row.vcpu, seq: row.seq })}>${row.read ? 'R' : '·'}${row.write ? 'W' : '·'}</a>${
        row.changes > 1 ? html`<sub>${count(row.changes)}</sub>` : nothing}</td>`;
}

export function violations(session) {
    const list = session.violations ?? [];
    return html`<section id="violations"><h2>Violations <small>${count(session.totals.violations)}</small></h2>
        ${list.length === 0
            ? html`<p class="muted">No safety rule was broken${session.imported ? ': traces are not judged, trapline diff judges what the model makes of them' : ''}.</p>`
            : html`<table class="data"><thead><tr><th>rule</th><th>first of its kind</th><th class="n">times</th><th>at</th></tr></thead><tbody>
                ${list.map(one => html`<tr><td class="mono bad">${one.rule}</td><td>${one.message}</td><td class="n">${count(one.count)}</td>
                    <td><a class="mono" href=${sessionPath(session.session, { vcpu: one.vcpu, seq: one.seq })}>vCPU ${one.vcpu} #${count(one.seq)}</a></td></tr>`)}</tbody></table>`}</section>`;
}
