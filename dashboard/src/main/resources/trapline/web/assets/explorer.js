// The explorer of one session: timeline, cursor, state, causes.
import { html, nothing, render } from '/lib/lit-html/lit-html.js';
import { get, Latest, part } from '/assets/api.js';
import { draggable } from '/assets/drag.js';
import { around, placePath, why } from '/assets/explorer-events.js';
import { statePanel } from '/assets/explorer-state.js';
import { mapRow, reasonsOf, rowsOf } from '/assets/explorer-timeline.js';
import { count, dateTime, percent, plural } from '/assets/format.js';
import { bind } from '/assets/keys.js';
import { Lanes } from '/assets/lanes.js';
import { reasonLegend } from '/assets/legend.js';
import { status } from '/assets/live.js';
import { pair } from '/assets/live-stretch.js';
import { diffPath, go, livePath, place as here, remember } from '/assets/router.js';

const FIRST_VIEW = 400;
const NARROWEST = 12;
const INDEXING = 400;
const AGAIN = 5000;

/** Of so many events a timeline is as quick as the index. */
const SMALL = 20_000;

export class ExplorerPage {
    #root;
    #id;
    #path;
    #info = null;
    #error = null;
    #answer = null;
    #vcpu = 0;
    #seq = 0;
    #view = null;
    #timeline = null;
    #map = null;
    #target = '';
    #seeking = null;
    #readout = '';
    #filter = '';
    #zeros = false;
    #lanes = null;
    #mapLanes = null;
    #asking = new Latest();
    #searching = new Latest();
    /** The place to ask for once the one under way is answered: `{ where, step }`. */
    #wish = null;
    #going = false;
    #drawing = new Latest();
    #endings = [];
    #timers = new Set();
    #ended = false;
    #scheduled = false;

    constructor(root, { session, query }) {
        this.#root = root;
        this.#id = session;
        this.#path = `/api/sessions/${part(session)}`;
        document.title = `${session} – Trapline`;
        this.#endings.push(bind('Explorer', this.#keys()));
        this.#read(query);
        this.#paint();
        this.#start(query);
    }

    async #start(query) {
        try {
            this.#info = await get(this.#path);
        } catch (failure) {
            this.#error = failure.message;
            this.#paint();
            return;
        }
        if (this.#ended) return;
        this.#mapSoon();
        await this.#goTo(query);
    }

