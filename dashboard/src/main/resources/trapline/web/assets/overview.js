// All sessions of the log, with what is live of them.
import { html, nothing, render } from '/lib/lit-html/lit-html.js';
import { repeat } from '/lib/lit-html/directives/repeat.js';
import { get } from '/assets/api.js';
import { count, dateTime, duration, figure, plural } from '/assets/format.js';
import { bind } from '/assets/keys.js';
import { connection, status } from '/assets/live.js';
import { LiveSocket } from '/assets/live-socket.js';
import { LiveStore } from '/assets/live-store.js';
import { Painter } from '/assets/painter.js';
import { diffPath, go, livePath, remember, sessionPath } from '/assets/router.js';

const SHOWN = 500;
const REFRESH = 5000;

export class OverviewPage {
    #root;
    #store = new LiveStore();
    #painter;
    #socket = null;
    #listed = null;
    #error = null;
    #status = { state: 'connecting' };
    #filter;
    #chosen = 0;
    #rates = new Map();
    #endings = [];
    #loading = false;
    #ended = false;

    constructor(root, { query }) {
        this.#root = root;
        this.#filter = query.get('filter') ?? '';
        document.title = 'Trapline';
        this.#painter = new Painter(() => this.#paint());
        this.#endings.push(bind('Sessions', this.#keys()));
        const refreshing = setInterval(() => document.hidden || this.#load(), REFRESH);
        this.#endings.push(() => clearInterval(refreshing));
        this.#load();
    }

    update({ query }) {
        this.#filter = query.get('filter') ?? '';
        this.#painter.now();
    }

    end() {
        this.#ended = true;
        this.#socket?.close();
        this.#painter.end();
        this.#endings.forEach(end => end());
    }

    #keys() {
        const chosen = () => this.#rows()[this.#chosen]?.session;
        const open = path => () => chosen() && go(path(chosen()));
        const step = by => () => {
            this.#chosen = Math.max(0, Math.min(this.#rows().length - 1, this.#chosen + by));
            this.#painter.now();
            requestAnimationFrame(() => this.#root.querySelector('tr.chosen')?.scrollIntoView({ block: 'nearest' }));
        };
        return [
            { keys: ['j', 'ArrowDown'], does: 'next session', run: step(1) },
            { keys: ['k', 'ArrowUp'], does: 'previous session', run: step(-1) },
            { keys: ['Enter', 'l'], does: 'watch the chosen one', run: open(livePath) },
            { keys: ['x'], does: 'explore the chosen one', run: open(sessionPath) },
            { keys: ['d'], does: 'diff the chosen one', run: open(diffPath) },
            { keys: ['/'], does: 'filter', run: () => this.#root.querySelector('#filter')?.focus() },
        ];
    }

    async #load() {
        if (this.#loading) return;
        this.#loading = true;
        try {
            this.#listed = await get('/api/sessions');
            this.#error = null;
            this.#watch();
        } catch (failure) {
            this.#error = failure.message;
        }
        this.#loading = false;
        this.#painter.want();
    }

    /** A log of files has nothing live. */
    #watch() {
        if (this.#socket || this.#ended || this.#listed.live === false) return;
        this.#socket = new LiveSocket(null, frame => this.#framed(frame), told => this.#told(told));
    }

    #framed(frame) {
        this.#store.apply(frame);
        for (const { session, totals } of frame.sessions ?? []) this.#rated(session, totals.exits, frame.now);
        const known = new Set((this.#listed?.sessions ?? []).map(row => row.session));
        if (this.#listed && (frame.sessions ?? []).some(({ session }) => !known.has(session))) this.#load();
        this.#painter.want();
    }

    /** Exits a second between the frames of the last two seconds. */
    #rated(session, exits, now) {
        const seen = this.#rates.get(session) ?? [];
        seen.push({ exits, now });
        while (seen.length > 2 && seen[1].now < now - 2000) seen.shift();
        this.#rates.set(session, seen);
    }

    #rate(session) {
        const seen = this.#rates.get(session);
        if (!seen || seen.length < 2 || seen.at(-1).now < this.#store.time() - 4000) return null;
        return (1000 * (seen.at(-1).exits - seen[0].exits)) / Math.max(1, seen.at(-1).now - seen[0].now);
    }

    #told(told) {
        this.#status = told;
        this.#painter.want();
    }

    /** What the log lists and what only the exits topic has, newest first. */
    #rows() {
        const rows = (this.#listed?.sessions ?? []).map(row => ({ ...row, live: this.#store.sessions.get(row.session) }));
        const listed = new Set(rows.map(row => row.session));
        for (const live of this.#store.sessions.values()) {
            if (!listed.has(live.session)) {
                rows.push({ session: live.session, createdMillis: live.created, status: live.status, imported: live.imported, guest: live.guest,
                    cpu: live.platform, policy: live.policy, vcpus: live.vcpus, events: null, live });
            }
        }
        rows.sort((a, b) => b.createdMillis - a.createdMillis || (a.session < b.session ? 1 : -1));
        const words = this.#filter.toLowerCase().split(/\s+/).filter(Boolean);
        return rows.filter(row => {
            const text = [row.session, row.guest, row.policy, row.cpu, row.status, row.imported ? 'imported' : ''].join(' ').toLowerCase();
            return words.every(word => text.includes(word));
        });
    }

    #paint() {
        const rows = this.#rows();
        render(this.#page(rows), this.#root);
        return { version: this.#store.version, newest: this.#store.takeNewest(), ahead: this.#store.ahead };
    }

    #page(rows) {
        const open = rows.filter(row => (row.live?.status ?? row.status) === 'open').length;
        return html`<div class="head"><h1>Sessions</h1>
            ${this.#listed ? html`<span class="mono">${this.#listed.log}</span>` : nothing}
            <span>${plural(rows.length, 'session')}, ${count(open)} open</span>
            <input id="filter" type="search" placeholder="filter  /" spellcheck="false" aria-label="filter sessions" .value=${this.#filter} @input=${event => this.#filtered(event.target.value)}>
            <span class="right" id="connection">${this.#listed?.live === false ? nothing : connection(this.#status)} ${this.#lag()}</span></div>
            ${this.#error ? html`<p class="error">${this.#error}</p>` : nothing}
            ${(this.#listed?.damaged ?? []).map(text => html`<p class="error">${text}</p>`)}
            ${open === 0 && this.#listed?.live ? html`<p class="empty">No session is open. One starts with <code>trapline record --guest ssbd-per-task --log ${this.#listed.log}</code>,
                a trace with <code>trapline import --follow /sys/kernel/tracing/trace_pipe --log ${this.#listed.log}</code>; it is listed here at once.</p>` : nothing}
            ${this.#listed?.live === false ? html`<p class="empty">This log is of files: nothing can be watched live. <code>trapline serve --log embedded:.trapline</code> or <code>--log kafka:HOST:PORT</code> can.</p>` : nothing}
            ${rows.length > 0 ? this.#table(rows) : this.#listed ? nothing : html`<p class="muted">asking…</p>`}`;
    }

    #table(rows) {
        this.#chosen = Math.min(this.#chosen, rows.length - 1);
        return html`<table class="data sessions"><thead><tr><th>session</th><th>status</th><th>guest</th><th>policy</th><th>platform</th><th class="n">vCPUs</th>
            <th class="n">events</th><th class="n">VM exits</th><th class="n">exits/s</th><th class="n">violations</th><th>created</th><th></th></tr></thead>
            <tbody>${repeat(rows.slice(0, SHOWN), row => row.session, (row, index) => this.#row(row, index === this.#chosen))}</tbody></table>
            ${rows.length > SHOWN ? html`<p class="muted">… ${count(rows.length - SHOWN)} older ones: filter for them</p>` : nothing}`;
    }

    #row(row, chosen) {
        const { live, session } = row;
        const state = { status: live?.status === 'open' && row.status !== 'closed' ? 'open' : row.status, imported: row.imported };
        const rate = this.#rate(session);
        return html`<tr class=${chosen ? 'chosen' : ''} data-session=${session}><td><a class="mono" href=${live ? livePath(session) : sessionPath(session)}>${session}</a></td>
            <td>${status(state)}</td><td>${row.guest}</td><td class="mono wrap">${row.policy || '–'}</td><td>${row.cpu || '–'}</td><td class="n">${count(row.vcpus)}</td>
            <td class="n">${row.events === null || state.status === 'open' ? '' : count(row.events)}</td><td class="n" data-key="exits">${live ? count(live.totals.exits) : ''}</td>
            <td class="n">${rate === null ? '' : figure(rate)}</td><td class="n ${live?.totals.violations > 0 ? 'bad' : ''}">${live ? count(live.totals.violations) : ''}</td>
            <td class="mono nowrap">${dateTime(row.createdMillis)}</td>
            <td class="nowrap">${live ? html`<a href=${livePath(session)}>live</a> ` : nothing}<a href=${sessionPath(session)}>explore</a> <a href=${diffPath(session)}>diff</a></td></tr>`;
    }

    #lag() {
        const { caughtUp, lag, brokerErrors, unreadable } = this.#store;
        if (this.#store.version === 0) return nothing;
        return html`${caughtUp ? html`lag ${count(lag.records)} records, ${duration(lag.millis)}` : html`<span class="tag warn">catching up: ${count(lag.records)} records to read</span>`}
            ${brokerErrors > 0 ? html`<span class="bad">${plural(brokerErrors, 'broker error')}</span>` : nothing}
            ${unreadable > 0 ? html`<span class="bad">${plural(unreadable, 'unreadable record')}</span>` : nothing}`;
    }

    #filtered(text) {
        this.#filter = text;
        this.#chosen = 0;
        remember({ filter: text });
        this.#painter.now();
    }
}
