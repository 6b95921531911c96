// Keys, and the list of them that `?` shows.
import { html, render } from '/lib/lit-html/lit-html.js';

const groups = [];
const NAMES = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };

/**
 * Binds keys, `[{ keys: ['p', 'Shift+ArrowLeft'], does: 'text', run }]`, under a title; returns what unbinds them.
 * Letters are as typed, so that `N` is Shift and n.
 */
export function bind(title, bindings) {
    const group = { title, bindings };
    groups.unshift(group);
    return () => {
        const at = groups.indexOf(group);
        if (at >= 0) groups.splice(at, 1);
    };
}

export function startKeys() {
    addEventListener('keydown', pressed);
}

export function showKeys() {
    const dialog = document.getElementById('keys');
    if (dialog.open) {
        dialog.close();
        return;
    }
    render(list(), dialog);
    dialog.showModal();
}

function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === 'Escape' && event.target.matches?.('input, select, textarea')) {
        event.target.blur();
        return;
    }
    if (event.target.matches?.('input:not([type=checkbox]):not([type=radio]), select, textarea')) return;
    const dialog = document.getElementById('keys');
    const name = spelled(event);
    if (dialog.open && name !== '?') return;
    if ((name === 'Enter' || name === ' ') && event.target.matches?.('a, button, summary')) return;
    for (const { bindings } of groups) {
        const binding = bindings.find(({ keys }) => keys.includes(name));
        if (binding) {
            event.preventDefault();
            binding.run(event);
            return;
        }
    }
}

function spelled(event) {
    return event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
}

function list() {
    return html`<header><h2>Keys</h2><button class="quiet" @click=${showKeys}>close</button></header>
        <div class="keys">${groups.map(({ title, bindings }) => html`<section><h3>${title}</h3><dl>
            ${bindings.map(({ keys, does }) => html`<dt>${keys.map(written)}</dt><dd>${does}</dd>`)}</dl></section>`)}</div>`;
}

const written = key => html`<kbd>${key.length === 1 ? NAMES[key] ?? key : key.split('+').map(piece => NAMES[piece] ?? piece).join(' ')}</kbd> `;