    update({ query }) {
        const before = String(this.#view);
        this.#read(query);
        if (!this.#info) return;
        if (String(this.#view) !== before) this.#load();
        this.#goTo(query);
    }

    end() {
        this.#ended = true;
        this.#asking.cancel();
        this.#searching.cancel();
        this.#drawing.cancel();
        this.#timers.forEach(clearTimeout);
        this.#endings.forEach(end => end());
        this.#lanes?.dispose();
        this.#mapLanes?.dispose();
    }

    #read(query) {
        this.#view = pair(query.get('view')) ?? this.#view;
        this.#target = query.get('to') ?? this.#target;
        this.#filter = query.get('filter') ?? this.#filter;
    }

    #keys() {
        const seek = (dir, to) => () => this.#seek(dir, to());
        const wanted = () => this.#target || (this.#root.querySelector('#target')?.focus(), '');
        return [
            { keys: ['ArrowRight'], does: 'next event of this vCPU', run: () => this.#step(1) },
            { keys: ['ArrowLeft'], does: 'previous event of this vCPU', run: () => this.#step(-1) },
            { keys: ['Shift+ArrowRight', 'x'], does: 'next exit', run: seek('next', () => 'exit') },
            { keys: ['Shift+ArrowLeft', 'X'], does: 'previous exit', run: seek('previous', () => 'exit') },
            { keys: ['n'], does: 'next of the chosen field, MSR or condition', run: seek('next', wanted) },
            { keys: ['N', 'p'], does: 'previous of it', run: seek('previous', wanted) },
            { keys: ['m'], does: 'choose a field, MSR or condition', run: () => this.#root.querySelector('#target')?.focus() },
            { keys: ['e'], does: 'next entry', run: seek('next', () => 'entry') },
            { keys: ['E'], does: 'previous entry', run: seek('previous', () => 'entry') },
            { keys: ['v'], does: 'next violation', run: seek('next', () => 'violation') },
            { keys: ['V'], does: 'previous violation', run: seek('previous', () => 'violation') },
            { keys: ['ArrowDown', 'j'], does: 'next vCPU, at the same time', run: () => this.#switch(1) },
            { keys: ['ArrowUp', 'k'], does: 'previous vCPU', run: () => this.#switch(-1) },
            { keys: ['c'], does: 'go to what caused this event', run: () => this.#root.querySelector('#causes a')?.click() },
            { keys: ['g'], does: 'jump to an event', run: () => this.#root.querySelector('#jump')?.focus() },
            { keys: ['Home'], does: 'first event of this vCPU', run: () => this.#ask({ vcpu: this.#vcpu, seq: 1 }) },
            { keys: ['End'], does: 'last event of this vCPU', run: () => this.#ask({ vcpu: this.#vcpu, seq: 'end' }) },
            { keys: ['PageDown'], does: '20 events on', run: () => this.#step(20) },
            { keys: ['PageUp'], does: '20 events back', run: () => this.#step(-20) },
            { keys: ['+', '='], does: 'zoom in', run: () => this.#zoom(0.5) },
            { keys: ['-'], does: 'zoom out', run: () => this.#zoom(2) },
            { keys: ['a'], does: 'the whole session', run: () => this.#show(0, this.#info.events) },
            { keys: ['/'], does: 'filter the state', run: () => this.#root.querySelector('#state-filter')?.focus() },
            { keys: ['0'], does: 'with or without zeros', run: () => this.#later(() => (this.#zeros = !this.#zeros)) },
            { keys: ['Escape'], does: 'stop a search', run: () => this.#stop() },
            { keys: ['l'], does: 'live view', run: () => go(livePath(this.#id)) },
            { keys: ['d'], does: 'diff', run: () => go(diffPath(this.#id)) },
        ];
    }

    #goTo(query) {
        if (query.has('order')) return this.#ask({ order: query.get('order'), ...(query.has('vcpu') ? { vcpu: query.get('vcpu') } : {}) });
        const vcpu = query.get('vcpu') ?? this.#info.vcpus.find(one => one.events > 0)?.vcpu ?? 0;
        const before = query.get('seek');
        if (before) return this.#seekFrom(Number(query.get('from')), 'previous', before, Number(vcpu));
        return this.#ask({ vcpu, seq: query.get('seq') ?? 1 });
    }

    #step(by) {
        if (!this.#info) return;
        const last = this.#info.vcpus.find(one => one.vcpu === this.#vcpu)?.events ?? Infinity;
        const seq = Math.max(0, this.#info.status === 'open' ? this.#seq + by : Math.min(last, this.#seq + by));
        if (seq === this.#seq) return;
        this.#seq = seq;
        this.#ask({ vcpu: this.#vcpu, seq }, true);
    }

    #switch(by) {
        const all = this.#info?.vcpus.map(one => one.vcpu) ?? [];
        const next = all[all.indexOf(this.#vcpu) + by];
        if (next !== undefined && this.#answer) this.#ask({ order: this.#answer.place.order, vcpu: next });
    }

    /** Shows a place, `{ vcpu, seq }` or `{ order, vcpu? }`, instead of what is being looked for. */
    #ask(where, step = false) {
        this.#stop();
        return this.#reach(where, step);
    }

    /** One question at a time, and of those that come meanwhile only the newest: the server carries out aborted ones too. */
    async #reach(where, step = false) {
        this.#wish = { where, step };
        if (this.#going) return;
        this.#going = true;
        while (this.#wish && !this.#ended) {
            const next = this.#wish.where;
            this.#wish = null;
            await this.#place(next);
        }
        this.#going = false;
    }

    /** While steps go on, each answer is shown but the count of steps stays; before any other wish it is dropped. */
    async #place(where) {
        const query = Object.entries(where).map(([name, value]) => `${name}=${part(value)}`).join('&');
        try {
            const answer = await this.#asking.ask(signal => get(`${this.#path}/at?${query}`, signal));
            if (!answer || this.#ended || (this.#wish && !this.#wish.step)) return;
            this.#answer = answer;
            this.#error = null;
            const { vcpu, seq, order } = answer.place;
            if (!this.#wish) [this.#vcpu, this.#seq] = [vcpu, seq];
            remember({ vcpu, seq, order: null, seek: null, from: null });
            this.#keepInView(order);
        } catch (failure) {
            if (this.#wish) return;
            this.#error = failure.message;
            if (this.#answer) ({ vcpu: this.#vcpu, seq: this.#seq } = this.#answer.place);
        }
        this.#paint();
    }

    #seek(dir, to) {
        if (this.#seeking?.dir === dir && this.#seeking.to === to) return;
        if (to && this.#answer) this.#seekFrom(this.#answer.place.order, dir, to, this.#vcpu);
    }

    #stop() {
        if (!this.#seeking) return;
        this.#searching.cancel();
        this.#later(() => (this.#seeking = null));
    }

    /** Searches as long as the server says that there is more; Esc, another search or going elsewhere ends it. */
    async #seekFrom(from, dir, to, vcpu) {
        const mine = { dir, to, at: from };
        this.#searching.cancel();
        this.#wish = null;
        this.#later(() => (this.#seeking = mine));
        try {
            while (this.#seeking === mine) {
                const query = `order=${mine.at}&vcpu=${vcpu}&dir=${dir}&to=${part(to)}`;
                const found = await this.#searching.ask(signal => get(`${this.#path}/seek?${query}`, signal));
                if (!found || this.#seeking !== mine) break;
                if (found.place) {
                    await this.#reach({ vcpu: found.place.vcpu, seq: found.place.seq });
                    break;
                }
                if (!found.more) {
                    if (!this.#answer) await this.#reach({ order: from, vcpu });
                    this.#error = `no ${dir} ${to} of vCPU ${vcpu} from event ${count(from)}`;
                    break;
                }
                this.#later(() => (mine.at = found.searchedTo));
            }
        } catch (failure) {
            this.#error = failure.message;
        }
        this.#later(() => (this.#seeking = this.#seeking === mine ? null : this.#seeking));
    }

    /** The view moves only when the cursor would leave it. */
    #keepInView(order) {
        const last = this.#info.events;
        if (!this.#view) {
            const half = Math.min(FIRST_VIEW, Math.max(NARROWEST, last)) / 2;
            const from = Math.max(0, Math.min(order - half, last - 2 * half));
            this.#setView(from, from + 2 * half);
        } else if (order < this.#view[0] || order > this.#view[1]) {
            const length = this.#view[1] - this.#view[0];
            this.#setView(order - length / 2, order + length / 2);
        } else if (!this.#timeline) {
            this.#load();
        }
    }

    #zoom(factor, around) {
        if (!this.#view) return;
        const [from, to] = this.#view;
        const middle = around ?? this.#answer?.place.order ?? (from + to) / 2;
        const length = (to - from) * factor;
        const share = Math.min(1, Math.max(0, (middle - from) / (to - from)));
        this.#show(middle - share * length, middle + (1 - share) * length);
    }

    #show(from, to) {
        if (this.#info) this.#setView(from, to);
    }

    #setView(from, to) {
        const last = Math.max(NARROWEST, this.#info.events);
        const length = Math.max(NARROWEST, Math.min(last, to - from));
        const begin = Math.round(Math.max(0, Math.min(last - length, from)));
        this.#view = [begin, Math.round(begin + length)];
        remember({ view: this.#view.join('-') });
        this.#load();
        this.#paint();
    }

    async #load() {
        const [from, to] = this.#view;
        try {
            const px = Math.max(300, Math.round(this.#root.clientWidth - 180));
            const answer = await this.#drawing.ask(signal => get(`${this.#path}/timeline?from=${from}&to=${to}&px=${px}`, signal));
            if (!answer || this.#ended) return;
            this.#timeline = answer;
            if ((answer.ready ?? 1) < 1) this.#after(INDEXING, () => this.#load());
        } catch (failure) {
            this.#error = failure.message;
        }
        this.#paint();
    }

    /** The small map, until it is whole; of an open session again and again, with how long that is by now. */
    async #mapSoon(again = false) {
        if (this.#ended) return;
        if (document.hidden) {
            document.addEventListener('visibilitychange', () => this.#mapSoon(again), { once: true });
            return;
        }
        try {
            if (again && this.#info.status === 'open') this.#info = await get(this.#path);
            this.#map = await get(this.#path + (this.#info.events <= SMALL ? `/timeline?from=0&to=${this.#info.events}&px=600` : '/minimap'));
            if (this.#ended) return;
            const whole = (this.#map.ready ?? 1) >= 1;
            if (!whole || this.#info.status === 'open') this.#after(whole ? AGAIN : INDEXING, () => this.#mapSoon(true));
        } catch {
            this.#after(AGAIN, () => this.#mapSoon(true));
        }
        this.#paint();
    }

    #after(millis, run) {
        const timer = setTimeout(() => {
            this.#timers.delete(timer);
            if (!this.#ended) run();
        }, millis);
        this.#timers.add(timer);
    }

    #later(change) {
        change();
        this.#paint();
    }

    #paint() {
        if (this.#scheduled || this.#ended) return;
        this.#scheduled = true;
        requestAnimationFrame(() => {
            this.#scheduled = false;
            if (!this.#ended) this.#draw();
        });
    }

    #draw() {
        render(this.#page(), this.#root);
        if (!this.#info) return;
        if (!this.#lanes) this.#startLanes();
        const order = this.#answer?.place.order ?? null;
        if (this.#map) this.#drawMap(order);
        if (this.#timeline) {
            this.#lanes.draw(rowsOf(this.#timeline, this.#vcpu), ...this.#view);
            this.#lanes.chart.cross(order, 'cursor');
        }
        const table = this.#root.querySelector('.list');
        const row = this.#root.querySelector('#around tr.here');
        if (table && row) table.scrollTop = row.offsetTop - table.clientHeight / 2;
        window.traplineExplored = { order, view: this.#view };
    }

    #drawMap(order) {
        const last = Math.max(NARROWEST, this.#info.events);
        const { bars, marks } = mapRow({ ...this.#map, from: 0, to: last });
        const runs = marks.map(mark => ({ from: mark, to: mark, least: 2, fill: 'even' }));
        this.#mapLanes.draw([
            { label: 'whole session', height: 26, bars },
            { label: runs.length > 0 ? 'violations' : '', height: 3, runs },
        ], 0, last);
        this.#mapLanes.chart.cross(order, 'cursor');
        const box = this.#root.querySelector('#map .window');
        const [from, to] = this.#view ?? [0, last];
        box.style.left = `${this.#mapLanes.chart.pixel(from)}px`;
        box.style.width = `${Math.max(2, this.#mapLanes.chart.pixel(to) - this.#mapLanes.chart.pixel(from))}px`;
        box.style.display = 'block';
    }

    #startLanes() {
        this.#lanes = new Lanes(this.#root.querySelector('#timeline .lanes'));
        this.#mapLanes = new Lanes(this.#root.querySelector('#map .lanes'));
        this.#lanes.onRecolour = this.#mapLanes.onRecolour = () => this.#paint();
        const box = document.createElement('div');
        box.className = 'window';
        this.#root.querySelector('#map .lanes').append(box);
        const { chart } = this.#lanes;
        this.#endings.push(draggable(chart.element, {
            at: event => chart.at(event),
            pick: (from, to) => this.#show(from, to),
            zoom: (factor, x) => this.#zoom(factor, x),
            move: (by, share) => this.#view && this.#show(...this.#view.map(x => x + (by ?? share * (this.#view[1] - this.#view[0])))),
            click: (x, event) => this.#clicked(event),
        }));
        this.#endings.push(draggable(this.#mapLanes.chart.element, {
            at: event => this.#mapLanes.chart.at(event),
            pick: (from, to) => this.#show(from, to),
            zoom: (factor, x) => this.#zoom(factor, x),
            move: () => {},
            click: x => this.#ask({ order: Math.max(1, Math.min(this.#info.events, Math.round(x))) }),
        }));
        chart.element.addEventListener('pointermove', event => {
            const { run, x } = this.#lanes.hit(event);
            chart.cross(run ? x : null);
            this.#say(run?.info ?? '');
        });
        chart.element.addEventListener('pointerleave', () => {
            chart.cross(null);
            this.#say('');
        });
    }

    #say(text) {
        this.#readout = text;
        const element = this.#root.querySelector('#readout');
        if (element) element.textContent = text || this.#hint();
    }

    #hint() {
        return 'click goes there, drag zooms, wheel zooms, Shift and wheel moves';
    }

    #clicked(event) {
        const { x, row, run } = this.#lanes.hit(event);
        if (!this.#info) return;
        const order = Math.max(0, Math.min(this.#info.events, Math.floor(x)));
        if (run?.violation || (run?.seq > 0 && row.exact && run.to - run.from > 0 && x - run.from < 1)) {
            this.#ask({ vcpu: row.vcpu, seq: run.seq });
        } else {
            this.#ask({ order, vcpu: row?.vcpu ?? this.#vcpu });
        }
    }

    /** A link to the write of a field or an MSR before this place. */
    #seekTo(path) {
        const [kind, ...rest] = path.split('.');
        const name = rest.at(-1);
        const target = { msrs: `msr:${name}`, vmcs: `field:${rest.slice(1).join('.')}`, vmcb: `field:${rest.slice(1).join('.')}` }[kind];
        if (!target || !this.#answer || this.#info.imported) return null;
        return `${location.pathname}?vcpu=${this.#vcpu}&seek=${part(target)}&from=${this.#answer.place.order + 1}&to=${part(target)}`;
    }

    #page() {
        const info = this.#info;
        if (!info) {
            return html`<div class="head"><h1 class="mono">${this.#id}</h1></div>
                ${this.#error ? html`<p class="error">${this.#error}</p><p class="empty">All sessions are <a href="/">listed here</a>.</p>` : html`<p class="muted">asking…</p>`}`;
        }
        const answer = this.#answer;
        return html`
            <div class="head"><h1 class="mono">${info.session}</h1> ${status(info)} <span>${info.guest}</span>
                ${info.policy ? html`<span><small>policy</small> <span class="mono">${info.policy}</span></span>` : nothing}
                ${info.cpu ? html`<span><small>on</small> ${info.cpu}</span>` : nothing}
                <span>${plural(info.vcpus.length, 'vCPU')}, ${plural(info.events, 'event')}</span>
                <span><small>recorded</small> ${dateTime(info.createdMillis)}</span>
                <nav><a href=${livePath(info.session)}>live</a> <a href=${diffPath(info.session)}>diff</a></nav></div>
            <figure id="map"><div class="lanes"></div>${this.#map && (this.#map.ready ?? 1) < 1
                ? html`<small id="indexing">indexing the session: ${percent(this.#map.ready)}</small>` : nothing}</figure>
            <figure id="timeline">${reasonLegend(this.#timeline ? reasonsOf(this.#timeline) : [])}<div class="scrolled"><div class="lanes"></div></div>
                <figcaption class="readout"><span id="readout" class="mono">${this.#readout || this.#hint()}</span>
                    <small>${this.#timeline && !this.#timeline.exact ? 'bars are exits by reason: zoom in for each event; ' : ''}x axis: order of events in the session</small></figcaption></figure>
            ${this.#bar()}
            ${this.#error ? html`<p class="error" id="error">${this.#error}</p>` : nothing}
            ${answer ? html`<div class="explored">${around(info.session, answer)} ${why(info.session, answer)}
                ${statePanel(answer, this.#stateView(), path => this.#seekTo(path))}</div>` : html`<p class="muted">asking…</p>`}`;
    }

    #stateView() {
        return {
            filter: this.#filter,
            zeros: this.#zeros,
            onFilter: text => {
                this.#filter = text;
                remember({ filter: text });
                this.#paint();
            },
            onZeros: zeros => this.#later(() => (this.#zeros = zeros)),
        };
    }

    #bar() {
        const place = this.#answer?.place;
        const button = (text, title, run) => html`<button title=${title} @click=${run}>${text}</button>`;
        return html`<div class="controls place">
            ${place ? html`<span id="place">vCPU <b data-key="vcpu">${place.vcpu}</b> event <b data-key="seq">${count(place.seq)}</b>
                <small>order</small> <b data-key="order">${count(place.order)}</b> <small>tick</small> ${count(place.tick)} <small>op</small> ${count(place.op)} <small>pCPU</small> ${place.pcpu}</span>` : nothing}
            <span class="buttons">${button('⇤ exit', 'previous exit (Shift ←)', () => this.#seek('previous', 'exit'))}${button('←', 'previous event (←)', () => this.#step(-1))}
                ${button('→', 'next event (→)', () => this.#step(1))}${button('exit ⇥', 'next exit (Shift →)', () => this.#seek('next', 'exit'))}</span>
            <input id="jump" size="13" spellcheck="false" placeholder="jump  g" title="ORDER, VCPU#SEQ, or #SEQ of this vCPU" aria-label="jump to an event" @keydown=${event => this.#jumped(event)}>
            <span class="buttons"><input id="target" size="24" list="targets" spellcheck="false" placeholder="field, MSR, where:…  m" aria-label="field, MSR or condition to look for"
                title="field:GUEST_RIP, msr:IA32_SPEC_CTRL, intercept:FS_BASE, where:CEL" .value=${this.#target} @change=${event => this.#aimed(event.target.value)} @keydown=${event => this.#entered(event)}>
            <datalist id="targets">${targets(this.#info)}</datalist>
            ${button('previous', 'previous of it (N)', () => this.#seek('previous', this.#target))}${button('next', 'next of it (n)', () => this.#seek('next', this.#target))}</span>
            ${this.#seeking ? html`<span class="tag warn" id="seeking">looking for the ${this.#seeking.dir} ${this.#seeking.to}, at event ${count(this.#seeking.at)} of ${count(this.#info.events)}; Esc stops</span>` : nothing}
            <span class="right"><a href=${place ? placePath(this.#id, place) : here().page} title="the address of this place">link</a></span></div>`;
    }

    #jumped(event) {
        if (event.key !== 'Enter') return;
        const match = /^\s*(?:(?:vcpu\s*)?(\d+)?\s*#\s*)?([\d,]+)\s*$/i.exec(event.target.value);
        if (!match) {
            this.#later(() => (this.#error = `"${event.target.value}" is no place: expected ORDER, #SEQ or VCPU#SEQ, like 1200, #40 or 1#40`));
            return;
        }
        const number = Number(match[2].replaceAll(',', ''));
        event.target.blur();
        event.target.value = '';
        this.#ask(match[0].includes('#') ? { vcpu: match[1] ?? this.#vcpu, seq: number } : { order: number });
    }

    /** Names alone are of MSRs or fields. */
    #aimed(text) {
        const name = text.trim();
        const known = /^(field|msr|intercept|where):/.test(name) || ['event', 'exit', 'entry', 'violation', ''].includes(name);
        this.#target = known ? name : this.#info.msrs.some(one => one.name === name) ? `msr:${name}` : this.#info.fields.includes(name) ? `field:${name}` : `where:${name}`;
        remember({ to: this.#target });
        this.#paint();
    }

    #entered(event) {
        if (event.key !== 'Enter') return;
        this.#aimed(event.target.value);
        event.target.blur();
        this.#seek(event.shiftKey ? 'previous' : 'next', this.#target);
    }
}

let made = null;

/** The list is long and never changes: made once for each session. */
function targets(info) {
    if (made?.info !== info) {
        const names = [...info.msrs.map(({ name }) => `msr:${name}`), ...info.fields.map(name => `field:${name}`), 'exit', 'entry', 'violation'];
        made = { info, options: names.map(name => html`<option value=${name}></option>`) };
    }
    return made.options;
}
