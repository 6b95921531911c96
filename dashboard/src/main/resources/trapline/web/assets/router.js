// Every place is a URL: pages by path, what they show by query, back and forward by the browser.

let show = () => {};

/** What the address says: which page, of which session, with which parameters. */
export function place() {
    const [page = '', session = ''] = location.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    return { page, session, query: new URLSearchParams(location.search) };
}

export function startRouter(listener) {
    show = listener;
    addEventListener('popstate', () => show(place()));
    document.addEventListener('click', followed);
    show(place());
}

export function go(path, { replace = false } = {}) {
    if (path === location.pathname + location.search) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
    show(place());
}

/** The address here with some parameters changed (null: without); replaced in history without being shown again. */
export function remember(changes, { push = false } = {}) {
    const path = withQuery(location.pathname, new URLSearchParams(location.search), changes);
    if (path !== location.pathname + location.search) {
        history[push ? 'pushState' : 'replaceState'](null, '', path);
    }
}

export function withQuery(path, query, changes = {}) {
    const all = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === undefined || value === '') all.delete(name);
        else all.set(name, String(value));
    }
    const text = all.toString().replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%3D', '=');
    return text ? `${path}?${text}` : path;
}

export const livePath = session => `/live/${encodeURIComponent(session)}`;

export const sessionPath = (session, query = {}) => withQuery(`/session/${encodeURIComponent(session)}`, '', query);

export const diffPath = (session, query = {}) => withQuery(`/diff/${encodeURIComponent(session)}`, '', query);

function followed(event) {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.('a[href]');
    if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
    if (link.pathname.startsWith('/api/') || link.pathname === '/metrics' || link.pathname === '/healthz') return;
    event.preventDefault();
    go(link.pathname + link.search);
}
