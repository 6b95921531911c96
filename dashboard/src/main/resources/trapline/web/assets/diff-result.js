// What a diff found, in tables.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { count, figure, signed } from '/assets/format.js';
import { flat } from '/assets/explorer-events.js';
import { reasonLegend } from '/assets/legend.js';
import { sessionPath } from '/assets/router.js';

const MOST_ROWS = 40;

/** `about`: `{ id, recorded, name }`: the session, whether the base is what was recorded, and how policies are called. */
export function result({ result: diff, timeline }, about) {
    const { base, candidate, comparison, firstDivergence, guestVisible } = diff;
    return html`
        <p class="verdict" id="verdict">${verdict(comparison, about.name(base.policy), about.name(candidate.policy))}</p>
        ${(diff.notes ?? []).map(note => html`<p class="notice">${note}</p>`)}
        <figure id="timeline"><figcaption>Exits of each vCPU by guest op <small>base above, candidate below; colours are reasons; R, W: RDMSR, WRMSR exits; red line: first divergence</small></figcaption>
            ${reasonLegend((timeline?.vcpus ?? []).flatMap(lane => [...lane.base, ...lane.candidate].flatMap(([, , , reasons]) => Object.keys(reasons ?? {}))))}
            <div class="scrolled"><div class="lanes"></div></div><div class="readout"><span id="readout" class="mono"></span></div></figure>
        <div class="compared"><div>${totals(diff, about)}</div>
            <div>${divergence(firstDivergence, about)} ${visible(guestVisible)} ${broken(diff, about)} ${sensitivities(comparison, diff.costs)}</div></div>`;
}

function verdict({ verdict: told, cycles }, base, candidate) {
    const size = html`${signed(cycles.typical)} cycles, from ${signed(cycles.low)} to ${signed(cycles.high)}`;
    const [one, other] = [html`<code>${candidate}</code>`, html`<code>${base}</code>`];
    switch (told) {
        case 'baseCheaper': return html`${one} costs more than ${other}: ${size}`;
        case 'candidateCheaper': return html`${one} is cheaper than ${other}: ${size}`;
        case 'equal': return html`${one} costs the same as ${other}`;
        default: return html`It depends on figures whose ranges allow both: ${one} against ${other} is ${size}`;
    }
}

function totals({ base, candidate, comparison, costs, guestVisible }, { name }) {
    const rows = [
        ['VM exits', side => side.exits.total, 'exits', true],
        ...reasons(base, candidate).map(reason => [reason, side => side.exits.byReason[reason] ?? 0, '', false]),
        ['exits to userspace', side => side.userspace.total, 'userspace', true],
        ["host's RDMSR", side => side.hostMsr.reads, 'hostReads', true],
        ["host's WRMSR", side => side.hostMsr.writes, 'hostWrites', true],
        ['VMCS/VMCB field writes', side => side.actions.fieldWrites, 'fieldWrites', true],
        ['MSR bitmap writes', side => side.actions.msrBitmapWrites, 'bitmapWrites', true],
        ['faults of the guest', side => side.guestFaults, 'faults', true],
        ['violations', side => side.violations.reduce((sum, one) => sum + one.count, 0), 'violations', true],
        ['events', side => side.events, 'events', true],
        [`cycles, typical (${costs})`, side => side.cycles.total.typical, 'cycles', true, comparison.cycles.typical],
        ['at the least', side => side.cycles.total.low, 'low', false, comparison.cycles.low],
        ['at the most', side => side.cycles.total.high, 'high', false, comparison.cycles.high],
    ];
    return html`<h2>Totals <small>cycles are projected from counts by cost profile ${costs}</small></h2>
        <table class="data totals" id="totals"><thead><tr><th></th><th class="n">base <div class="mono">${name(base.policy)}</div></th>
            <th class="n">candidate <div class="mono">${name(candidate.policy)}</div></th><th class="n">change</th></tr></thead>
        <tbody>${rows.map(([title, of, key, main, change]) => total(title, of(base), of(candidate), key, main, change))}</tbody></table>
        ${msrs(base, candidate)}
        <p class="muted">${count(base.guestOps)} guest ops; ${guestVisible.identical ? 'the guest saw the same, op for op' : html`<b class="bad">the guest could tell</b>`}</p>`;
}

/** The change of a range's ends is not the difference of the ends: both sides have the same figures. */
function total(title, before, after, key, main, change = after - before) {
    return html`<tr class=${main ? '' : 'sub'} data-row=${key}><td>${title}</td><td class="n" data-side="base">${count(before)}</td><td class="n" data-side="candidate">${count(after)}</td>
        <td class="n ${change > 0 ? 'more' : change < 0 ? 'less' : 'muted'}">${change === 0 ? '0' : signed(change)}</td></tr>`;
}

const reasons = (base, candidate) => [...new Set([...Object.keys(base.exits.byReason), ...Object.keys(candidate.exits.byReason)])]
    .sort((a, b) => (candidate.exits.byReason[b] ?? 0) + (base.exits.byReason[b] ?? 0) - (candidate.exits.byReason[a] ?? 0) - (base.exits.byReason[a] ?? 0));

