// Two policies side by side: choose, run, look.
import { html, nothing, render } from '/lib/lit-html/lit-html.js';
import { live } from '/lib/lit-html/directives/live.js';
import { get, part, post, remove } from '/assets/api.js';
import { DiffLanes } from '/assets/diff-lanes.js';
import { result } from '/assets/diff-result.js';
import { count, percent, plural } from '/assets/format.js';
import { bind } from '/assets/keys.js';
import { status } from '/assets/live.js';
import { go, livePath, remember, sessionPath } from '/assets/router.js';

const POLL = 300;
const LARGEST_UPLOAD = 256 * 1024;

export class DiffPage {
    #root;
    #id;
    #info = null;
    #policies = null;
    #error = null;
    #form;
    #job = null;
    #lanes = null;
    #names = new Map();
    #ended = false;
    #timer = 0;
    #unbind;

    constructor(root, { session, query }) {
        this.#root = root;
        this.#id = session;
        document.title = `${session} diff – Trapline`;
        this.#unbind = bind('Diff', this.#keys());
        this.#form = asked(query);
        this.#paint();
        this.#start();
    }

    async #start() {
        try {
            [this.#info, this.#policies] = await Promise.all([get(`/api/sessions/${part(this.#id)}`), get('/api/policies')]);
            this.#policies.uploads.forEach(({ id, name }) => this.#names.set(id, name));
        } catch (failure) {
            this.#error = failure.message;
        }
        this.#paint();
        if (this.#info && this.#form.candidate) this.#run();
    }

    update({ query }) {
        const form = asked(query);
        const same = ['base', 'candidate', 'costs'].every(name => form[name] === this.#form[name]);
        this.#form = form;
        if (!same && form.candidate) this.#run();
        this.#paint();
    }

    end() {
        this.#ended = true;
        clearTimeout(this.#timer);
        this.#unbind();
        this.#lanes?.dispose();
        if (this.#running()) remove(`/api/diffs/${part(this.#job.id)}`).catch(() => {});
    }

    #keys() {
        return [
            { keys: ['b'], does: 'choose the base', run: () => this.#root.querySelector('#base')?.focus() },
            { keys: ['c'], does: 'choose the candidate', run: () => this.#root.querySelector('#candidate')?.focus() },
            { keys: ['r', 'Enter'], does: 'run', run: () => this.#submit() },
            { keys: ['u'], does: 'upload a policy file', run: () => this.#root.querySelector('#file')?.click() },
            { keys: ['Escape'], does: 'cancel what runs', run: () => this.#cancel() },
            { keys: ['f'], does: 'go to the first divergence', run: () => this.#root.querySelector('#divergence')?.scrollIntoView({ block: 'center' }) },
            { keys: ['+', '='], does: 'zoom the timeline in', run: () => this.#lanes?.zoom(0.5) },
            { keys: ['-'], does: 'zoom the timeline out', run: () => this.#lanes?.zoom(2) },
            { keys: ['a'], does: 'the whole timeline', run: () => this.#lanes?.all() },
            { keys: ['l'], does: 'live view', run: () => go(livePath(this.#id)) },
            { keys: ['x'], does: 'explore the session', run: () => go(sessionPath(this.#id)) },
        ];
    }

    #running() {
        return this.#job && ['waiting', 'running'].includes(this.#job.state);
    }

    #submit() {
        if (!this.#form.candidate) {
            this.#error = 'choose a candidate: a base, a base with mechanisms, or a policy file of yours';
            this.#paint();
            return;
        }
        remember(this.#form, { push: true });
        this.#run();
    }

    async #run() {
        await this.#cancel();
        const { base, candidate, costs } = this.#form;
        this.#error = null;
        this.#lanes?.dispose();
        this.#lanes = null;
        this.#job = { id: null, state: 'waiting', ops: 0, of: 0 };
        const mine = this.#job;
        this.#paint();
        try {
            const body = JSON.stringify({ base: base || null, candidate, costs: costs || null });
            const { job } = await post(`/api/sessions/${part(this.#id)}/diffs`, body, { 'Content-Type': 'application/json' });
            mine.id = job;
            if (this.#job !== mine || this.#ended) await remove(`/api/diffs/${part(job)}`);
            else this.#poll(mine);
        } catch (failure) {
            this.#failed(mine, failure);
        }
    }

    async #poll(mine) {
        try {
            const told = await get(`/api/diffs/${part(mine.id)}`);
            if (this.#job !== mine || this.#ended) return;
            Object.assign(mine, told);
            this.#paint();
            if (this.#running()) this.#timer = setTimeout(() => this.#poll(mine), POLL);
        } catch (failure) {
            this.#failed(mine, failure);
        }
    }

    #failed(mine, failure) {
        if (this.#job !== mine) return;
        this.#job = null;
        this.#error = failure.message;
        this.#paint();
    }

    async #cancel() {
        if (!this.#running() || !this.#job.id) return;
        const { id } = this.#job;
        clearTimeout(this.#timer);
        this.#job.state = 'cancelled';
        this.#paint();
        await remove(`/api/diffs/${part(id)}`).catch(() => {});
    }

    async #upload(file) {
        if (!file) return;
        this.#error = null;
        try {
            if (file.size > LARGEST_UPLOAD) throw new Error(`${file.name} has ${count(file.size)} bytes: a policy file has ${count(LARGEST_UPLOAD)} at most`);
            const told = await post('/api/policies', await file.text(), { 'Content-Type': 'application/yaml', 'X-Name': encodeURIComponent(file.name) });
            this.#names.set(told.id, told.name);
            this.#policies.uploads = [...this.#policies.uploads.filter(({ id }) => id !== told.id), { id: told.id, name: told.name }];
            this.#form.candidate = told.id;
        } catch (failure) {
            this.#error = `${file.name}: ${failure.message}`;
        }
        this.#paint();
    }

    #paint() {
        if (this.#ended) return;
        render(this.#page(), this.#root);
        const timeline = this.#job?.timeline;
        const element = this.#root.querySelector('#timeline .lanes');
        if (this.#job?.state === 'done' && timeline && element && !this.#lanes) {
            this.#lanes = new DiffLanes(element, this.#root.querySelector('#readout'), timeline, this.#sides());
        }
    }

    #sides() {
        const { base, candidate } = this.#job.result;
        return { base: base.policy, candidate: candidate.policy };
    }

    #page() {
        const info = this.#info;
        return html`<div class="head"><h1 class="mono">${info?.session ?? this.#id}</h1> ${info ? html`${status(info)} <span>${info.guest}</span>
                ${info.policy ? html`<span><small>recorded under</small> <span class="mono">${info.policy}</span></span>` : nothing}
                ${info.cpu ? html`<span><small>on</small> ${info.cpu}</span>` : nothing} <span>${plural(info.guestOps ?? 0, 'guest op')}</span>` : nothing}
                <nav><a href=${livePath(this.#id)}>live</a> <a href=${sessionPath(this.#id)}>explore</a></nav></div>
            ${this.#policies ? this.#chooser() : nothing}
            ${this.#error ? html`<p class="error" id="error">${this.#error}</p>` : nothing}
            ${this.#progress()}
            ${this.#job?.state === 'done' ? result(this.#job, { id: this.#id, recorded: !this.#form.base && !info?.imported, name: this.#policyName }) : nothing}
            ${!this.#job && !this.#error && this.#policies ? html`<p class="empty">Choose a candidate and run: the same guest is executed under both policies, op by op.
                On the command line: <code>trapline diff ${this.#id} --candidate kvm-6.1,spec-ctrl=v3</code></p>` : nothing}`;
    }

    #policyName = policy => this.#names.get(policy) ?? policy;

    #chooser() {
        const { bases, mechanisms, uploads } = this.#policies;
        const form = this.#form;
        const imported = this.#info?.imported;
        return html`<div class="chooser" @keydown=${event => event.key === 'Enter' && event.target.matches('input') && this.#submit()}>
            <label>base <input id="base" list="base-list" size="24" spellcheck="false" placeholder=${imported ? 'a policy: traces have none' : `recorded: ${this.#info?.policy ?? ''}`}
                .value=${live(form.base)} @input=${event => this.#typed('base', event.target.value)}></label>
            <label>candidate <input id="candidate" list="candidate-list" size="36" spellcheck="false" placeholder="kvm-6.1,spec-ctrl=v4"
                .value=${live(form.candidate)} @input=${event => this.#typed('candidate', event.target.value)}></label>
            <label>with <select id="mechanism" @change=${event => this.#added(event.target)}><option value="">a mechanism…</option>
                ${mechanisms.map(({ mechanism, variants }) => html`<optgroup label=${mechanism}>${variants.map(variant => html`<option value="${mechanism}=${variant}">${variant}</option>`)}</optgroup>`)}</select></label>
            <label>costs <select id="costs" @change=${event => this.#typed('costs', event.target.value)}><option value="" ?selected=${!form.costs}>of the platform</option>
                ${(this.#info?.costs ?? []).map(name => html`<option value=${name} ?selected=${form.costs === name}>${name}</option>`)}</select></label>
            <label class="file">policy file <input id="file" type="file" accept=".yaml,.yml,text/yaml" @change=${event => this.#upload(event.target.files[0])}></label>
            <button id="run" class="on" @click=${() => this.#submit()}>run <kbd>r</kbd></button>
            ${completions('base-list', form.base, bases, mechanisms, uploads)} ${completions('candidate-list', form.candidate, bases, mechanisms, uploads)}
            ${uploads.length > 0 ? html`<div class="uploads">uploaded: ${uploads.map(({ id, name }) => html`<button class="quiet mono" title=${id} @click=${() => this.#typed('candidate', id)}>${name}</button>`)}</div>` : nothing}</div>`;
    }

    #typed(name, value) {
        this.#form[name] = value.trim();
        this.#paint();
    }

    /** Sets one mechanism of the candidate. */
    #added(select) {
        const [mechanism] = select.value.split('=');
        if (!mechanism) return;
        const first = this.#form.candidate || this.#form.base || (this.#info?.policy ?? '').split(',')[0] || this.#policies.bases[0];
        const pieces = first.split(',').filter(piece => !piece.startsWith(`${mechanism}=`));
        this.#form.candidate = [...pieces, select.value].join(',');
        select.value = '';
        this.#paint();
    }

    #progress() {
        const job = this.#job;
        if (!job || job.state === 'done') return nothing;
        if (job.state === 'failed') return html`<p class="error" id="error">${job.error}</p>`;
        if (job.state === 'cancelled') return html`<p class="muted" id="cancelled">cancelled${job.ops ? ` after ${plural(job.ops, 'op')}` : ''}</p>`;
        return html`<p id="progress"><progress max=${Math.max(1, job.of)} .value=${job.ops}></progress>
            ${job.state === 'waiting' ? 'waiting for other diffs' : html`${count(job.ops)} of ${count(job.of)} ops${job.of ? `, ${percent(job.ops / job.of)}` : ''}`}
            <button id="cancel" @click=${() => this.#cancel()}>cancel (Esc)</button></p>`;
    }
}

const asked = query => ({ base: query.get('base') ?? '', candidate: query.get('candidate') ?? '', costs: query.get('costs') ?? '' });

/** What can follow what is typed: bases, then mechanisms one by one. */
function completions(id, text, bases, mechanisms, uploads) {
    const comma = text.lastIndexOf(',');
    const prefix = comma < 0 ? '' : text.slice(0, comma + 1);
    const starts = comma < 0 ? [...bases, ...uploads.map(upload => upload.id)] : [];
    const stem = comma < 0 && bases.includes(text) ? `${text},` : prefix;
    const variants = stem ? mechanisms.flatMap(({ mechanism, variants: all }) => all.map(variant => `${stem}${mechanism}=${variant}`)) : [];
    return html`<datalist id=${id}>${[...starts, ...variants].map(name => html`<option value=${name}></option>`)}</datalist>`;
}
