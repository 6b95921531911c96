// The state of a vCPU at a place, by structure, with what the last event changed.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { count } from '/assets/format.js';

const PLACE = new Set(['session', 'vcpu', 'seq', 'order', 'tick', 'op', 'digest', 'mode', 'level', 'pcpu']);
const TITLES = { registers: 'registers', vmcs: 'VMCS', vmcb: 'VMCB', intercepts: 'MSR bitmaps: passed through', hypervisor: 'hypervisor' };

const zero = value => value === '0x0' || value === 0 || value === null || value === false;

const written = value => (value === null || value === undefined ? 'unknown' : typeof value === 'object' ? JSON.stringify(value) : String(value));

/** `view`: `{ filter, zeros, onFilter, onZeros }`. */
export function statePanel(answer, view, seekTo) {
    const { state, changed } = answer;
    const marks = new Map(changed.map(change => [change.path, change]));
    const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (path, value) => {
        const text = `${path} ${written(value)}`.toLowerCase();
        return words.every(word => text.includes(word)) && (view.zeros || !zero(value) || marks.has(path));
    };
    const context = { marks, fits, seekTo };
    return html`<section id="state"><h2>State <small>of vCPU ${state.vcpu} after its event ${count(state.seq)}</small></h2>
        ${whole(state)}
        ${changedTable(changed)}
        <div class="controls"><input id="state-filter" type="search" spellcheck="false" placeholder="filter by name or value  /" aria-label="filter state"
            .value=${view.filter} @input=${event => view.onFilter(event.target.value)}>
            <label><input type="checkbox" .checked=${view.zeros} @change=${event => view.onZeros(event.target.checked)}> zeros <kbd>0</kbd></label></div>
        <div class="fields">${Object.entries(state).filter(([key, value]) => !PLACE.has(key) && value !== null && typeof value === 'object')
            .map(([key, value]) => (key === 'msrs' ? msrs(value, context) : section(key, TITLES[key] ?? key, value, context)))}</div>
        ${state.digest ? html`<p class="muted">digest <span class="mono digest" data-key="digest">${state.digest}</span></p>` : nothing}</section>`;
}

const whole = state => html`<p class="facts">mode <b class="mono" data-key="mode">${state.mode ?? 'unknown'}</b>
    ${state.level !== undefined ? html`level <b class="mono">L${state.level}</b>` : nothing}
    ${state.pcpu !== undefined && state.pcpu !== null ? html`pCPU <b class="mono">${state.pcpu}</b>` : nothing}</p>`;

function changedTable(changed) {
    if (changed.length === 0) return html`<p class="muted">This event changed nothing of the state.</p>`;
    return html`<table class="data changes" id="changed"><thead><tr><th>changed by this event</th><th>old</th><th></th><th>new</th></tr></thead><tbody>
        ${changed.map(({ path, old, new: now }) => html`<tr><td class="mono">${path}</td><td class="mono">${written(old)}</td><td>→</td><td class="mono"><mark>${written(now)}</mark></td></tr>`)}
        </tbody></table>`;
}

function section(path, title, value, context) {
    const groups = Object.entries(value).filter(([, inner]) => inner !== null && typeof inner === 'object');
    const leaves = Object.entries(value).filter(([, inner]) => inner === null || typeof inner !== 'object');
    const rows = leaves.filter(([name, inner]) => context.fits(`${path}.${name}`, inner));
    const parts = groups.map(([name, inner]) => (Array.isArray(inner)
        ? list(`${path}.${name}`, name, inner, context)
        : section(`${path}.${name}`, `${title} ${name}`, inner, context)));
    if (rows.length === 0 && parts.every(part => part === nothing)) return nothing;
    return html`${rows.length > 0 ? html`<h3>${title}</h3><dl class=${path === 'registers' ? 'grid tight' : 'grid'}>${rows.map(([name, inner]) => row(`${path}.${name}`, name, inner, context))}</dl>` : nothing}${parts}`;
}

function row(path, name, value, { marks, seekTo }) {
    const change = marks.get(path);
    const target = seekTo(path);
    return html`<div class=${change ? 'changed' : ''} data-path=${path}><dt>${target
        ? html`<a href=${target} title="previous write of ${name}">${name}</a>` : name}</dt>
        <dd>${change ? html`<s>${written(change.old)}</s> → <mark>${written(value)}</mark>` : written(value)}</dd></div>`;
}

/** Lists: of MSRs in bitmaps, and whatever else a state may have. */
function list(path, title, items, { fits, marks }) {
    const named = items.map(item => (item && typeof item === 'object' && item.msr !== undefined
        ? [item.msr, `${item.read ? 'R' : '·'}${item.write ? 'W' : '·'}`]
        : [written(item), '']));
    const shown = named.filter(([name, value]) => fits(`${path}.${name}`, value || name));
    if (shown.length === 0) return nothing;
    return html`<h3>${path.startsWith('intercepts.') ? `${TITLES.intercepts}, bitmap ${path.split('.')[1]}` : title}</h3>
        <dl class="grid">${shown.map(([name, value]) => html`<div class=${[...marks.keys()].some(key => key === `${path}.${name}` || key.startsWith(`${path}.${name}.`)) ? 'changed' : ''}>
            <dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Guest and hardware side by side. */
function msrs(value, context) {
    const kinds = Object.keys(value).filter(kind => value[kind] !== null && typeof value[kind] === 'object');
    const names = [...new Set(kinds.flatMap(kind => Object.keys(value[kind])))];
    const rows = names.filter(name => kinds.some(kind => context.fits(`msrs.${kind}.${name}`, value[kind][name] ?? null)));
    if (rows.length === 0) return nothing;
    return html`<h3>MSRs</h3><table class="msrs"><thead><tr><th>MSR</th>${kinds.map(kind => html`<th>${kind}</th>`)}</tr></thead><tbody>
        ${rows.map(name => html`<tr><td>${link(name, `msrs.${kinds[0]}.${name}`, context)}</td>${kinds.map(kind => msr(`msrs.${kind}.${name}`, value[kind][name], context))}</tr>`)}</tbody></table>`;
}

function link(name, path, { seekTo }) {
    const target = seekTo(path);
    return target ? html`<a href=${target} title="previous write of ${name}">${name}</a>` : name;
}

function msr(path, value, { marks }) {
    const change = marks.get(path);
    if (change) return html`<td class="changed" data-path=${path}><s>${written(change.old)}</s> → <mark>${written(value)}</mark></td>`;
    return html`<td class=${value === undefined || zero(value) ? 'muted' : ''} data-path=${path}>${value === undefined ? '' : written(value)}</td>`;
}
