// Starts the page: theme, keys, the bar on top, and the page that the address names.
import { html, render } from '/lib/lit-html/lit-html.js';
import { bind, showKeys, startKeys } from '/assets/keys.js';
import { go, startRouter } from '/assets/router.js';
import { onTheme, isDark, startTheme, toggleTheme } from '/assets/theme.js';

const PAGES = {
    '': async () => (await import('/assets/overview.js')).OverviewPage,
    live: async () => (await import('/assets/live.js')).LivePage,
    session: async () => (await import('/assets/explorer.js')).ExplorerPage,
    diff: async () => (await import('/assets/diff.js')).DiffPage,
};

const root = document.getElementById('page');
let shown = null;
let asked = 0;

startTheme();
startKeys();
bind('Everywhere', [
    { keys: ['?'], does: 'show or hide these keys', run: showKeys },
    { keys: ['t'], does: 'light or dark', run: toggleTheme },
    { keys: ['s'], does: 'all sessions', run: () => go('/') },
]);
onTheme(bar);
startRouter(show);

async function show(place) {
    bar();
    const mine = ++asked;
    const key = `${place.page}/${place.session}`;
    if (shown?.key === key) {
        shown.page.update(place);
        return;
    }
    const load = PAGES[place.page];
    const Page = load && (place.page === '' || place.session) ? await load().catch(failed) : null;
    if (mine !== asked) return;
    shown?.page.end();
    shown = null;
    render(html``, root);
    root.className = place.page || 'overview';
    if (Page) shown = { key, page: new Page(root, place) };
    else render(html`<p class="empty">There is no page at <code>${location.pathname}</code>. <a href="/">All sessions</a></p>`, root);
}

function failed() {
    return class {
        constructor() {
            render(html`<p class="error">trapline serve does not answer, so this page cannot be loaded: is it still running?</p>`, root);
        }

        update() {}

        end() {}
    };
}

function bar() {
    render(html`<a class="logo" href="/"><img src="/assets/icon.svg" alt="" width="18" height="18"> trapline</a>
        <a href="/">sessions <kbd>s</kbd></a> <a href="/metrics" target="_blank" rel="noopener">metrics</a> <span class="space"></span>
        <button class="quiet" id="theme" @click=${toggleTheme}>${isDark() ? 'light' : 'dark'} <kbd>t</kbd></button>
        <button class="quiet" id="help" @click=${showKeys}>keys <kbd>?</kbd></button>`, document.getElementById('bar'));
}
