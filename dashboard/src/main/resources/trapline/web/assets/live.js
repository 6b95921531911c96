// The live view of one session.
import { html, nothing, render } from '/lib/lit-html/lit-html.js';
import { get, Latest, part } from '/assets/api.js';
import { draggable } from '/assets/drag.js';
import { clock, count, dateTime, duration, plural } from '/assets/format.js';
import { bind } from '/assets/keys.js';
import { LiveCharts } from '/assets/live-charts.js';
import { LiveSocket } from '/assets/live-socket.js';
import { LiveStore } from '/assets/live-store.js';
import { pair, SPANS, Stretch } from '/assets/live-stretch.js';
import { breakdown, interceptions, rangeTable, tiles, violations } from '/assets/live-tables.js';
import { Painter } from '/assets/painter.js';
import { diffPath, remember, sessionPath } from '/assets/router.js';

export class LivePage {
    #root;
    #session;
    #store = new LiveStore();
    #stretch;
    #painter;
    #socket;
    #charts = null;
    #endings = [];
    #status = { state: 'connecting' };
    #frozen = null;
    #range = null;
    #asking = new Latest();
    #files = null;
    #bounds = [0, 1];

    constructor(root, { session, query }) {
        this.#root = root;
        this.#session = session;
        this.#stretch = new Stretch(query);
        this.#painter = new Painter(() => this.#paint());
        document.title = `${session} live – Trapline`;
        this.#endings.push(bind('Live view', this.#keys()));
        this.#socket = new LiveSocket(session, frame => this.#framed(frame), status => this.#told(status));
        this.#picked(pair(query.get('range')));
        const ticking = setInterval(() => this.#painter.want(), 1000);
        this.#endings.push(() => clearInterval(ticking));
        this.#painter.now();
    }

    update({ query }) {
        this.#stretch.read(query);
        const range = pair(query.get('range'));
        if (String(range) !== String(this.#range?.asked ?? null)) this.#picked(range);
        this.#painter.now();
    }

    end() {
        this.#socket.close();
        this.#painter.end();
        this.#asking.cancel();
        this.#endings.forEach(end => end());
        this.#charts?.dispose();
    }

    #framed(frame) {
        this.#store.apply(frame);
        this.#painter.want();
    }

    #told(status) {
        this.#status = status;
        if (status.state === 'lost') this.#askWhy();
        this.#painter.want();
    }

    /** A viewer who is not let in would try for ever; where no frame ever came, the log may be of files and have nothing live. */
    async #askWhy() {
        try {
            const { live, log } = await get('/api/sessions');
            if (live !== false || this.#store.version > 0) return;
            this.#socket.close();
            this.#files = log;
        } catch (failure) {
            // Where the server is away, the connection says so.
            if (failure.status !== 401) return;
            this.#socket.close();
            this.#status = { state: 'refused', why: failure.message };
        }
        this.#painter.now();
    }

    #keys() {
        const move = share => () => this.#change(bounds => this.#stretch.move(bounds, share * (bounds[1] - bounds[0])));
        const zoom = factor => () => this.#change(bounds => this.#stretch.zoom(bounds, factor));
        return [
            { keys: ['p', ' '], does: 'pause the picture, and go on', run: () => this.#pause() },
            { keys: ['+', '='], does: 'zoom in', run: zoom(0.5) },
            { keys: ['-'], does: 'zoom out', run: zoom(2) },
            { keys: ['ArrowLeft'], does: 'earlier', run: move(-0.25) },
            { keys: ['ArrowRight'], does: 'later', run: move(0.25) },
            { keys: ['f'], does: 'follow the newest', run: () => this.#change(() => this.#stretch.follow(SPANS[1][0])) },
            { keys: ['a'], does: 'show all there is', run: () => this.#change(() => this.#stretch.follow(0)) },
            { keys: ['z'], does: 'zoom to the picked range', run: () => this.#range && this.#change(() => this.#stretch.show(...this.#range.asked)) },
            { keys: ['Escape'], does: 'clear the picked range', run: () => this.#pick(null) },
            { keys: ['x'], does: 'explore this session', run: () => this.#root.querySelector('#explore')?.click() },
            { keys: ['d'], does: 'diff this session', run: () => this.#root.querySelector('#diff')?.click() },
        ];
    }

    #change(how) {
        how(this.#bounds);
        this.#painter.now();
    }

    #pause() {
        const { sessions, seams } = this.#store;
        if (!this.#frozen && !sessions.has(this.#session)) return;
        this.#frozen = this.#frozen ? null : {
            session: sessions.get(this.#session),
            windows: [...this.#store.of(this.#session)],
            seams: [...seams],
            at: this.#store.time(),
            end: this.#end(sessions.get(this.#session)),
        };
        this.#painter.now();
    }

    #pick(range) {
        remember({ range: range ? range.map(Math.round).join('-') : null });
        this.#picked(range ? range.map(Math.round) : null);
    }

    /** Asks for the exact numbers of a range. */
    async #picked(range) {
        this.#asking.cancel();
        this.#range = range ? { asked: range, answer: null, error: null } : null;
        this.#painter.now();
        if (!range) return;
        const mine = this.#range;
        try {
            const path = `/api/live/${part(this.#session)}/range?from=${range[0]}&to=${range[1]}`;
            mine.answer = await this.#asking.ask(signal => get(path, signal)) ?? null;
        } catch (failure) {
            mine.error = failure.message;
        }
        this.#painter.now();
    }

    #end(session) {
        if (!session) return this.#store.time();
        const last = this.#store.of(this.#session).at(-1);
        const told = Math.max(session.newest ?? session.created, last ? last.begin + last.millis : 0);
        return session.status === 'open' ? Math.max(told, this.#store.time()) : told;
    }

    #paint() {
        const live = this.#store.sessions.get(this.#session);
        const session = this.#frozen?.session ?? live;
        render(this.#page(session, live), this.#root);
        if (!session) return null;
        if (!this.#charts) this.#startCharts();
        const windows = this.#frozen?.windows ?? partial(this.#store.of(this.#session), session);
        const begin = Math.min(session.begin ?? session.created, windows[0]?.begin ?? Infinity);
        this.#bounds = this.#stretch.bounds(begin, this.#frozen?.end ?? this.#end(session), session.status === 'open');
        this.#charts.draw({
            windows,
            from: this.#bounds[0],
            to: this.#bounds[1],
            open: session.status === 'open',
            seams: this.#frozen?.seams ?? this.#store.seams,
            selected: this.#range ? (this.#range.answer ? [this.#range.answer.from, this.#range.answer.to] : this.#range.asked) : null,
        });
        return this.#frozen ? null : { version: this.#store.version, newest: this.#store.takeNewest(), ahead: this.#store.ahead };
    }

    #startCharts() {
        this.#charts = new LiveCharts(this.#root);
        for (const chart of this.#charts.all()) {
            this.#endings.push(draggable(chart.element, {
                at: event => chart.at(event),
                pick: (from, to) => this.#pick([from, to]),
                zoom: (factor, x) => this.#change(bounds => this.#stretch.zoom(bounds, factor, x)),
                move: (by, share) => this.#change(bounds => this.#stretch.move(bounds, by ?? share * (bounds[1] - bounds[0]))),
            }));
        }
    }

    #page(session, live) {
        if (!session) return this.#nothingYet();
        const rate = live?.status === 'open' ? lastRate(this.#store.of(this.#session), this.#store.time()) : null;
        return html`
            <div class="head"><h1 class="mono">${session.session}</h1> ${status(session)}
                <span>${session.guest} <small>(${session.guestKind})</small></span>
                ${session.policy ? html`<span><small>policy</small> <span class="mono">${session.policy}</span></span>` : nothing}
                ${session.platform ? html`<span><small>on</small> ${session.platform}</span>` : nothing}
                <span>${plural(session.vcpus, 'vCPU')}</span> <span><small>since</small> ${dateTime(session.begin ?? session.created)}</span>
                <nav><a id="explore" href=${sessionPath(session.session)}>explore</a> <a id="diff" href=${diffPath(session.session)}>diff</a></nav></div>
            ${session.complete === false ? html`<p class="notice">The exits topic no longer has this session's oldest exits: totals are of those that are left. trapline stat ${session.session} counts all.</p>` : nothing}
            ${tiles(session, rate)}
            ${this.#controls(live)}
            <div class="charts">
                ${chart('reasons', 'Exits by reason', 'exits/s, stacked')}
                ${chart('msrs', 'Exits by MSR', 'exits/s, stacked')}
                ${chart('vcpus', 'Exits by vCPU', 'exits/s, stacked')}
                ${chart('times', 'From exit to entry', session.time ? `${session.time.unit}, ${session.time.source}` : 'no times: nothing timed yet')}
            </div>
            ${this.#range ? rangeTable(this.#range, () => this.#pick(null)) : nothing}
            <div class="columns">${interceptions(session)} ${violations(session)}</div>
            <section><h2>All exits <small>${count(session.totals.exits)} VM exits</small></h2>${breakdown(session.totals)}</section>`;
    }

    #controls(live) {
        const { lag, brokerErrors, unreadable, caughtUp } = this.#store;
        const chosen = this.#stretch.fixed ? null : this.#stretch.span ?? (live?.status === 'open' ? 300 : 0);
        return html`<div class="controls">
            <span class="buttons">${SPANS.map(([seconds, name]) => html`<button class=${chosen === seconds ? 'on' : ''}
                @click=${() => this.#change(() => this.#stretch.follow(seconds))}>${name}</button>`)}</span>
            ${this.#stretch.fixed ? html`<span class="tag">${clock(this.#bounds[0])} – ${clock(this.#bounds[1])}, not following: f follows</span>` : nothing}
            <button id="pause" class=${this.#frozen ? 'on' : ''} @click=${() => this.#pause()}>${this.#frozen ? 'go on (p)' : 'pause (p)'}</button>
            ${this.#frozen ? html`<span class="tag warn" id="paused">paused at ${clock(this.#frozen.at)}, ${count((live?.totals.exits ?? 0) - this.#frozen.session.totals.exits)} exits since</span>` : nothing}
            <small>drag picks a range, wheel zooms</small>
            <span class="right" id="connection">${connection(this.#status)}
                ${caughtUp ? html`<span title="records of the topic that are not counted yet">lag ${count(lag.records)} records, ${duration(lag.millis)}</span>`
                    : html`<span class="tag warn">catching up: ${count(lag.records)} records to read</span>`}
                ${brokerErrors > 0 ? html`<span class="bad">${plural(brokerErrors, 'broker error')}</span>` : nothing}
                ${unreadable > 0 ? html`<span class="bad">${plural(unreadable, 'unreadable record')}</span>` : nothing}</span></div>`;
    }

    #nothingYet() {
        if (this.#files) {
            return html`<p class="empty">The log ${this.#files} is of files, so nothing of it is live: session <b class="mono">${this.#session}</b> is in the
                <a href=${sessionPath(this.#session)}>explorer</a>. Brokers are watched with <code>trapline serve --log embedded:.trapline</code> or <code>--log kafka:HOST:PORT</code>.</p>`;
        }
        if (this.#store.version === 0) {
            return html`<p class="empty">${this.#status.state === 'connecting' ? `asking for ${this.#session}…` : connection(this.#status)}</p>`;
        }
        return html`<div class="empty"><p>The exits topic has nothing of session <b class="mono">${this.#session}</b>: it keeps exits for a week, and only brokers have it.</p>
            <p>All sessions are <a href="/">listed here</a>; its events, if its log has them, are in the <a href=${sessionPath(this.#session)}>explorer</a>.
            A new one starts with <code>trapline record --guest ssbd-per-task</code>.</p></div>`;
    }
}

const chart = (name, title, unit) =>
    html`<figure><figcaption>${title} <small>${unit}</small></figcaption><div class="chart" data-chart=${name}></div>
        <div class="legend" data-legend=${name}></div></figure>`;

export const status = ({ status: state, imported }) =>
    html`<span class="tag ${state}">${state}</span>${imported ? html` <span class="tag">imported</span>` : nothing}`;

export function connection({ state, why, again }) {
    if (state === 'connected') return html`<span class="tag open">connected</span>`;
    if (state === 'connecting') return html`<span class="tag">connecting…</span>`;
    if (state === 'refused') return html`<span class="tag bad">${why}</span>`;
    return html`<span class="tag bad">${why}; trying again ${again > Date.now() ? `in ${Math.ceil((again - Date.now()) / 1000)} s` : 'now'}</span>`;
}

/** The newest window of an open session is not over: its rate is over what has passed of it. */
function partial(windows, session) {
    const last = windows.at(-1);
    if (!last || session.status !== 'open') return windows;
    const passed = Math.max((session.newest ?? 0) - last.begin, 0);
    if (passed >= last.millis) return windows;
    if (passed < 200 && windows.length > 1) return windows.slice(0, -1);
    return [...windows.slice(0, -1), { ...last, millis: Math.max(passed, 1) }];
}

/** Exits a second over the newest whole window. */
function lastRate(windows, now) {
    for (let at = windows.length - 1; at >= 0; at--) {
        const { begin, millis, exits } = windows[at];
        if (now < begin + millis) continue;
        return now > begin + 3 * millis + 2000 ? 0 : (1000 * exits) / millis;
    }
    return null;
}
