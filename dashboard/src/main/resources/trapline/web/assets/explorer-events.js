// Events as lines that lead to their places: the list around the cursor, causes and effects.
import { html, nothing } from '/lib/lit-html/lit-html.js';
import { count } from '/assets/format.js';
import { sessionPath } from '/assets/router.js';

export const placePath = (session, { vcpu, seq }, extra = {}) => sessionPath(session, { vcpu, seq, ...extra });

/** What an event says, without its type where the line begins with that. */
const words = ({ text = '', type }) => (text.startsWith(type) ? text.slice(type.length) : text).trim();

export function around(session, { around: events, place }, extra) {
    return html`<section id="around"><h2>Events of vCPU ${place.vcpu}</h2><div class="list">
        <table class="events"><thead><tr><th class="n">order</th><th class="n">seq</th><th class="n">op</th><th>event</th></tr></thead><tbody>
        ${events.map(event => html`<tr class="${event.order === place.order ? 'here' : ''} ${event.kind}" data-order=${event.order} data-cause=${event.cause}>
            <td class="n"><a href=${placePath(session, event, extra)}>${count(event.order)}</a></td><td class="n">${count(event.seq)}</td><td class="n">${count(event.op)}</td>
            <td class=${event.cause ? 'caused' : ''}><b>${event.type}</b> ${words(event)}</td></tr>`)}
        ${events.length === 0 ? html`<tr><td colspan="4" class="muted">This vCPU has no events.</td></tr>` : nothing}</tbody></table></div></section>`;
}

export function why(session, answer, extra) {
    const { event, causes, effects, effectsMore, guestOp, violations } = answer;
    if (!event) return html`<section id="why"><h2>Before the first event</h2><p class="muted">→ goes to the first one.</p></section>`;
    return html`<section id="why"><h2>This event</h2>
        <p class="event-line"><b>${event.type}</b> ${words(event)}</p>
        ${violations.map(one => html`<p class="error"><b>${one.rule}</b>: ${one.message}</p>`)}
        <dl class="grid">${flat(event.fields).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
        <h3>Why: what caused it</h3>
        <ol class="chain" id="causes">
            ${causes.map(cause => line(session, cause, extra))}
            ${guestOp && guestOp.order !== event.order ? html`<li><small>the guest's op, done as</small> ${link(session, guestOp, extra)}</li>` : nothing}
            ${causes.length === 0 && (!guestOp || guestOp.order === event.order) ? html`<li class="muted">${event.kind === 'observed' ? 'a trace tells no cause of it' : event.order === 0 ? '' : `nothing in the log: ${root(event)}`}</li>` : nothing}</ol>
        <h3>What it caused <small>${count(effects.length)}${effectsMore ? ' and more' : ''}</small></h3>
        <ol class="chain" id="effects">${effects.map(effect => line(session, effect, extra))}
            ${effects.length === 0 ? html`<li class="muted">nothing directly</li>` : nothing}</ol></section>`;
}

/** Fields by path. */
export function flat(fields, prefix = '') {
    return Object.entries(fields ?? {}).flatMap(([name, value]) => (value !== null && typeof value === 'object'
        ? flat(value, `${prefix}${name}.`)
        : [[prefix + name, String(value)]]));
}

const root = event => ({ guest: `the guest did it, op ${count(event.op)}`, input: 'it came from outside', hardware: `the processor did it at the guest's op ${count(event.op)}` }[event.kind]
    ?? 'the hypervisor did it by itself');

const line = (session, event, extra) => html`<li>${link(session, event, extra)}</li>`;

const link = (session, event, extra) =>
    html`<a href=${placePath(session, event, extra)} data-order=${event.order}><span class="n">${count(event.order)}</span> <b>${event.type}</b> ${words(event)}${extraVcpu(event)}</a>`;

const extraVcpu = event => html` <small>vCPU ${event.vcpu} #${count(event.seq)}</small>`;