/** Only MSRs whose exits differ. */
function msrs(base, candidate) {
    const names = [...new Set([...Object.keys(base.exits.byMsr), ...Object.keys(candidate.exits.byMsr)])];
    const of = (side, name, access) => side.exits.byMsr[name]?.[access] ?? 0;
    const rows = names.flatMap(name => [['RDMSR', 'reads'], ['WRMSR', 'writes']].map(([op, access]) => [`${op} ${name}`, of(base, name, access), of(candidate, name, access)]))
        .filter(([, before, after]) => before !== after)
        .sort((a, b) => Math.abs(b[2] - b[1]) - Math.abs(a[2] - a[1]));
    if (rows.length === 0) return nothing;
    return html`<h3>Exits by MSR that differ</h3><table class="data"><tbody>${rows.slice(0, MOST_ROWS).map(([name, before, after]) => total(html`<span class="mono">${name}</span>`, before, after, name, true))}
        ${rows.length > MOST_ROWS ? html`<tr><td class="muted" colspan="4">… ${rows.length - MOST_ROWS} more</td></tr>` : nothing}</tbody></table>`;
}

function divergence(first, { id, recorded }) {
    if (!first) return html`<section id="divergence"><h2>First divergence</h2><p class="muted">none: both did the same at each op.</p></section>`;
    const place = html`vCPU ${first.vcpu}, op ${count(first.op.index)}`;
    return html`<section id="divergence"><h2>First divergence <small>${place}</small></h2>
        <p class="event-line">${first.op.name}</p>
        <table class="data"><tbody>
            <tr><th>base</th><td class="mono">${side(first.baseEvent)} ${recorded ? html`<a href=${sessionPath(id, { order: first.baseOrder })} id="divergence-link">event ${count(first.baseOrder)}</a>` : html`<small>event ${count(first.baseOrder)}</small>`}</td></tr>
            <tr><th>candidate</th><td class="mono">${side(first.candidateEvent)} <small>event ${count(first.candidateOrder)}</small></td></tr></tbody></table>
        <table class="data ops"><thead><tr><th class="n">op</th><th>guest op</th><th class="n">events of base</th><th class="n">of candidate</th></tr></thead><tbody>
            ${(first.before ?? []).map(op)} <tr class="here"><td class="n">${count(first.op.index)}</td><td class="mono">${first.op.name}</td><td></td><td></td></tr> ${(first.after ?? []).map(op)}</tbody></table></section>`;
}

const op = ({ op: index, name, baseEvents, candidateEvents }) =>
    html`<tr><td class="n">${count(index)}</td><td class="mono">${name}</td><td class="n">${count(baseEvents)}</td><td class="n">${count(candidateEvents)}</td></tr>`;

function side(event) {
    if (!event) return 'no event';
    const { type, ...fields } = event;
    return html`<b>${type}</b> ${flat(fields).map(([name, value]) => `${name}=${value}`).join(' ')}`;
}

function visible({ identical, count: n, differences }) {
    return html`<section id="visible"><h2>What the guest sees</h2>${identical ? html`<p class="muted">identical, op for op</p>`
        : html`<p><b class="bad">${count(n)} differences</b></p><table class="data"><thead><tr><th>at</th><th>base</th><th>candidate</th></tr></thead><tbody>
            ${differences.slice(0, MOST_ROWS).map(one => html`<tr><td class="nowrap">vCPU ${one.vcpu}, op ${count(one.op)}</td><td class="mono">${side(one.base)}</td><td class="mono">${side(one.candidate)}</td></tr>`)}
            ${n > MOST_ROWS ? html`<tr><td class="muted" colspan="3">… ${count(n - MOST_ROWS)} more</td></tr>` : nothing}</tbody></table>`}</section>`;
}

function broken({ base, candidate }, { id, recorded }) {
    const rows = [['base', base, recorded], ['candidate', candidate, false]].flatMap(([name, { violations }, linked]) => violations.map(one => ({ name, one, linked })));
    return html`<section id="violations"><h2>Safety rules broken</h2>${rows.length === 0 ? html`<p class="muted">none, on either side</p>`
        : html`<table class="data"><thead><tr><th>side</th><th>rule</th><th></th><th class="n">times</th><th>first</th></tr></thead><tbody>
            ${rows.map(({ name, one, linked }) => html`<tr><td class="nowrap">${name}</td><td class="mono bad">${one.rule}</td><td>${one.message} <small>${one.source}</small></td><td class="n">${count(one.count)}</td>
                <td class="nowrap">${linked ? html`<a href=${sessionPath(id, { vcpu: one.vcpu, seq: one.seq })}>vCPU ${one.vcpu} #${count(one.seq)}</a>` : html`vCPU ${one.vcpu}, op ${count(one.op)}`}</td></tr>`)}</tbody></table>`}</section>`;
}

function sensitivities({ sensitivities: list = [] }, costs) {
    if (list.length === 0) return nothing;
    return html`<section><h2>What the verdict rests on <small>cost profile ${costs}, cycles</small></h2>
        <table class="data"><thead><tr><th>figure</th><th class="n">times more</th><th class="n">typical</th><th class="n">range</th><th class="n">break-even</th><th></th></tr></thead><tbody>
        ${list.map(({ figure: name, more, range, assumed, breakEven, decides }) => html`<tr><td class="mono">${name}</td><td class="n">${signed(more)}</td><td class="n">${figure(range.typical)}</td>
            <td class="n">${figure(range.low)} – ${figure(range.high)}</td><td class="n">${breakEven === null ? 'none' : figure(breakEven)}</td>
            <td>${assumed ? html`<span class="tag warn">assumed</span> ` : nothing}${decides ? html`<span class="tag bad">decides</span>` : nothing}</td></tr>`)}</tbody></table></section>`;
}
